"""Changes of what was certified: proposed by the supplier, reviewed as a case, and only then true. The certified version stays on sale
meanwhile."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates import queries as certificates
from catalog.certificates.actions import issuing
from catalog.certificates.states import CertificateState
from catalog.certification.actions.cases import hand_in
from catalog.certification.errors import NoCertificateInForce, NothingChanges
from catalog.certification.models import CertificationCase
from catalog.certification.queries.bars import refuse_barred
from catalog.certification.states import CaseKind, CaseStatus
from catalog.certification.steps import snapshot
from catalog.products import actions as products
from catalog.products.models import Product
from catalog.products.schemas import TierIn
from shop.core import audit, clock
from shop.core.errors import Fault, Forbidden, Invalid, NotFound
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_LATEST = text(
    "SELECT id FROM certificate WHERE product_id = :product_id AND revoked_at IS NULL AND valid_until >= :today"
    " ORDER BY valid_until DESC LIMIT 1"
)
#: What the latest case of the product stated; a change carries it on, so that its reviewers see the whole.
_STATED = [
    "annual_capacity_kg",
    "monthly_capacity_kg",
    "households",
    "persons",
    "linkage_modes",
    "linkage",
    "comparable_price_fen",
    "comparable_pack_grams",
    "comparable_price_source",
    "comparable_price_on",
]


def propose(session: Session, actor: Actor, certificate_id: int, changes: Mapping[str, Any], statement: str) -> int:
    """Draw up a change of an own certificate; papers are added and it is handed in as every application. Returns the case's id. Without
    changed fields it brings new papers only, such as a licence that was prolonged.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403).
        NoCertificateInForce: it was revoked or has ended (409). CaseOpen: another case of the product is open (409).
        Invalid, UnknownOrigin: months that do not add up, a place that is not (422).
    """
    row = certificates.certificate_row(session, actor, certificate_id)
    if row.supplier_id != actor.organisation_id:
        raise Forbidden
    if certificates.state_of(row) in (CertificateState.REVOKED, CertificateState.EXPIRED):
        raise NoCertificateInForce
    proposed = {field: value for field, value in changes.items() if value != getattr(row, field)}
    months = proposed.get("monthly_capacity_kg", row.monthly_capacity_kg)
    if months is not None and sum(months) != proposed.get("annual_capacity_kg", row.annual_capacity_kg):
        raise Invalid.one(
            "monthly_capacity_kg", "months_do_not_add_up", "各月产能之和须等于年产能", "The months must add up to the year"
        )
    if "township_code" in proposed:
        products.require_origin(session, row.district_code, proposed["township_code"])
    case = draw_up(session, row, CaseKind.CHANGE, proposed, statement)
    audit.record(session, actor, "certification.change_proposed", "certification_case", case.id, fields=sorted(proposed))
    return case.id


def propose_prices(
    session: Session, actor: Actor, sku_id: int, tiers: Sequence[TierIn], statement: str, *, draft: bool = False
) -> int:
    """Ask for prices that lie too far above comparable goods to apply at once; handed in with this, but as a ``draft``. Returns the case's id.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        NoCertificateInForce, CaseOpen: as :func:`propose` (409). NothingChanges: these prices need no review (422).
        Blacklisted: the supplier is barred (409). Invalid: quantities that are not whole steps or do not rise (422).
    """
    sku = products.own_sku(session, actor, sku_id)
    refuse_barred(session, actor.organisation)
    if products.within_ceiling(session, sku, tiers):
        raise NothingChanges(
            faults=[Fault("tiers", "no_review_needed", "该价格无需审核，可直接设置", "These prices need no review")]
        )
    found = session.execute(_LATEST, {"product_id": sku.product_id, "today": clock.today()}).scalar()
    if found is None:
        raise NoCertificateInForce
    row = certificates.certificate_row(session, actor, found)
    shown = [[str(tier.min_quantity), tier.unit_price] for tier in tiers]
    case = draw_up(
        session, row, CaseKind.PRICE, {"sku_id": sku.id, "sku_code": sku.code, "pack": sku.pack, "tiers": shown}, statement
    )
    if not draft:
        hand_in(session, actor, [case])
    return case.id


def refuse_nothing(case: CertificationCase, *, has_papers: bool) -> None:
    """Raises :class:`NothingChanges` for a change that brings neither (422)."""
    if not case.proposed and not has_papers:
        told = "既没有修改内容，也没有新的材料", "Nothing is to change, and there is no new paper"
        raise NothingChanges(faults=[Fault("changes", "nothing_changes", *told)])


def take_effect(session: Session, actor: Actor, case: CertificationCase) -> None:
    """What an approved change brings about."""
    proposed = case.proposed or {}
    if case.kind == CaseKind.PRICE:
        tiers = [TierIn.model_validate({"min_quantity": least, "unit_price": _yuan(fen)}) for least, fen in proposed["tiers"]]
        products.apply_reviewed_prices(session, actor, proposed["sku_id"], tiers)
    else:
        assert case.certificate_id is not None
        if proposed:
            issuing.change(session, actor, case.certificate_id, proposed)
        issuing.renew_papers(session, actor, case.certificate_id, case.id)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def draw_up(session: Session, row: Any, kind: CaseKind, proposed: dict[str, Any] | None, statement: str) -> CertificationCase:
    """A case about a certificate's row, with what the latest case of its product stated.

    Raises:
        CaseOpen: another case of the product is open (409).
    """
    latest = session.exec(
        select(CertificationCase)
        .where(col(CertificationCase.product_id) == row.product_id, col(CertificationCase.status) == CaseStatus.APPROVED.value)
        .order_by(col(CertificationCase.id).desc())
        .limit(1)
    ).first()
    product = session.get(Product, row.product_id)
    if latest is None or product is None:
        raise NotFound
    config = programmes.config_of(session, clock.today())
    case = CertificationCase(
        **{field: getattr(latest, field) for field in _STATED},
        kind=kind.value,
        certificate_id=row.id,
        proposed=proposed,
        statement=statement,
        product_id=row.product_id,
        supplier_id=row.supplier_id,
        programme_code=config.code,
        district_code=product.district_code,
        township_code=product.township_code,
        steps=snapshot(config.certification, kind, has_township=product.township_code is not None),
        created_at=clock.now(),
    )
    session.add(case)
    session.flush()
    return case
