"""What a supplier does: apply, complete, bring papers, hand in, withdraw."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.rules import months_after
from catalog.certification import steps
from catalog.certification.actions import changing
from catalog.certification.actions.cases import begin, finish, locked, show_prices
from catalog.certification.errors import (
    AlreadyCertified,
    CaseNotEditable,
    DistrictNotEligible,
    ItemsMissing,
    OriginMoved,
    ProductWithdrawn,
    ReapplicationBanned,
    UnknownLinkageMode,
)
from catalog.certification.models import CertificationCase
from catalog.certification.queries import cases as queries
from catalog.certification.queries.bars import refuse_barred
from catalog.certification.schemas.applying import CaseIn
from catalog.certification.states import EDITABLE, CaseKind, CaseMove, CaseStatus
from catalog.households import actions as households
from catalog.products.errors import NotYourProduct
from catalog.products.models import Product
from catalog.products.states import ListingStatus
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, Forbidden, IfMatch, NotFound, any_version
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions

#: Under the same name another product of the supplier counts as the same.
_REVOKED = text(
    "SELECT max(c.revoked_at) FROM certificate c JOIN product p ON p.id = :product_id"
    " WHERE c.supplier_id = p.supplier_id AND (c.product_id = p.id OR c.product_name = p.name)"
    # a batch that the city withdrew is no fault of those who stand in it
    " AND c.reason_code IS DISTINCT FROM 'batch_withdrawn'"
)
_CERTIFIED_UNTIL = text(
    "SELECT max(valid_until) FROM certificate WHERE product_id = :product_id AND revoked_at IS NULL AND valid_until >= :today"
)


def apply(session: Session, actor: Actor, body: CaseIn) -> int:
    """Start an application for an own product; returns the case's id.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        OrganisationNotApproved, ProductWithdrawn, Blacklisted, ReapplicationBanned, AlreadyCertified, CaseOpen: see there (409).
        DistrictNotEligible: the origin is not among the districts that the programme in force names (409).
        UnknownLinkageMode: not one of the programme's (422).
    """
    product = session.get(Product, body.product_id)
    if product is None:
        raise NotFound
    if product.supplier_id != actor.organisation:
        raise NotYourProduct
    config = require_eligible(session, product)
    _refuse_certified(session, product.id, config)
    refuse_unknown_modes(config, body.linkage_modes)
    case = CertificationCase(
        **body.model_dump(exclude={"comparable_price"}),
        comparable_price_fen=body.comparable_price,
        supplier_id=product.supplier_id,
        programme_code=config.code,
        district_code=product.district_code,
        township_code=product.township_code,
        steps=steps.snapshot(config.certification, CaseKind.INITIAL, has_township=product.township_code is not None),
        created_at=clock.now(),
    )
    session.add(case)
    session.flush()
    audit.record(session, actor, "certification.created", "certification_case", case.id)
    return case.id


def edit(session: Session, actor: Actor, case_id: int, changes: Mapping[str, Any], if_match: IfMatch) -> None:
    """Change what the own application states.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403).
        CaseNotEditable: it was handed in and not returned (409). UnknownLinkageMode: not one of the programme's (422).
    """
    case = own_editable(session, actor, case_id)
    if_match(case.version)
    refuse_unknown_modes(programmes.config_of(session, clock.today()), changes.get("linkage_modes") or [])
    for field, value in changes.items():
        setattr(case, "comparable_price_fen" if field == "comparable_price" else field, value)
    keep(session, case)
    audit.record(session, actor, "certification.edited", "certification_case", case.id, fields=sorted(changes))


def submit(session: Session, actor: Actor, case_id: int, if_match: IfMatch = any_version) -> None:
    """Hand the own application in, for the first time or after it was returned. From the first time on it passes the steps that the programme
    names then; after a return only when its first office has not seen what it is now: its township is another one, or a pack is new or dearer.

    Raises:
        NotFound (404), Forbidden (403), IllegalMove (409): as for every move.
        ItemsMissing: everything that is missing, at once (409). OriginMoved: another county's offices have reviewed it (409).
        OrganisationNotApproved, ProductWithdrawn, Blacklisted, ReapplicationBanned, DistrictNotEligible: as :func:`apply`.
    """
    returned = locked(session, actor, case_id, if_match).status == CaseStatus.RETURNED
    move = CaseMove.RESUBMIT if returned else CaseMove.SUBMIT
    case = begin(session, actor, case_id, move)
    # locked, so that its packs and prices stay as they are from here on
    product = session.get_one(Product, case.product_id, with_for_update=True, populate_existing=True)
    config = require_eligible(session, product)
    moved = (product.district_code, product.township_code) != (case.district_code, case.township_code)
    if show_prices(session, case) or moved or not returned:
        _set_out(session, case, product, config)
    if case.kind in (CaseKind.CHANGE, CaseKind.PRICE):
        changing.submit(session, actor, case)
        return
    if missing := queries.missing_items(session, queries.case_row(session, actor, case_id)):
        raise ItemsMissing(count=len(missing), faults=missing)
    case.submitted_at = clock.now()
    case.decision_reason = None
    case.corrections = []
    case.notice_from = case.notice_until = None
    finish(session, actor, case, move)
    outbox.publish(session, "certification.submitted", case_id=case.id, version=case.version, status=case.status)


def _set_out(session: Session, case: CertificationCase, product: Product, config: ProgrammeConfig) -> None:
    """Put a case at the beginning of its way, from where the product comes now."""
    if case.district_code != product.district_code:
        if case.status == CaseStatus.RETURNED:
            raise OriginMoved
        households.move(session, case.id, product.district_code)
    case.programme_code = config.code
    case.district_code, case.township_code = product.district_code, product.township_code
    has_township = product.township_code is not None
    case.steps = steps.snapshot(config.certification, CaseKind(case.kind), has_township=has_township)
    if case.status == CaseStatus.RETURNED:
        case.sent_back_from, case.remaining_days = case.steps[0]["step"], None


def withdraw(session: Session, actor: Actor, case_id: int, reason: str | None, if_match: IfMatch = any_version) -> None:
    """Take the own application back; a new one may be made.

    Raises:
        NotFound (404), Forbidden (403), IllegalMove (409): as for every move.
    """
    case = begin(session, actor, case_id, CaseMove.WITHDRAW, if_match)
    case.batch_id = None
    finish(session, actor, case, CaseMove.WITHDRAW, reason)


def require_eligible(session: Session, product: Product) -> ProgrammeConfig:
    """The programme under which the product may be certified today. Raises as :func:`apply`."""
    organisations.require_approved(session, product.supplier_id)
    if product.status != ListingStatus.ACTIVE:
        raise ProductWithdrawn
    today = clock.today()
    refuse_barred(session, product.supplier_id)
    config = programmes.config_of(session, today)
    _refuse_banned(session, product.id, config, today)
    if not regions.is_designated(session, product.district_code, config.certification.eligible_designation, today):
        raise DistrictNotEligible(district=product.district_code)
    return config


def _refuse_banned(session: Session, product_id: int, config: ProgrammeConfig, today: date) -> None:
    revoked_at = session.execute(_REVOKED, {"product_id": product_id}).scalar()
    months = config.certification.reapplication_ban_months
    if revoked_at is None or not months:
        return
    again = months_after(clock.shanghai_date(revoked_at), months)
    if today < again:
        raise ReapplicationBanned(until=again.isoformat())


def _refuse_certified(session: Session, product_id: int, config: ProgrammeConfig) -> None:
    until = session.execute(_CERTIFIED_UNTIL, {"product_id": product_id, "today": clock.today()}).scalar()
    if until is not None:
        opens = until - timedelta(days=config.certification.renewal_opens_days)
        raise AlreadyCertified(renewable_on=opens.isoformat())


def refuse_unknown_modes(config: ProgrammeConfig, modes: list[str]) -> None:
    """Raises :class:`UnknownLinkageMode` for modes that the programme does not name."""
    told = UnknownLinkageMode.code, UnknownLinkageMode.zh, UnknownLinkageMode.en
    known = config.terms.get("linkage_mode", {})
    if faults := [Fault(f"linkage_modes[{at}]", *told) for at, mode in enumerate(modes) if mode not in known]:
        raise UnknownLinkageMode(faults=faults)


def own_editable(session: Session, actor: Actor, case_id: int) -> CertificationCase:
    """An own case that may be changed now, locked until the transaction ends. Raises as :func:`edit`."""
    case = locked(session, actor, case_id)
    if case.supplier_id != actor.organisation_id:
        raise Forbidden
    if case.status not in EDITABLE:
        raise CaseNotEditable
    return case


def keep(session: Session, case: CertificationCase) -> None:
    """Write a case that was changed, as a new version of it."""
    case.version += 1
    session.add(case)
    session.flush()
