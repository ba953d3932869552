"""Registering outlets, one by one or by a file; editing, verifying, refusing and closing them."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.outlets import queries, sheets
from orders.outlets.errors import ClosedBeforeOpened, NoOperator, OwnOutlet, PlaceFixed, RowsRefused, SoldLater, UnknownPlace
from orders.outlets.rules import SERIES, outlet_number
from orders.outlets.schemas.outlets import CloseIn, ImportedOut, OutletIn, RefuseIn
from orders.outlets.sheets import OUTLET_COLUMNS, Read
from orders.outlets.states import OUTLET, OutletKind, OutletMove
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import Fault, IfMatch, NotFound, Problem, any_version, refuse_some
from shop.core.sheets import by_row
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: Operators within reach: the caller's branch, or of an officer's region.
_OPERATORS = text(
    """
    SELECT o.id, o.uscc FROM organisation o
    WHERE (o.id = ANY (CAST(:ids AS bigint[])) OR o.uscc = ANY (CAST(:usccs AS text[]))) AND o.status = 'approved'
      AND (starts_with(o.path, CAST(:branch AS text))
           OR EXISTS (SELECT FROM unnest(CAST(:regions AS text[])) AS within (prefix) WHERE starts_with(o.region_code, within.prefix)))
      AND EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'outlet_operator'
                  AND r.valid_from <= :today AND (r.valid_to IS NULL OR :today < r.valid_to))
    """
)
_PLACES = text(
    """
    SELECT code FROM region WHERE code = ANY (CAST(:codes AS text[])) AND kind IN ('district', 'county', 'autonomous_county',
      'functional_zone', 'city', 'township') AND code <> '500000'
      AND (valid_from IS NULL OR valid_from <= :today) AND (valid_to IS NULL OR :today < valid_to)
    """
)
_KNOWN = text(
    """
    SELECT given.operator_id, given.external_number FROM outlet o
    JOIN unnest(CAST(:operators AS bigint[]), CAST(:numbers AS text[])) AS given (operator_id, external_number)
      ON given.operator_id = o.operator_id AND given.external_number = normalize(o.external_number, NFKC)
    """
)
_FIELDS = (
    "operator_id bigint, external_number text, kind text, online boolean, url text, name text, region_code text, township_code text,"
    " address text, venue text, latitude numeric, longitude numeric, opened_on date"
)
_NAMES = ", ".join(field.split()[0] for field in _FIELDS.split(", "))
_INSERT = text(
    f"""
    WITH made AS (
        INSERT INTO outlet (number, {_NAMES}, registered_by, registered_at, version)
        SELECT number, {_NAMES}, :user, :now, 1 FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (number text, {_FIELDS})
        RETURNING id, operator_id, region_code
    ), pulse AS (INSERT INTO outlet_pulse (outlet_id, seen_at) SELECT id, :now FROM made)
    SELECT min(id) AS first, operator_id, region_code, count(*) AS outlets FROM made GROUP BY operator_id, region_code ORDER BY 1
    """  # noqa: S608
)
_LOCK = text("SELECT version, status, operator_id, kind, online, region_code, verified_at FROM outlet WHERE id = :id FOR UPDATE")
# Asked with the outlet locked, as `_SOLD_LATER`. Sales that an officer counts before the outlet is verified stand in the ledger, and in the sums of the
# county, where and as what it was then.
_HAS_SOLD = text("SELECT EXISTS (SELECT FROM outlet_day WHERE outlet_id = :id)")
_EDIT = text(
    f"""
    UPDATE outlet SET ({_NAMES}) = (SELECT {_NAMES} FROM jsonb_to_record(CAST(:row AS jsonb)) AS given ({_FIELDS})),
        status = CAST(:status AS text), reason = CASE WHEN CAST(:status AS text) = status THEN reason END, version = version + 1
    WHERE id = :id
    """  # noqa: S608
)
_VERIFY = text(
    """
    UPDATE outlet SET status = 'verified', verified_by = :user, verified_at = :now, reason = NULL, version = version + 1
    WHERE id = ANY (CAST(:ids AS bigint[]))
    """
)
_REFUSE = text("UPDATE outlet SET status = 'refused', reason = :reason, version = version + 1 WHERE id = :id")
_CLOSE = text(
    "UPDATE outlet SET status = 'closed', closed_on = :on, close_reason = :reason, version = version + 1 WHERE id = :id AND opened_on <= :on"
)
# Asked with the outlet locked: a batch that is being told refers to it, and has ended by then.
_SOLD_LATER = text("SELECT max(day) FROM outlet_day WHERE outlet_id = :id AND day > :on AND lines > 0")
_TO_DECIDE = text(
    f"""
    SELECT o.id, o.status, o.version, op.path FROM outlet o JOIN organisation op ON op.id = o.operator_id
    WHERE o.id = ANY (CAST(:ids AS bigint[])) AND {queries.IN_REACH} ORDER BY o.id FOR UPDATE OF o
    """  # noqa: S608
)


def register(session: Session, actor: Actor, body: OutletIn) -> int:
    """Register one outlet; it counts once an officer of its county has verified it. Returns its id.

    Raises:
        NoOperator, UnknownPlace: see there (422). AlreadyRegistered: the operator's number is taken (409).
    """
    operator_id = body.operator_id or actor.organisation
    if operator_id not in {row.id for row in _operators(session, actor, ids=[operator_id])}:
        raise NoOperator
    _require_places(session, body)
    return _insert(session, actor, [(operator_id, body)])


def import_file(session: Session, actor: Actor, content: bytes, sheet: str | None, *, dry_run: bool) -> ImportedOut:
    """Register the outlets of a file: all of them or none.

    Raises:
        UnreadableSpreadsheet, TooManyRows, RowsRefused: see there (422); every fault by row and column.
    """
    rows, faults, ignored = sheets.read_outlets(content, sheet)
    usccs = {row.more["operator_uscc"].upper() for row in rows if "operator_uscc" in row.more}
    own = actor.organisation_id
    operators = _operators(session, actor, ids=[own] if own else [], usccs=sorted(usccs))
    by_uscc, own_id = {row.uscc: row.id for row in operators}, next((row.id for row in operators if row.id == own), None)
    whose = [by_uscc.get(row.more["operator_uscc"].upper()) if "operator_uscc" in row.more else own_id for row in rows]
    if faults := by_row([*faults, *_faults(session, rows, whose)]):
        raise RowsRefused(count=len(faults), faults=faults[: sheets.MOST_FAULTS])
    if not dry_run:
        _insert(session, actor, [(operator, row.body) for operator, row in zip(whose, rows, strict=True) if operator])
    return ImportedOut(rows=len(rows), dry_run=dry_run, ignored_columns=ignored)


def edit(session: Session, actor: Actor, outlet_id: int, body: OutletIn, if_match: IfMatch) -> None:
    """Say anew what an outlet is. One that was refused is before the county again.

    Raises:
        NotFound: not within reach (404). Changed (412). IllegalMove: it is closed (409). UnknownPlace (422).
        PlaceFixed: the operator stays, and kind and place once the outlet was verified or has sold (409).
    """
    now = _locked(session, actor, outlet_id, if_match)
    status = OUTLET.after(now.status, OutletMove.EDIT)
    operator_id = body.operator_id or now.operator_id
    stays = (now.kind, now.online, now.region_code) == (body.kind, body.online, body.region_code)
    if operator_id != now.operator_id or (not stays and (now.verified_at is not None or _has_sold(session, outlet_id))):
        raise PlaceFixed
    _require_places(session, body)
    session.execute(_EDIT, {"id": outlet_id, "status": status, "row": json.dumps(_row(operator_id, body))})
    audit.record(session, actor, "outlet.edited", "outlet", outlet_id)
    if status != now.status:
        _publish(session, outlet_id, operator_id, body.region_code, 1, now.version + 1)


def verify(session: Session, actor: Actor, outlet_ids: Sequence[int]) -> None:
    """The county has seen that the outlets are there: all of them or none.

    Raises:
        NotFound: it is not within reach (404). OwnOutlet: it is one of the officer's own organisation (403). IllegalMove (409).
        SomeRefused: of several, the same of each (422).
    """
    _decide(session, actor, outlet_ids, OutletMove.VERIFY)
    session.execute(_VERIFY, {"ids": list(outlet_ids), "user": actor.user_id, "now": clock.now()})
    audit.record_each(session, actor, "outlet.verified", "outlet", [(each, {}) for each in outlet_ids])
    outbox.publish_each(session, "outlet.verified", "outlet_id", outlet_ids)


def refuse(session: Session, actor: Actor, outlet_id: int, body: RefuseIn, if_match: IfMatch = any_version) -> None:
    """Raises as :func:`verify`."""
    _decide(session, actor, [outlet_id], OutletMove.REFUSE, if_match)
    session.execute(_REFUSE, {"id": outlet_id, "reason": body.reason})
    audit.record(session, actor, "outlet.refused", "outlet", outlet_id, reason=body.reason)
    outbox.publish(session, "outlet.refused", outlet_id=outlet_id)


def close(session: Session, actor: Actor, outlet_id: int, body: CloseIn, if_match: IfMatch) -> None:
    """Its last day. What it sold up to then still counts, however late it is told.

    Raises:
        NotFound (404), Changed (412), IllegalMove (409), ClosedBeforeOpened (422).
        SoldLater: sales of a later day were told, and count (409).
    """
    now = _locked(session, actor, outlet_id, if_match)
    OUTLET.after(now.status, OutletMove.CLOSE)
    closed = session.execute(_CLOSE, {"id": outlet_id, "on": body.closed_on, "reason": body.reason})
    if body.closed_on > clock.today() or not closed.rowcount:  # type: ignore[attr-defined]
        raise ClosedBeforeOpened
    if sold_on := session.execute(_SOLD_LATER, {"id": outlet_id, "on": body.closed_on}).scalar_one():
        raise SoldLater(day=sold_on.isoformat())
    audit.record(session, actor, "outlet.closed", "outlet", outlet_id, reason=body.reason, closed_on=str(body.closed_on))
    outbox.publish(session, "outlet.closed", outlet_id=outlet_id)


def _locked(session: Session, actor: Actor, outlet_id: int, if_match: IfMatch) -> Row[Any]:
    """What an outlet within reach is once nobody else changes it."""
    queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)
    now = session.execute(_LOCK, {"id": outlet_id}).one()
    if_match(now.version)
    return now


def _has_sold(session: Session, outlet_id: int) -> bool:
    return bool(session.execute(_HAS_SOLD, {"id": outlet_id}).scalar_one())


def _decide(session: Session, actor: Actor, outlet_ids: Sequence[int], move: OutletMove, if_match: IfMatch = any_version) -> None:
    values = {**queries.reach(actor, Permission.OUTLETS_VERIFY), "ids": list(outlet_ids)}
    found = {row.id: row for row in session.execute(_TO_DECIDE, values)}
    refused = {place: why for place, each in enumerate(outlet_ids) if (why := _refusal(actor, found.get(each), move))}
    refuse_some("outlet_ids", len(outlet_ids), refused)
    for outlet in found.values():
        if_match(outlet.version)


def _refusal(actor: Actor, outlet: Row[Any] | None, move: OutletMove) -> Problem | None:
    """Why nothing is decided about an outlet."""
    if outlet is None:
        return NotFound()
    if actor.is_related(outlet.path):
        return OwnOutlet()
    try:
        OUTLET.after(outlet.status, move)
    except IllegalMove as refused:
        return refused
    return None


def _operators(session: Session, actor: Actor, *, ids: Sequence[int] = (), usccs: Sequence[str] = ()) -> Sequence[Row[Any]]:
    values = {"ids": list(ids), "usccs": list(usccs), "today": clock.today(), **queries.reach(actor, Permission.OUTLETS_MANAGE)}
    return session.execute(_OPERATORS, values).all()


def _missing_places(session: Session, bodies: Sequence[OutletIn]) -> set[str]:
    asked = {code for body in bodies for code in (body.region_code, body.township_code) if code}
    return asked - set(session.execute(_PLACES, {"codes": sorted(asked), "today": clock.today()}).scalars())


def _require_places(session: Session, body: OutletIn) -> None:
    missing = _missing_places(session, [body])
    faults = [
        Fault(name, UnknownPlace.code, UnknownPlace.zh, UnknownPlace.en)
        for name in ("region_code", "township_code")
        if getattr(body, name) in missing
    ]
    if faults:
        raise UnknownPlace(faults=faults)


def _faults(session: Session, rows: Sequence[Read[OutletIn]], whose: Sequence[int | None]) -> list[Fault]:
    missing = _missing_places(session, [row.body for row in rows])
    keys = [(operator or 0, row.body.external_number) for operator, row in zip(whose, rows, strict=True)]
    values = {"operators": [key[0] for key in keys], "numbers": [key[1] for key in keys]}
    known, counts = {tuple(row) for row in session.execute(_KNOWN, values)}, Counter(keys)
    found = []
    for row, operator, key in zip(rows, whose, keys, strict=True):
        told: list[tuple[str, str, str, str]] = []
        if operator is None:
            told.append(("operator_uscc", NoOperator.code, NoOperator.zh, NoOperator.en))
        if row.body.region_code in missing:
            told.append(("region_code", UnknownPlace.code, "没有该区县", "there is no such district"))
        if row.body.township_code in missing:
            told.append(("township_code", UnknownPlace.code, "没有该乡镇", "there is no such township"))
        if key in known:
            told.append(("external_number", "outlet_already_registered", "编号已登记", "the number is registered"))
        if counts[key] > 1:
            told.append(("external_number", "number_twice", "编号在表中重复", "the number stands there twice"))
        found += row.faults(OUTLET_COLUMNS, told)
    return found


def _insert(session: Session, actor: Actor, given: Sequence[tuple[int, OutletIn]]) -> int:
    """Write outlets with their numbers; returns the id of the first."""
    series = Counter((body.kind, body.region_code) for _, body in given)
    # each series is locked until the end: always in one order
    drawn = {key: iter(numbers.next_numbers(session, f"outlet:{SERIES[key[0]]}-{key[1]}", series[key])) for key in sorted(series)}
    rows = [
        {
            "number": outlet_number(OutletKind(body.kind), body.region_code, next(drawn[body.kind, body.region_code])),
            **_row(operator_id, body),
        }
        for operator_id, body in given
    ]
    made = session.execute(_INSERT, {"rows": json.dumps(rows), "user": actor.user_id, "now": clock.now()}).all()
    for row in made:
        audit.record(
            session,
            actor,
            "outlet.registered",
            "outlet",
            row.first,
            count=row.outlets,
            operator_id=row.operator_id,
            region=row.region_code,
        )
        _publish(session, row.first, row.operator_id, row.region_code, row.outlets)
    return int(made[0].first)


def _publish(session: Session, outlet_id: int, operator_id: int, region_code: str, count: int, version: int = 1) -> None:
    outbox.publish(
        session,
        "outlets.registered",
        outlet_id=outlet_id,
        operator_id=operator_id,
        region_code=region_code,
        count=count,
        version=version,
    )


def _row(operator_id: int, body: OutletIn) -> dict[str, Any]:
    return {**body.model_dump(mode="json"), "operator_id": operator_id}
