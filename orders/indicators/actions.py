"""Reporting, revising and reviewing figures from outside."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.indicators import queries, rules, sheets
from orders.indicators.errors import AlreadyReported, OtherRevision, OwnReport, ReportRefused
from orders.indicators.rules import Period
from orders.indicators.schemas import FigureIn, ImportedOut, ReportIn, ReviewIn
from orders.indicators.states import REPORTED_VALUE, ValueAction
from orders.ledger.selection import DISTRICT_CODE
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, IfMatch, Invalid, any_version
from shop.core.sheets import besides, by_row
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

# What was reported before is revised where there is a reason, and left alone where there is none.
_WRITE = text(
    """
    WITH row AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(indicator text, region_code text, grain text, first_on date, last_on date,
            value numeric, source text, method text, base_value numeric, base_method text)
    ), head AS (
        INSERT INTO reported_value AS v (indicator, region_code, grain, first_on, last_on, number)
        SELECT indicator, region_code, grain, first_on, last_on, 1 FROM row ORDER BY indicator, region_code, grain, first_on
        ON CONFLICT (indicator, region_code, grain, first_on) DO UPDATE
        SET status = 'reported', number = v.number + 1, version = v.version + 1 WHERE CAST(:reason AS text) IS NOT NULL
        RETURNING id, indicator, region_code, grain, first_on, number
    )
    INSERT INTO reported_value_revision (reported_value_id, number, value, source, method, base_value, base_method, reason, reported_by, reported_at)
    SELECT head.id, head.number, value, source, method, base_value, base_method, CASE WHEN head.number > 1 THEN :reason END, :user_id, :now
    FROM head JOIN row USING (indicator, region_code, grain, first_on) ORDER BY head.id
    RETURNING reported_value_id AS id, number
    """
)
_KNOWN = text(
    "SELECT indicator, region_code, grain, first_on FROM reported_value WHERE (indicator, region_code, grain, first_on) IN"
    " (SELECT * FROM unnest(CAST(:indicators AS text[]), CAST(:regions AS text[]), CAST(:grains AS text[]), CAST(:firsts AS date[])))"
)
_REGIONS = text(
    "SELECT code, valid_from, valid_to FROM region"
    " WHERE code = ANY (CAST(:codes AS text[])) AND code LIKE '50%' AND length(code) = :length"
)
_DECIDE_REVISION = text(
    "UPDATE reported_value_revision SET decision = :status, decision_reason = :reason, decided_by = :user_id, decided_at = :now"
    " WHERE reported_value_id = :id AND number = :number"
)
_DECIDE = text(
    "UPDATE reported_value SET status = :status, accepted_number = coalesce(CAST(:accepted AS int), accepted_number),"
    " version = version + 1 WHERE id = :id"
)
_REPORTER = text("SELECT reported_by FROM reported_value_revision WHERE reported_value_id = :id AND number = :number")


def report(session: Session, actor: Actor, body: ReportIn) -> int:
    """Report a value for the first time; returns its id.

    Raises:
        ReportRefused: no such indicator or region, a period that is not over, or a region out of the caller's reach (422).
        AlreadyReported: see there (409).
    """
    row = _row(body.indicator, body.region_code, body.period, body)
    if faults := _faults(session, actor, [row], _of_field):
        raise ReportRefused(count=len(faults), faults=faults)
    return _write(session, actor, [row], None)[0]


def revise(session: Session, actor: Actor, value_id: int, body: FigureIn, reason: str, if_match: IfMatch = any_version) -> None:
    """Report it anew, with the reason; what was accepted holds until this is accepted.

    Raises:
        NotFound: none within reach (404).
    """
    head = queries.locked(session, actor, value_id, Permission.INDICATORS_REPORT)
    if_match(head.version)
    REPORTED_VALUE.after(head.status, ValueAction.REVISE)
    _write(
        session, actor, [_row(head.indicator, head.region_code, Period(rules.Grain(head.grain), head.first_on).code, body)], reason
    )


def take_over(
    session: Session, actor: Actor, content: bytes, sheet: str | None, *, reason: str | None, dry_run: bool
) -> ImportedOut:
    """Report the rows of a spreadsheet: all of them or none. With a ``reason``, what was reported before is revised.

    Raises:
        UnreadableSpreadsheet, TooManyRows, ReportRefused: see there (422); every fault by row and column.
    """
    indicators = programmes.config_of(session, clock.today()).indicators
    read, wrong, ignored = sheets.read(content, {each.code for each in indicators if each.unit == "percent"}, sheet)
    rows = [
        {
            "indicator": each.indicator,
            "region_code": each.region,
            "period": rules.period_of(each.period),
            "value": each.value,
            "source": each.source,
            "method": each.method,
            "base_value": each.base,
            "base_method": each.base_method,
        }
        for each in read
    ]
    at = [each.number for each in read]
    faults = _faults(session, actor, rows, lambda n, column, code, zh, en: sheets.fault(at[n], column, code, zh, en))
    known = _known(session, rows)
    if reason is None:
        told = "已上报，修改须说明理由", "was reported already; a change needs a reason"
        faults += [sheets.fault(at[n], "period", "already_reported", *told) for n, row in enumerate(rows) if _key(row) in known]
    if faults := by_row(besides(wrong, faults)):
        raise ReportRefused(count=len(faults), faults=faults[: sheets.MOST_FAULTS])
    if not dry_run:
        _write(session, actor, rows, reason)
    return ImportedOut(rows=len(rows), revised=len(known), dry_run=dry_run, ignored_columns=ignored)


def review(session: Session, actor: Actor, value_id: int, body: ReviewIn, if_match: IfMatch = any_version) -> None:
    """Accept a value or return it; by another person than the one who reported it.

    Raises:
        NotFound: none within reach (404). OtherRevision, IllegalMove: see there (409). OwnReport: see there (403).
        Invalid: returned without a reason (422).
    """
    head = queries.locked(session, actor, value_id, Permission.INDICATORS_REVIEW)
    if_match(head.version)
    action = ValueAction.ACCEPT if body.decision == "accept" else ValueAction.RETURN
    if action is ValueAction.RETURN and body.reason is None:
        raise Invalid.one("reason", "reason_needed", "退回须说明理由", "To return it needs a reason")
    if body.number != head.number:
        raise OtherRevision(number=head.number)
    status = REPORTED_VALUE.after(head.status, action)
    named = {"id": value_id, "number": head.number}
    if session.execute(_REPORTER, named).scalar_one() == actor.user_id:
        raise OwnReport
    decided = {**named, "status": status, "reason": body.reason, "user_id": actor.user_id, "now": clock.now()}
    session.execute(_DECIDE_REVISION, decided)
    session.execute(_DECIDE, {"id": value_id, "status": status, "accepted": head.number if action is ValueAction.ACCEPT else None})
    audit.record(session, actor, f"reported_value.{status}", "reported_value", value_id, reason=body.reason, number=head.number)
    outbox.publish(session, "reported_value.reviewed", reported_value_id=value_id, number=head.number)


def _row(indicator: str, region_code: str, period: str, body: FigureIn) -> dict[str, Any]:
    return {
        "indicator": indicator,
        "region_code": region_code,
        "period": rules.period_of(period),
        **body.model_dump(include={"value", "source", "method", "base_value"}),
        "base_method": None if body.base_value is None else body.base_method or body.method,
    }


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    period = row["period"]
    return (row["indicator"], row["region_code"], period.grain.value, period.first) if period else ()


def _known(session: Session, rows: Sequence[dict[str, Any]]) -> set[tuple[Any, ...]]:
    keys = [key for key in map(_key, rows) if key]
    columns = list(zip(*keys, strict=True)) or [(), (), (), ()]
    asked = dict(zip(("indicators", "regions", "grains", "firsts"), map(list, columns), strict=True))
    return {tuple(row) for row in session.execute(_KNOWN, asked)}


def _write(session: Session, actor: Actor, rows: Sequence[dict[str, Any]], reason: str | None) -> list[int]:
    given = [
        {
            **{name: row[name] for name in ("indicator", "region_code", "source", "method", "base_method")},
            **{name: None if row[name] is None else str(row[name]) for name in ("value", "base_value")},
            "grain": row["period"].grain,
            "first_on": row["period"].first.isoformat(),
            "last_on": row["period"].last.isoformat(),
        }
        for row in rows
    ]
    asked = {"rows": json.dumps(given, ensure_ascii=False), "reason": reason, "user_id": actor.user_id, "now": clock.now()}
    written = session.execute(_WRITE, asked).all()
    if len(written) < len(rows):
        raise AlreadyReported
    audit.record_each(
        session,
        actor,
        "reported_value.reported",
        "reported_value",
        [(each.id, {"number": each.number, "why": reason}) for each in written],
    )
    outbox.publish_each(session, "reported_value.reported", "reported_value_id", [each.id for each in written])
    return [each.id for each in written]


def _of_field(_: int, column: str, code: str, zh: str, en: str) -> Fault:
    return Fault({"region": "region_code"}.get(column, column), code, zh, en)


def _faults(
    session: Session, actor: Actor, rows: Sequence[dict[str, Any]], fault: Callable[[int, str, str, str, str], Fault]
) -> list[Fault]:
    """What keeps rows from being reported; ``fault`` makes one of a row's place, a column, a code and the words."""
    known = {each.code for each in programmes.config_of(session, clock.today()).indicators}
    asked = {"codes": [row["region_code"] for row in rows], "length": DISTRICT_CODE}
    regions = {row.code: row for row in session.execute(_REGIONS, asked)}
    today, seen, found = clock.today(), set(), []
    for n, row in enumerate(rows):
        period: Period | None = row["period"]
        if row["indicator"] not in known:
            found.append(fault(n, "indicator", "unknown_indicator", "没有此项指标", "there is no such indicator"))
        region = regions.get(row["region_code"])
        if region is None or not actor.covers_region(Permission.INDICATORS_REPORT, row["region_code"]):
            found.append(fault(n, "region", "unknown_region", "不是本辖区的区县", "is no district within reach"))
        if period is None:
            found.append(fault(n, "period", "bad_period", "须如 2026-05、2026-Q2 或 2026", "write 2026-05, 2026-Q2 or 2026"))
            continue
        if period.last >= today:
            found.append(fault(n, "period", "not_over", "尚未结束", "is not over"))
        elif region is not None and not _in_force(region, period):
            found.append(fault(n, "region", "not_in_force", "该期间没有此区划", "did not exist in this period"))
        if _key(row) in seen:
            found.append(fault(n, "period", "twice", "重复", "stands there twice"))
        seen.add(_key(row))
    return found


def _in_force(region: Any, period: Period) -> bool:
    """Whether a region was there in some part of a period."""
    began = region.valid_from is None or region.valid_from <= period.last
    return began and (region.valid_to is None or period.first < region.valid_to)
