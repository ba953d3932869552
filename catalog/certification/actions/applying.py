"""What a supplier does: apply, complete, hand in, withdraw."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates.rules import months_after
from catalog.certification import steps
from catalog.certification.actions import changing
from catalog.certification.actions.cases import (
    Outcomes,
    Read,
    alone,
    any_read,
    begin,
    finish,
    hand_in,
    keep,
    locked,
    locked_each,
    show_prices,
)
from catalog.certification.errors import (
    AlreadyCertified,
    CaseNotEditable,
    CaseOpen,
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
from catalog.certification.states import EDITABLE, CaseKind, CaseMove, CaseStatus, Level
from catalog.households import actions as households
from catalog.products.errors import NotYourProduct
from catalog.products.models import Product
from catalog.products.states import ListingStatus
from shop.core import audit, clock
from shop.core.errors import Fault, Forbidden, IfMatch, NotFound, Problem, any_version
from shop.core.states import IllegalMove
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig
from shop.regions import queries as regions

#: Under the same name another product of the supplier counts as the same.
_REVOKED = text(
    "SELECT p.id, max(c.revoked_at) AS revoked_at FROM product p"
    " JOIN certificate c ON c.supplier_id = p.supplier_id AND (c.product_id = p.id OR c.product_name = p.name)"
    # a batch that the city withdrew is no fault of those who stand in it
    " WHERE p.id = ANY (:product_ids) AND c.reason_code IS DISTINCT FROM 'batch_withdrawn' GROUP BY p.id"
)
_CERTIFIED_UNTIL = text(
    "SELECT product_id, max(valid_until) AS until FROM certificate"
    " WHERE product_id = ANY (:product_ids) AND revoked_at IS NULL AND valid_until >= :today GROUP BY product_id"
)
_OPEN = text(
    "SELECT product_id FROM certification_case WHERE product_id = ANY (:product_ids) AND status NOT IN ('approved','rejected','withdrawn')"
)


def apply(session: Session, actor: Actor, body: CaseIn) -> int:
    """Start an application for an own product; returns the case's id.

    Raises:
        NotFound, NotYourProduct: unknown (404), or another supplier's (403).
        OrganisationNotApproved, ProductWithdrawn, Blacklisted, ReapplicationBanned, AlreadyCertified, CaseOpen: see there (409).
        DistrictNotEligible: the origin is not among the districts that the programme in force names (409).
        UnknownLinkageMode: not one of the programme's (422).
    """
    [made] = apply_many(session, actor, [body])
    if isinstance(made, Problem):
        raise made
    return made


def apply_many(session: Session, actor: Actor, bodies: Sequence[CaseIn]) -> list[int | Problem]:
    """Start many applications as :func:`apply` does one; the id of each case, or what it is refused for, in their order. No product is named twice. It takes
    the same number of statements for one and for many.

    Raises:
        CaseOpen: somebody starts one for any of the products at the same time (409).
    """
    named = [body.product_id for body in bodies]
    products = {product.id: product for product in session.exec(select(Product).where(col(Product.id).in_(named)))}
    own = [product for product in products.values() if product.supplier_id == actor.organisation]
    config, ineligible = _ineligible(session, actor.organisation, own)
    values = {"product_ids": [product.id for product in own], "today": clock.today()}
    certified = {row.product_id: row.until for row in session.execute(_CERTIFIED_UNTIL, values)}
    in_course = set(session.execute(_OPEN, values).scalars())
    found: list[int | Problem] = []
    cases: list[CertificationCase] = []
    for place, body in enumerate(bodies):
        try:
            product = _own(actor, products.get(body.product_id))
            if product.id in ineligible:
                raise ineligible[product.id]
            _refuse_certified(certified.get(product.id), config)
            refuse_unknown_modes(config, body.linkage_modes)
            if product.id in in_course:
                raise CaseOpen
        except Problem as problem:
            found.append(problem)
            continue
        found.append(place)  # until there is its id
        cases.append(_case_of(product, body, config))
    session.add_all(cases)
    session.flush()
    ids = [case.id for case in cases]
    audit.record_each(session, actor, "certification.created", "certification_case", [(case_id, {}) for case_id in ids])
    written = iter(ids)
    return [each if isinstance(each, Problem) else next(written) for each in found]


def _own(actor: Actor, product: Product | None) -> Product:
    if product is None:
        raise NotFound
    if product.supplier_id != actor.organisation:
        raise NotYourProduct
    return product


def _case_of(product: Product, body: CaseIn, config: ProgrammeConfig) -> CertificationCase:
    return CertificationCase(
        **body.model_dump(exclude={"comparable_price"}),
        comparable_price_fen=body.comparable_price,
        supplier_id=product.supplier_id,
        programme_code=config.code,
        district_code=product.district_code,
        township_code=product.township_code,
        steps=steps.snapshot(config.certification, CaseKind.INITIAL, has_township=product.township_code is not None),
        created_at=clock.now(),
    )


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
        NothingChanges: a change that changes nothing (422).
        OrganisationNotApproved, ProductWithdrawn, Blacklisted, ReapplicationBanned, DistrictNotEligible: as :func:`apply`.
    """
    alone(submit_many(session, actor, [case_id], lambda _: if_match))


def submit_many(session: Session, actor: Actor, case_ids: Sequence[int], read: Read = any_read) -> Outcomes:
    """Hand many own applications in as :func:`submit` does one, each by itself: what is refused stays as it is, with everything that it is refused
    for, and hinders no other. It takes the same number of statements for one and for many."""
    several = locked_each(session, actor, case_ids, read)
    several.sift(lambda case: _refuse_move(actor, case, several.rows[case.id].supplier_path))
    products = _locked_products(session, [case.product_id for case in several.cases.values()])
    config, ineligible = _ineligible(session, actor.organisation_id, list(products.values()))
    several.sift(lambda case: _refuse_ineligible(case, products[case.product_id], ineligible))
    # once more, with the products as they are now that they are locked
    rows = list(queries.case_rows(session, actor, list(several.cases)).values())
    missing = queries.missing_items(session, rows)
    papers = queries.supplier_papers(session, [row.id for row in rows if row.kind == CaseKind.CHANGE])
    several.sift(lambda case: _refuse_incomplete(case, missing[case.id], has_papers=case.id in papers))
    cases = list(several.cases.values())
    prices = queries.highest_prices(session, [case.product_id for case in cases])
    for case in cases:
        product = products[case.product_id]
        moved = (product.district_code, product.township_code) != (case.district_code, case.township_code)
        if show_prices(case, prices) or moved or case.status != CaseStatus.RETURNED:
            _set_out(session, case, product, config)
    hand_in(session, actor, cases)
    return several.outcomes()


def _refuse_move(actor: Actor, case: CertificationCase, supplier_path: str) -> None:
    move = CaseMove.RESUBMIT if case.status == CaseStatus.RETURNED else CaseMove.SUBMIT
    try:
        queries.course_of(case).after(case.status, move)
    except IllegalMove as refused:
        if steps.step_of(case.steps, case.status):  # an office has it: it was handed in before
            refused.data["already"] = True
        raise
    if not queries.may_act(actor, case, supplier_path, Level.SUPPLIER, set()):
        raise Forbidden


def _locked_products(session: Session, product_ids: Sequence[int]) -> dict[int, Product]:
    """Locked, so that their packs and prices stay as they are from here on."""
    statement = select(Product).where(col(Product.id).in_(product_ids)).order_by(col(Product.id)).with_for_update()
    return {product.id: product for product in session.exec(statement.execution_options(populate_existing=True))}


def _refuse_ineligible(case: CertificationCase, product: Product, ineligible: Mapping[int, Problem]) -> None:
    if product.id in ineligible:
        raise ineligible[product.id]
    if case.status == CaseStatus.RETURNED and case.district_code != product.district_code:
        raise OriginMoved


def _refuse_incomplete(case: CertificationCase, missing: Sequence[Fault], *, has_papers: bool) -> None:
    if case.kind in (CaseKind.CHANGE, CaseKind.PRICE):  # there is no checklist for it, its reviewers ask for what they miss
        changing.refuse_nothing(case, has_papers=has_papers)
    if missing:
        raise ItemsMissing(count=len(missing), faults=missing)


def _set_out(session: Session, case: CertificationCase, product: Product, config: ProgrammeConfig) -> None:
    """Put a case at the beginning of its way, from where the product comes now."""
    if case.district_code != product.district_code:
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
    config, ineligible = _ineligible(session, product.supplier_id, [product])
    if ineligible:
        raise ineligible[product.id]
    return config


def _ineligible(
    session: Session, supplier_id: int | None, products: Sequence[Product]
) -> tuple[ProgrammeConfig, dict[int, Problem]]:
    """The programme in force, and what stands against certifying each of these products of one supplier: product -> refusal."""
    today = clock.today()
    config = programmes.config_of(session, today)
    if not products or supplier_id is None:
        return config, {}
    try:
        organisations.require_approved(session, supplier_id)
        refuse_barred(session, supplier_id)
    except Problem as problem:
        return config, dict.fromkeys((product.id for product in products), problem)
    rows = session.execute(_REVOKED, {"product_ids": [product.id for product in products]})
    revoked = {row.id: row.revoked_at for row in rows}
    designation = config.certification.eligible_designation
    districts = {product.district_code for product in products}
    designated = {code for code in districts if regions.is_designated(session, code, designation, today)}
    named = regions.both_names(session, districts - designated)
    found: dict[int, Problem] = {}
    for product in products:
        if product.status != ListingStatus.ACTIVE:
            found[product.id] = ProductWithdrawn()
        elif (again := _banned_until(revoked.get(product.id), config)) and today < again:
            found[product.id] = ReapplicationBanned(until=again.isoformat())
        elif product.district_code in named:
            found[product.id] = DistrictNotEligible(district=product.district_code, **named[product.district_code])
    return config, found


def _banned_until(revoked_at: datetime | None, config: ProgrammeConfig) -> date | None:
    months = config.certification.reapplication_ban_months
    return months_after(clock.shanghai_date(revoked_at), months) if revoked_at and months else None


def _refuse_certified(until: date | None, config: ProgrammeConfig) -> None:
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
    require_editable(actor, case)
    return case


def require_editable(actor: Actor, case: CertificationCase) -> None:
    """Raises as :func:`edit` when a case is not the actor's to change now."""
    if case.supplier_id != actor.organisation_id:
        raise Forbidden
    if case.status not in EDITABLE:
        raise CaseNotEditable
