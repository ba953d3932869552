"""Random checks are drawn so that anybody can repeat the draw; inspections are recorded; prices are compared."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.certificates import queries as certificates
from catalog.certificates.actions import measures
from catalog.certificates.errors import OwnCase, SuspensionStands
from catalog.certificates.states import CertificateState
from catalog.supervision import rules
from catalog.supervision.errors import (
    CertificateNotLive,
    DistrictNeeded,
    NothingToDraw,
    NotOfCertificate,
    NotSupervised,
    TooManyCheckFiles,
)
from catalog.supervision.models import CheckPlan, Inspection, InspectionFile, PriceCheck, PriceCheckFile
from catalog.supervision.queries import checking as queries
from catalog.supervision.queries import risk
from catalog.supervision.rules import REASONS, CheckKind
from catalog.supervision.schemas.checking import InspectionIn, Measure, PlanIn, PlanRow, PriceCheckIn, ResultIn, VerifiedOut
from shop.core import audit, clock, numbers, outbox, uploads, workdays
from shop.core.errors import Forbidden, IfMatch, Invalid, NotFound, any_version
from shop.core.models import StoredFile
from shop.core.states import IllegalMove
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

MOST_FILES = 30

#: In force at ``:at``, a moment of the date ``:on``, by the certificate's dates and what is on record of measures since. What ended in the
#: meantime counts as it was then.
_IN_FORCE_THEN = """
    c.issued_at <= :at AND c.valid_from <= :on AND c.valid_until >= :on AND (c.revoked_at IS NULL OR c.revoked_at > :at)
    AND (c.papers_valid_until IS NULL OR c.papers_valid_until >= :on)
    AND NOT EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (kind IN ('held', 'released')) e.kind, e.until FROM certificate_event e
            WHERE e.certificate_id = c.id AND e.at <= :at AND e.kind IN ('suspended', 'suspension_changed', 'reinstated', 'held', 'released')
            ORDER BY kind IN ('held', 'released'), e.id DESC) latest
        WHERE latest.kind IN ('suspended', 'suspension_changed', 'held') AND (latest.until IS NULL OR latest.until > :at))
"""
_POPULATION = f"""
    SELECT c.id, c.number FROM certificate c JOIN product p ON p.id = c.product_id
    WHERE (CAST(:district AS text) IS NULL OR c.district_code = :district) AND (CAST(:category AS text) IS NULL OR p.category = :category)
      AND {_IN_FORCE_THEN} {{risky}} ORDER BY c.id
"""
_ANY_RISK = text(_POPULATION.format(risky=""))
_AT_RISK = text(
    f"WITH {risk.RISK.format(where='true')} "
    + _POPULATION.format(risky="AND c.id IN (SELECT certificate_id FROM scored WHERE score >= :least_risk)")
)
_OPEN_INSPECTIONS = text(
    "INSERT INTO inspection (plan_id, certificate_id, kind, status, due_on, opened_by, opened_at)"
    " SELECT :plan_id, c.id, :kind, 'open', :due_on, :by, :now FROM certificate c WHERE c.number = ANY (:numbers) ORDER BY c.id"
)
_DRAWN = text("SELECT c.number FROM inspection i JOIN certificate c ON c.id = i.certificate_id WHERE i.plan_id = :id ORDER BY c.id")
_FILES = text("SELECT count(*) FROM inspection_file WHERE inspection_id = :id")
_OWN_PRICE = text(
    "SELECT s.product_id, s.net_grams, (SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = s.id ORDER BY t.min_quantity LIMIT 1) AS fen"
    " FROM sku s WHERE s.id = :id"
)


def draw(session: Session, actor: Actor, body: PlanIn) -> int:
    """Draw certificates to be checked from all that are in force and match, and open an inspection of each; returns the plan's id.

    Raises:
        NotSupervised: the actor does not supervise there (403). DistrictNeeded: the actor supervises more or less than one county (422). NothingToDraw: fewer match than are to be drawn (409).
    """
    district = body.district or _own_county(actor)
    if not actor.covers_region(Permission.SUPERVISION_RECORD, district or CITY):
        raise NotSupervised
    now = clock.now()
    today = clock.shanghai_date(now)
    population = _population(session, actor, district, body.category, body.least_risk, now)
    if len(population) < body.size:
        raise NothingToDraw(population=len(population))
    seed = secrets.token_hex(16)
    days = programmes.config_of(session, today).certification.inspection_working_days
    plan = CheckPlan(
        number=f"JC-{today.year}-{numbers.next_number(session, f'check_plan:{today.year}'):04}",
        title=body.title,
        district_code=district,
        category=body.category,
        least_risk=body.least_risk,
        kind=body.kind.value,
        size=body.size,
        seed=seed,
        population=len(population),
        population_sha256=rules.population_digest(population),
        due_on=workdays.calendar(session, today).add(today, days),
        drawn_by=actor.user_id,
        drawn_at=now,
    )
    session.add(plan)
    session.flush()
    values = {"plan_id": plan.id, "kind": plan.kind, "due_on": plan.due_on, "by": actor.user_id, "now": now}
    session.execute(_OPEN_INSPECTIONS, {**values, "numbers": rules.drawn(population, seed, body.size)})
    audit.record(session, actor, "check_plan.drawn", "check_plan", plan.id, seed=seed, population=len(population), size=body.size)
    return plan.id


def _own_county(actor: Actor) -> str | None:
    """Where somebody draws who names no district: an officer of one county there, the city everywhere (None)."""
    own = actor.own_regions(Permission.SUPERVISION_RECORD)
    if "" in own:
        return None
    if len(own) != 1 or len(own[0]) != len(CITY):
        raise DistrictNeeded.at("district")
    return own[0]


def verify(session: Session, actor: Actor, plan: PlanRow) -> VerifiedOut:
    """Draw again from the seed, among what was in force at that moment. A plan by risk cannot be told from today's risks: of those only the draw
    among the certificates on record is repeated."""
    population = _population(session, actor, plan.district_code, plan.category, 0, plan.drawn_at)
    then = list(session.execute(_DRAWN, {"id": plan.id}).scalars())
    again = rules.drawn(population, plan.seed, plan.size) if not plan.least_risk else rules.drawn(then, plan.seed, plan.size)
    digest = rules.population_digest(population)
    unchanged = bool(plan.least_risk) or (len(population), digest) == (plan.population, plan.population_sha256)
    return VerifiedOut(
        same=unchanged and set(again) == set(then),
        population=len(population),
        population_sha256=digest,
        drawn=sorted(again),
        missing=sorted(set(then) - set(again)),
        added=sorted(set(again) - set(then)),
    )


def _population(
    session: Session, actor: Actor, district: str | None, category: str | None, least_risk: int, at: datetime
) -> list[str]:
    values = {"district": district, "category": category, "at": at, "on": clock.shanghai_date(at)}
    if not least_risk:
        return [row.number for row in session.execute(_ANY_RISK, values)]
    rows = session.execute(_AT_RISK, {**values, **risk.values(session, actor, at), "least_risk": least_risk})
    return [row.number for row in rows]


def open_inspection(session: Session, actor: Actor, body: InspectionIn) -> int:
    """Order the check of one certificate; its supplier is not told before. Returns the inspection's id.

    Raises:
        NotFound (404), OwnCase, NotSupervised (403): as every measure. CertificateNotLive: there is nothing to check (409).
        Invalid: the day has passed (422).
    """
    certificate = _supervised(session, actor, body.certificate_id)
    today = clock.today()
    days = programmes.config_of(session, today).certification.inspection_working_days
    due_on = body.due_on or workdays.calendar(session, today).add(today, days)
    if due_on < today:
        raise Invalid.one("due_on", "in_the_past", "期限不能早于今天", "the day has passed")
    inspection = Inspection(
        certificate_id=certificate.id, kind=body.kind.value, due_on=due_on, opened_by=actor.user_id, opened_at=clock.now()
    )
    session.add(inspection)
    session.flush()
    audit.record(session, actor, "inspection.opened", "inspection", inspection.id, certificate_id=certificate.id)
    return inspection.id


def record_result(session: Session, actor: Actor, inspection_id: int, body: ResultIn, if_match: IfMatch = any_version) -> None:
    """Record what a check found, and take a measure where it failed. Of two who record at once the second finds it done.

    Raises:
        NotFound (404), OwnCase, NotSupervised (403): as every measure; Forbidden: the actor may not take this measure (403).
        IllegalMove: it was done or cancelled (409). Invalid: the day, or a measure after a check that was passed (422).
    """
    inspection = _begin(session, actor, inspection_id, "result", if_match)
    if not clock.shanghai_date(inspection.opened_at) <= body.done_on <= clock.today():
        raise Invalid.one(
            "done_on", "out_of_range", "检查日期不早于立项之日，且不晚于今天", "between the day on which it was opened and today"
        )
    if body.passed and body.measure is not Measure.NONE:
        raise Invalid.one("measure", "measure_without_fault", "检查合格时不能采取措施", "a check that was passed has no measure")
    inspection.status = "passed" if body.passed else "failed"
    inspection.findings, inspection.measured = body.findings, body.measured
    inspection.done_on, inspection.done_by = body.done_on, actor.user_id
    _keep(session, inspection)
    audit.record(session, actor, f"inspection.{inspection.status}", "inspection", inspection.id)
    outbox.publish(session, "inspection.done", inspection_id=inspection.id, status=inspection.status)
    if body.measure is Measure.NONE:
        return
    if not actor.may(Permission.CERTIFICATES_SUSPEND):
        raise Forbidden(permission=Permission.CERTIFICATES_SUSPEND)
    act = measures.warn if body.measure is Measure.WARN else measures.suspend
    with suppress(SuspensionStands):  # said for the same reason before, it holds
        act(session, actor, inspection.certificate_id, REASONS[CheckKind(inspection.kind)], body.reason or body.findings[:500])


def cancel(session: Session, actor: Actor, inspection_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Give up a check that was not done. Raises as :func:`record_result`."""
    inspection = _begin(session, actor, inspection_id, "cancel", if_match)
    inspection.status, inspection.findings = "cancelled", reason
    _keep(session, inspection)
    audit.record(session, actor, "inspection.cancelled", "inspection", inspection.id, reason=reason)


def add_file(session: Session, actor: Actor, inspection_id: int, name: str | None, content: bytes) -> StoredFile:
    """Add a file to a check, such as the laboratory's report, which often comes later.

    Raises:
        NotFound (404), OwnCase, NotSupervised (403): as every measure. TooManyCheckFiles (409), TooLarge (413), UnreadableFile (422).
    """
    row = _of_others(session, actor, inspection_id)
    if session.execute(_FILES, {"id": row.id}).scalar_one() >= MOST_FILES:
        raise TooManyCheckFiles(most=MOST_FILES)
    file = uploads.keep(session, actor.user_id, name, content)
    session.add(InspectionFile(inspection_id=row.id, file_id=file.id))
    session.flush()
    audit.record(session, actor, "inspection.file_added", "inspection", row.id, sha256=file.sha256)
    return file


def add_price_file(session: Session, actor: Actor, price_check_id: int, name: str | None, content: bytes) -> StoredFile:
    """Add what shows the price that was found elsewhere, such as a photo of its label or a receipt.

    Raises:
        NotFound (404), OwnCase, NotSupervised (403): as every measure. TooManyCheckFiles (409), TooLarge (413), UnreadableFile (422).
    """
    check = queries.price_check(session, actor, price_check_id)
    _refuse_own(actor, certificates.certificate_row(session, actor, check.certificate_id))
    if len(check.files) >= MOST_FILES:
        raise TooManyCheckFiles(most=MOST_FILES)
    file = uploads.keep(session, actor.user_id, name, content)
    session.add(PriceCheckFile(price_check_id=check.id, file_id=file.id))
    session.flush()
    audit.record(session, actor, "price_check.file_added", "price_check", check.id, sha256=file.sha256)
    return file


def compare_price(session: Session, actor: Actor, body: PriceCheckIn) -> int:
    """Put a price that was found elsewhere beside the product's own on that day; returns the check's id.

    Raises:
        NotFound (404), OwnCase, NotSupervised (403): as every measure. CertificateNotLive (409).
        NotOfCertificate, Invalid: the pack, its weight, or the day (422).
    """
    certificate = _supervised(session, actor, body.certificate_id)
    own = session.execute(_OWN_PRICE, {"id": body.sku_id}).first()
    if own is None or own.product_id != certificate.product_id or own.fen is None:
        raise NotOfCertificate.at("sku_id")
    if (own.net_grams is None) != (body.found_grams is None):
        told = "商品须填写净重，服务不填", "goods are compared by weight, services are not"
        raise Invalid.one("found_grams", "weight_does_not_fit", *told)
    if body.found_on > clock.today():
        raise Invalid.one("found_on", "in_the_future", "日期不能在将来", "the day lies in the future")
    above_bp = rules.above_bp(own.fen, own.net_grams, body.found_price, body.found_grams)
    if above_bp > rules.MOST_ABOVE_BP:
        told = (
            "与本产品价格相差过大，请核对价格与净重",
            "it lies too far from the product's own price; look at the price and the weight again",
        )
        raise Invalid.one("found_price", "out_of_range", *told)
    check = PriceCheck(
        certificate_id=certificate.id,
        sku_id=body.sku_id,
        found_fen=body.found_price,
        found_grams=body.found_grams,
        own_fen=own.fen,
        own_grams=own.net_grams,
        above_bp=above_bp,
        source=body.source,
        found_on=body.found_on,
        recorded_by=actor.user_id,
        recorded_at=clock.now(),
    )
    session.add(check)
    session.flush()
    audit.record(session, actor, "price_check.recorded", "price_check", check.id, above_bp=check.above_bp)
    tolerated = programmes.config_of(session, clock.today()).certification.price_tolerance_percent * 100
    if check.above_bp > tolerated:
        outbox.publish(session, "price_check.above", price_check_id=check.id)
    return check.id


def _supervised(session: Session, actor: Actor, certificate_id: int) -> Any:
    """A certificate that holds or may hold again, for who supervises it."""
    row = certificates.certificate_row(session, actor, certificate_id)
    _refuse_own(actor, row)
    if certificates.state_of(row) in (CertificateState.REVOKED, CertificateState.EXPIRED):
        raise CertificateNotLive
    return row


def _refuse_own(actor: Actor, row: Any) -> None:
    if actor.is_related(row.supplier_path):
        raise OwnCase
    if not actor.covers_region(Permission.SUPERVISION_RECORD, row.district_code):
        raise NotSupervised


def _of_others(session: Session, actor: Actor, inspection_id: int) -> Any:
    row = queries.inspection_row(session, actor, inspection_id)
    _refuse_own(actor, row)
    return row


def _begin(session: Session, actor: Actor, inspection_id: int, action: str, if_match: IfMatch = any_version) -> Inspection:
    _of_others(session, actor, inspection_id)
    statement = select(Inspection).where(col(Inspection.id) == inspection_id).with_for_update()
    found: Sequence[Inspection] = session.exec(statement.execution_options(populate_existing=True)).all()
    if not found:
        raise NotFound
    if_match(found[0].version)
    if found[0].status != "open":
        raise IllegalMove(state=found[0].status, action=action, allowed=[])
    return found[0]


def _keep(session: Session, inspection: Inspection) -> None:
    inspection.version += 1
    session.add(inspection)
    session.flush()
