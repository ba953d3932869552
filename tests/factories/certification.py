"""Cases at any step, written straight into the tables."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from catalog.certification import steps
from catalog.certification.models import CertificationCase, CertificationDocument, CertificationOpinion
from catalog.certification.states import CaseKind
from catalog.households.models import HouseholdMember
from catalog.products.models import Product
from shop.core import clock, sealing, workdays
from shop.core.models import StoredFile
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
    session: Session,
    product_id: int,
    status: str = "county_review",
    kind: str = "initial",
    *,
    opinions: bool = True,
    **changes: Any,
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


def complete(session: Session, case_id: int) -> None:
    """Everything that the checklist of primary produce asks for: facts, papers, and a list of three persons in two households."""
    case = session.get_one(CertificationCase, case_id)
    product = session.get_one(Product, case.product_id)
    product.village, product.specification = product.village or "光明村", product.specification or "5kg/箱，GB/T 20355"
    today = clock.today()
    case.households, case.persons, case.comparable_price_on = 2, 3, today - timedelta(days=20)
    session.add_all([case, product])
    for person in range(3):
        session.add(
            HouseholdMember(
                case_id=case_id,
                person_hash=sealing.keyed_hash("person", f"{product.id}-{person}"),
                household_hash=sealing.keyed_hash("household", case.district_code, str(person // 2)),
                sealed=sealing.seal(
                    {"name": f"张{person}", "id_number": "", "household_no": str(person // 2), "village": "光明村"}
                ),
                mode="purchase_contract",
                created_at=clock.now(),
            )
        )
    for kind in ("business_licence", "commitment_letter", "test_report", "household_evidence"):
        file = StoredFile(
            storage_key=f"none/{kind}",
            name=f"{kind}.pdf",
            content_type="application/pdf",
            size=1,
            sha256="0" * 64,
            uploaded_by=0,
            uploaded_at=clock.now(),
        )
        session.add(file)
        session.flush()
        session.add(
            CertificationDocument(case_id=case_id, kind=kind, file_id=file.id, number="1", issued_on=today - timedelta(days=30))
        )
    session.flush()


def support(session: Session, case_id: int, step: str, department: str = "agriculture") -> None:
    """A department that is for a case."""
    session.add(
        CertificationOpinion(
            case_id=case_id, step=step, department=department, verdict="support", opinion="同意", author_role="test", at=clock.now()
        )
    )
    session.flush()
