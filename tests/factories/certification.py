"""Cases at any step, written straight into the tables."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from catalog.certification import steps
from catalog.certification.models import CertificationCase, CertificationOpinion
from catalog.certification.states import CaseKind
from catalog.products.models import Product
from shop.core import clock, workdays
from shop.programmes import queries as programmes

#: What a complete application states.
STATED: dict[str, Any] = {
    "statement": "自产脐橙",
    "annual_capacity_kg": 600_000,
    "households": 86,
    "persons": 271,
    "linkage_modes": ["purchase_contract"],
    "linkage": "订单收购",
    "comparable_price_fen": 6990,
    "comparable_pack_grams": 5000,
    "comparable_price_source": "县城三家超市均价",
}


def make_case(
    session: Session, product_id: int, status: str = "county_review", kind: str = "initial", *, opinions: bool = True, **changes: Any
) -> int:
    """A case of a product that has come to ``status`` today, with the steps of the programme in force; returns its id.

    ``opinions``: a department has spoken for it. A notice began so long ago that it ends today.
    """
    product = session.get_one(Product, product_id)
    today = clock.today()
    config = programmes.config_of(session, today)
    way = steps.snapshot(config.certification, CaseKind(kind), has_township=bool(product.township_code))
    step = steps.step_of(way, status)
    noticed = "public_notice" in steps.codes(way) and status in ("public_notice", "city_review", "filing")
    case = CertificationCase(
        **STATED
        | {
            "kind": kind,
            "product_id": product_id,
            "supplier_id": product.supplier_id,
            "programme_code": config.code,
            "district_code": product.district_code,
            "township_code": product.township_code,
            "status": status,
            "steps": way,
            "entered_on": None if status == "draft" else today,
            "due_on": workdays.calendar(session, today).add(today, step["working_days"]) if step else None,
            "submitted_at": None if status == "draft" else clock.now(),
            "notice_from": today - timedelta(days=8) if noticed else None,
            "notice_until": today if noticed else None,
            "created_at": clock.now(),
        }
        | changes
    )
    session.add(case)
    session.flush()
    if opinions and step and step["min_opinions"]:
        support(session, case.id, status)
    return case.id


def support(session: Session, case_id: int, step: str, department: str = "agriculture") -> None:
    """A department that is for a case."""
    session.add(
        CertificationOpinion(
            case_id=case_id, step=step, department=department, verdict="support", opinion="同意", author_role="test", at=clock.now()
        )
    )
    session.flush()


