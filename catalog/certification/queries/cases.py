"""Reads of cases, each within the reach of who asks."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates import queries as certificates
from catalog.certificates import rules as certificate_rules
from catalog.certificates.reach import IN_REGION, OWN, counts, reach, reads_counts
from catalog.certificates.rules import Paper
from catalog.certification import rules, steps
from catalog.certification.queries import bars
from catalog.certification.schemas.applying import DocumentOut, MissingItem
from catalog.certification.schemas.cases import CaseOut, OpinionOut, PackOut, StepOut, WayOut
from catalog.certification.states import (
    EDITABLE,
    SUPPLIER_MOVES,
    CaseKind,
    CaseMove,
    CaseStatus,
    Level,
    course,
)
from catalog.products.rules import above_ceiling, per_kg
from shop.core import clock, workdays
from shop.core.errors import Fault, Language, NotFound
from shop.core.money import yuan_from_fen
from shop.core.states import StateTable
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

#: The supplier's own branch sees everything of its own; the officers of the place do not see drafts.
REACH = f"({OWN} OR (c.status <> 'draft' AND {IN_REGION}))"

CASE = """
    SELECT c.*, c.notice_until - 1 AS notice_last_day, p.name AS product_name, p.kind AS product_kind, p.category, p.status AS product_status, p.village, p.specification,
           p.producer, p.grade, o.name AS supplier_name, o.uscc AS supplier_uscc, o.path AS supplier_path, r.name_zh AS district_name,
           r.name_en AS district_name_en, u.name AS claimed_by_name
    FROM certification_case c
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
    LEFT JOIN app_user u ON u.id = c.claimed_by
"""
_ONE_CASE = text(f"{CASE} WHERE c.id = :id AND {REACH}")
_SOME_CASES = text(f"{CASE} WHERE c.id = ANY (:ids) AND {REACH}")
_STATUSES = text(
    f"SELECT c.id, c.status FROM certification_case c JOIN organisation o ON o.id = c.supplier_id WHERE c.id = ANY (:ids) AND {REACH}"
)
_VERSIONS = text("SELECT id, version FROM certification_case WHERE id = ANY (:ids)")
_STEPS = text("SELECT * FROM certification_step WHERE case_id = :id ORDER BY id")
#: A move is an act at its level, and so is an opinion at that of its step.
_ACTED = text(
    """
    SELECT case_id, level FROM certification_step WHERE case_id = ANY (:ids) AND actor_id = :actor_id
    UNION
    SELECT o.case_id, s.level FROM certification_opinion o JOIN certification_case c ON c.id = o.case_id
    CROSS JOIN LATERAL jsonb_to_recordset(c.steps) AS s (step text, level text)
    WHERE o.case_id = ANY (:ids) AND o.author_id = :actor_id AND s.step = o.step
    """
)
_REJECTED = text(
    "SELECT DISTINCT case_id FROM certification_step WHERE case_id = ANY (:ids) AND actor_id = :actor_id AND action = 'reject'"
)
_OPINIONS = text(
    "SELECT o.*, u.name AS author FROM certification_opinion o LEFT JOIN app_user u ON u.id = o.author_id"
    " WHERE o.case_id = :id ORDER BY o.id"
)
_LATEST_OPINIONS = text(
    "SELECT DISTINCT ON (case_id, step, department) * FROM certification_opinion"
    " WHERE case_id = ANY (:ids) AND step = ANY (:steps) AND (CAST(:but_of AS bigint) IS NULL OR author_id IS DISTINCT FROM :but_of)"
    " ORDER BY case_id, step, department, id DESC"
)
_SUPPLIER_PATH = text("SELECT path FROM organisation WHERE id = :id")
DOCUMENTS = text(
    "SELECT d.*, f.name, f.content_type, f.size, f.sha256, f.uploaded_at"
    " FROM certification_document d JOIN stored_file f ON f.id = d.file_id WHERE d.case_id = ANY (:ids) ORDER BY d.id"
)
_PRICED_SKUS = text(
    "SELECT s.product_id, count(*) AS skus FROM sku s WHERE s.product_id = ANY (:ids) AND s.status = 'active'"
    " AND EXISTS (SELECT FROM price_tier t WHERE t.sku_id = s.id) GROUP BY s.product_id"
)
_PACKS = text(
    "SELECT s.product_id, s.id AS sku_id, s.code, s.pack, s.net_grams, max(t.unit_price_fen) AS highest_price FROM sku s"
    " JOIN price_tier t ON t.sku_id = s.id WHERE s.product_id = ANY (:ids) AND s.status = 'active' GROUP BY s.id ORDER BY s.id"
)
_DOCUMENT = text(
    f"""SELECT d.kind, f.name, f.content_type, f.storage_key
    FROM certification_document d
    JOIN stored_file f ON f.id = d.file_id
    JOIN certification_case c ON c.id = d.case_id
    JOIN organisation o ON o.id = c.supplier_id
    WHERE d.id = :id AND {REACH} AND (d.side = 'supplier' OR {IN_REGION})"""
)
_OBJECTIONS = text(
    "SELECT count(*) FILTER (WHERE status IN ('received', 'investigating')) AS open, count(*) FILTER (WHERE status = 'upheld') AS upheld"
    " FROM objection WHERE case_id = :id AND notice_from IS NOT DISTINCT FROM :notice_from"
)


def case_row(session: Session, actor: Actor, case_id: int) -> Row[Any]:
    """One case as it stands.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE_CASE, {"id": case_id, **reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def case_rows(session: Session, actor: Actor, case_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Those of these cases that are within the caller's reach, as they stand."""
    return {row.id: row for row in session.execute(_SOME_CASES, {"ids": list(case_ids), **reach(actor)})}


def versions(session: Session, case_ids: Sequence[int]) -> dict[int, int]:
    """The present version of each of these cases; whether somebody may see them is for others to ask."""
    return {row.id: row.version for row in session.execute(_VERSIONS, {"ids": list(case_ids)})}


_APPLICATION = [
    "statement",
    "specification",
    "village",
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
    "category",
]


def missing_items(session: Session, cases: Sequence[Row[Any]]) -> dict[int, list[Fault]]:
    """Everything that keeps each of these cases from being handed in; of a change its reviewers ask for what they miss."""
    asked = [case for case in cases if case.kind in (CaseKind.INITIAL, CaseKind.RENEWAL)]
    found: dict[int, list[Fault]] = {case.id: [] for case in cases}
    if not asked:
        return found
    today = clock.today()
    config = programmes.config_of(session, today).certification
    papers = supplier_papers(session, [case.id for case in asked])
    priced = session.execute(_PRICED_SKUS, {"ids": [case.product_id for case in asked]})
    skus = {row.product_id: row.skus for row in priced}
    for case in asked:
        application = _application(case, papers.get(case.id, []), skus.get(case.product_id, 0))
        found[case.id] = rules.missing_items(application, config, today)
    return found


def _application(case: Row[Any], papers: Sequence[rules.Brought], priced_skus: int) -> rules.Application:
    """What an application holds, for the checklist."""
    stated = {field: getattr(case, field) for field in _APPLICATION}
    return rules.Application(**stated, kind=case.product_kind, priced_skus=priced_skus, papers=papers)


def supplier_papers(session: Session, case_ids: Sequence[int]) -> dict[int, list[rules.Brought]]:
    """The papers that suppliers brought to these cases: case -> papers."""
    found: dict[int, list[rules.Brought]] = {}
    for row in session.execute(DOCUMENTS, {"ids": list(case_ids)}):
        if row.side == "supplier":
            paper = rules.Brought(Paper(row.kind, row.number, row.valid_until, row.id), row.issued_on)
            found.setdefault(row.case_id, []).append(paper)
    return found


def course_of(case: Any) -> StateTable[CaseStatus, CaseMove]:
    """The state table of one case."""
    return course(steps.codes(case.steps), case.sent_back_from, appealed=case.appealed)


def level_of(case: Any, move: CaseMove) -> Level:
    """Who makes a move of a case in its present state; appeals go to the city."""
    if move in SUPPLIER_MOVES:
        return Level.SUPPLIER
    step = steps.step_of(case.steps, case.status)
    return Level(step["level"]) if step else Level.CITY


def acted_levels(session: Session, case_ids: Sequence[int], actor_id: int | None) -> dict[int, set[Level]]:
    """The levels at which a person acted on each of these cases, moving it or giving an opinion: case -> levels."""
    found: dict[int, set[Level]] = {case_id: set() for case_id in case_ids}
    for row in session.execute(_ACTED, {"ids": list(case_ids), "actor_id": actor_id}):
        found[row.case_id].add(Level(row.level))
    return found


def rejected(session: Session, case_ids: Sequence[int], actor_id: int | None) -> set[int]:
    """Which of these cases a person rejected: then somebody else hears the appeal."""
    return set(session.execute(_REJECTED, {"ids": list(case_ids), "actor_id": actor_id}).scalars())


def is_before(actor: Actor, case: Any, level: Level) -> bool:
    """Whether deciding at a level is this actor's office, and the case comes from its region."""
    place = case.township_code if level is Level.TOWNSHIP else case.district_code
    return actor.may(level.permission) and bool(place) and actor.covers_region(level.permission, place)


def is_heard(actor: Actor, case: Any, level: Level) -> bool:
    """Whether an actor speaks for a department of the level: of the county itself, not of the city above it."""
    place = {Level.TOWNSHIP: case.township_code, Level.COUNTY: case.district_code, Level.CITY: ""}.get(level)
    return place in actor.regions(Permission.CERTIFICATIONS_OPINE)


def may_act(actor: Actor, case: Any, supplier_path: str, level: Level, acted: set[Level]) -> bool:
    """Whether a person may act on a case at a level, given the levels at which this person acted already."""
    if level is Level.SUPPLIER:
        return case.supplier_id == actor.organisation_id and actor.may(level.permission)
    return not actor.is_related(supplier_path) and is_before(actor, case, level) and acted <= {level}


def is_own(session: Session, actor: Actor, case: Any) -> bool:
    """Whether a case is that of the actor's organisation, a unit below it or one above it."""
    return actor.is_related(session.execute(_SUPPLIER_PATH, {"id": case.supplier_id}).scalar_one())


def latest_opinions(session: Session, cases: Sequence[Any], *, but_of: int | None = None) -> dict[int, dict[str, Row[Any]]]:
    """What each department thinks that spoke at the present step of each of these cases, its latest opinion: case -> department -> opinion.
    Those that one person gave may be left out."""
    steps_now = {case.id: case.status for case in cases}
    values = {"ids": list(steps_now), "steps": sorted(set(steps_now.values())), "but_of": but_of}
    found: dict[int, dict[str, Row[Any]]] = {case_id: {} for case_id in steps_now}
    for row in session.execute(_LATEST_OPINIONS, values):
        if row.step == steps_now[row.case_id]:
            found[row.case_id][row.department] = row
    return found


def case(session: Session, actor: Actor, case_id: int, language: Language) -> CaseOut:
    """One case with its way, its record, what is missing and what the caller may do now. Raises as :func:`case_row`."""
    row = case_row(session, actor, case_id)
    officer = not actor.within_branch(row.supplier_path)
    today = clock.today()
    config = programmes.config_of(session, today)
    objections = session.execute(_OBJECTIONS, {"id": case_id, "notice_from": row.notice_from}).one()
    documents = session.execute(DOCUMENTS, {"ids": [case_id]}).all()
    exact = reads_counts(actor, row)
    blocked = _blocked(row, objections, today) or bars.bar(session, row.supplier_id) is not None
    missing = missing_items(session, [row])[row.id] if row.status in EDITABLE else []
    record = session.execute(_STEPS, {"id": case_id}).all()
    acted = acted_levels(session, [case_id], actor.user_id)[case_id]
    rejecter = any(step.action == CaseMove.REJECT and step.actor_id == actor.user_id for step in record)
    calendar = workdays.calendar(session, today, abs((row.due_on - today).days) + 1 if row.due_on else 0)
    shown = {name: getattr(row, name) for name in CaseOut.model_fields if hasattr(row, name)}
    on_sale = packs(session, [row], config)[row.id]
    return CaseOut(
        **shown
        | counts(row, exact=exact)
        | {"proposed": _proposed(row, on_sale), "steps": [StepOut.model_validate(step, from_attributes=True) for step in record]},
        comparable_price=row.comparable_price_fen,
        overdue=is_overdue(row, today),
        working_days_left=calendar.between(today, row.due_on) if row.due_on else None,
        due_on_provisional=row.due_on is not None and not calendar.is_known(row.due_on),
        way=[_way(step, row, config.term("certification_status", step["step"], language), language) for step in row.steps],
        packs=on_sale,
        opinions=[OpinionOut.model_validate(each, from_attributes=True) for each in session.execute(_OPINIONS, {"id": case_id})]
        if officer
        else [],
        documents=[document_out(each, language) for each in documents if each.side == "supplier" or officer],
        missing_items=[
            MissingItem.model_validate(item.told(language))
            for item in missing
            if exact or item.code not in rules.TELLING_OF_HOUSEHOLDS
        ],
        objections_open=objections.open,
        objections_upheld=objections.upheld,
        possible_actions=_possible(actor, row, acted, blocked=blocked, rejecter=rejecter),
        certificate=certificates.of_case(session, actor, case_id),
    )


def highest_prices(session: Session, product_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """What each pack on sale of these products costs at most: product -> SKU -> fen."""
    found: dict[int, dict[str, int]] = {product_id: {} for product_id in product_ids}
    for pack in session.execute(_PACKS, {"ids": list(product_ids)}):
        found[pack.product_id][str(pack.sku_id)] = pack.highest_price
    return found


def packs(session: Session, cases: Sequence[Row[Any]], config: ProgrammeConfig) -> dict[int, list[PackOut]]:
    """The packs on sale of the product of each case, beside its comparable price: case -> packs."""
    found = session.execute(_PACKS, {"ids": [case.product_id for case in cases]}).all()
    return {case.id: [_pack(case, pack, config) for pack in found if pack.product_id == case.product_id] for case in cases}


def _pack(case: Row[Any], pack: Row[Any], config: ProgrammeConfig) -> PackOut:
    comparable = case.comparable_price_fen
    ceiling = None if comparable is None else certificate_rules.ceiling(comparable, config.certification.price_tolerance_percent)
    return PackOut(
        **pack._mapping,
        price_per_kg=per_kg(pack.highest_price, pack.net_grams),
        above_comparable=above_ceiling(pack.highest_price, pack.net_grams, ceiling, case.comparable_pack_grams),
    )


def _proposed(row: Row[Any], on_sale: Sequence[PackOut]) -> dict[str, Any] | None:
    """What a change is to bring about; prices in yuan, as everywhere outside, the highest one for a kilogram, too."""
    if row.kind != CaseKind.PRICE:
        return row.proposed  # type: ignore[no-any-return]
    tiers = [[least, yuan_from_fen(fen)] for least, fen in row.proposed["tiers"]]
    grams = next((pack.net_grams for pack in on_sale if pack.sku_id == row.proposed["sku_id"]), None)
    for_a_kg = per_kg(max(fen for _, fen in row.proposed["tiers"]), grams)
    return {**row.proposed, "tiers": tiers, "price_per_kg": None if for_a_kg is None else yuan_from_fen(for_a_kg)}


def is_overdue(row: Any, today: date) -> bool:
    """Its day is over: that of the office which has it, of the supplier who is to correct it, or of the city for an appeal. After the last day
    for an appeal nothing is to come any more."""
    awaited = row.status in (CaseStatus.RETURNED, CaseStatus.APPEALED) or steps.step_of(row.steps, row.status) is not None
    return row.due_on is not None and today > row.due_on and awaited


#: The days of a notice's step are not those of the notice.
_AFTER_NOTICE: dict[Language, str] = {"zh": "（期满后作出决定的期限）", "en": " (days for the decision after it)"}


def _way(step: Any, row: Any, label: str, language: Language) -> WayOut:
    if step["step"] == CaseStatus.PUBLIC_NOTICE:
        label += _AFTER_NOTICE[language]
    return WayOut(
        step=step["step"], level=step["level"], label=label, working_days=step["working_days"], current=step["step"] == row.status
    )


def _blocked(row: Any, objections: Any, today: date) -> bool:
    """Whether the notice still stands against passing the case."""
    running = row.notice_until is not None and today < row.notice_until
    return bool(row.status == CaseStatus.PUBLIC_NOTICE and (running or objections.open or objections.upheld))


def _possible(actor: Actor, row: Row[Any], acted: set[Level], *, blocked: bool, rejecter: bool) -> list[CaseMove]:
    return [
        move
        for move in course_of(row).possible(row.status)
        if move is not CaseMove.PUBLISH  # that is done with a whole batch
        and may_act(actor, row, row.supplier_path, level_of(row, move), acted)
        and not (blocked and move is CaseMove.APPROVE)
        and not (rejecter and move in (CaseMove.GRANT_APPEAL, CaseMove.DISMISS_APPEAL))
    ]


def document_out(row: Row[Any], language: Language) -> DocumentOut:
    zh, en = rules.document_name(row.kind)
    fields = {name: getattr(row, name) for name in DocumentOut.model_fields if name != "label"}
    return DocumentOut(**fields, label=zh if language == "zh" else en)


def document(session: Session, actor: Actor, document_id: int) -> Row[Any]:
    """Where the content of a paper lies, for those who may see its case; what officers attached is for officers, and what shows households
    is for those who may read of them.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_DOCUMENT, {"id": document_id, **reach(actor)}).first()
    if row is None or (row.kind == rules.DocumentKind.HOUSEHOLD_EVIDENCE and not actor.may(Permission.HOUSEHOLDS_READ)):
        raise NotFound
    return row


def statuses(session: Session, actor: Actor, case_ids: Sequence[int]) -> dict[int, CaseStatus]:
    """The present state of those of these cases that are within reach."""
    rows = session.execute(_STATUSES, {"ids": list(case_ids), **reach(actor)})
    return {row.id: CaseStatus(row.status) for row in rows}
