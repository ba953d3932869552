"""Keeping the list of poor villages and the stations that serve them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.products.models import plain_name_sql
from orders.coverage import queries, sheets
from orders.coverage.errors import StationClosed, StationRefused, VillagesRefused
from orders.coverage.schemas import CloseIn, ImportedOut, ServesIn, StationIn
from orders.ledger.selection import DISTRICT_CODE
from shop.core import audit, clock, uploads
from shop.core.errors import Fault, IfMatch, Invalid, any_version
from shop.core.sheets import besides, by_row
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_TOWNSHIPS = text("SELECT code FROM region WHERE code = ANY (CAST(:codes AS text[])) AND kind = 'township'")
#: By names as they are compared.
_KNOWN = text(
    f"""
    SELECT told.township, told.name, v.name AS listed, v.valid_from, v.valid_to
    FROM unnest(CAST(:townships AS text[]), CAST(:names AS text[])) AS told (township, name)
    JOIN poor_village v ON v.township_code = told.township AND {plain_name_sql("v.name")} = {plain_name_sql("told.name")}
    """  # noqa: S608
)
# Two who put the same village on the list at once, each as it writes it: the later one changes what the earlier one has put there.
_WRITE = text(
    f"""
    INSERT INTO poor_village AS v (township_code, name, valid_from, valid_to)
    SELECT * FROM unnest(CAST(:townships AS text[]), CAST(:names AS text[]), CAST(:firsts AS date[]), CAST(:ends AS date[])) AS u (t, n, f, e)
    ORDER BY t, {plain_name_sql("n")}
    ON CONFLICT (township_code, ({plain_name_sql("name")})) DO UPDATE SET valid_from = excluded.valid_from, valid_to = excluded.valid_to
    WHERE (v.valid_from, v.valid_to) IS DISTINCT FROM (excluded.valid_from, excluded.valid_to)
    """  # noqa: S608
)
_REGION = text("SELECT kind FROM region WHERE code = :code AND code LIKE '50%'")
_STATION = text(
    "INSERT INTO service_station (kind, name, region_code, address, opened_on, evidence, recorded_by, recorded_at)"
    " VALUES (:kind, :name, :region_code, :address, :opened_on, :evidence, :user_id, :now) RETURNING id"
)
#: Villages of the station's own county, by their ids.
_SERVABLE = text("SELECT id FROM poor_village WHERE id = ANY (CAST(:ids AS bigint[])) AND starts_with(township_code, :district)")
_BEGIN = text(
    "INSERT INTO station_village (station_id, village_id, valid_from) SELECT :id, v, :since FROM unnest(CAST(:villages AS bigint[])) AS v"
    " WHERE NOT EXISTS (SELECT FROM station_village k WHERE k.station_id = :id AND k.village_id = v AND k.valid_to IS NULL)"
)
#: What would have begun on that day or later never was.
_DROP = text(
    "DELETE FROM station_village WHERE station_id = :id AND valid_from >= :since AND valid_to IS NULL"
    " AND village_id <> ALL (CAST(:villages AS bigint[]))"
)
_END = text(
    "UPDATE station_village SET valid_to = :since WHERE station_id = :id AND valid_to IS NULL AND valid_from < :since"
    " AND village_id <> ALL (CAST(:villages AS bigint[]))"
)
_OVERLAPS = text("SELECT EXISTS (SELECT FROM station_village WHERE station_id = :id AND valid_to > :since)")
_CLOSE = text("UPDATE service_station SET closed_on = :closed_on, close_reason = :reason, version = version + 1 WHERE id = :id")
_ATTACH = text("UPDATE service_station SET evidence_file_id = :file_id, version = version + 1 WHERE id = :id")
_TOUCH = text("UPDATE service_station SET version = version + 1 WHERE id = :id")


def take_over(session: Session, actor: Actor, content: bytes, sheet: str | None, *, dry_run: bool) -> ImportedOut:
    """Put the villages of a spreadsheet on the list, or change their days on it: all of them or none. Villages that it does not name stay.

    Raises:
        UnreadableSpreadsheet, TooManyRows, VillagesRefused: see there (422); every fault by row and column.
    """
    rows, faults, ignored = sheets.read(content, sheet)
    if faults := by_row(besides(faults, _faults(session, actor, rows))):
        raise VillagesRefused(count=len(faults), faults=faults[: sheets.MOST_FAULTS])
    ends = [None if row.last_day is None else row.last_day + timedelta(days=1) for row in rows]
    keys = {"townships": [row.township for row in rows], "names": [row.name for row in rows]}
    known = {(row.township, row.name): row for row in session.execute(_KNOWN, keys)}
    listed = [known.get((row.township, row.name)) for row in rows]
    before = [None if each is None else (each.valid_from, each.valid_to) for each in listed]
    keys["names"] = [row.name if each is None else each.listed for row, each in zip(rows, listed, strict=True)]
    changed = sum(days is not None and days != (row.valid_from, end) for row, end, days in zip(rows, ends, before, strict=True))
    if not dry_run:
        session.execute(_WRITE, {**keys, "firsts": [row.valid_from for row in rows], "ends": ends})
        audit.record(session, actor, "poor_villages.imported", "poor_village", 0, rows=len(rows), changed=changed)
    return ImportedOut(rows=len(rows), added=before.count(None), changed=changed, dry_run=dry_run, ignored_columns=ignored)


def _faults(session: Session, actor: Actor, rows: Sequence[sheets.Row]) -> list[Fault]:
    known = set(session.execute(_TOWNSHIPS, {"codes": [row.township for row in rows]}).scalars())
    found, seen = [], set()
    for row in rows:
        if row.township not in known or not actor.covers_region(Permission.COVERAGE_RECORD, row.township):
            zh, en = "不是本辖区的乡镇", "is no township within reach"
            found.append(sheets.fault(row.number, "township", "unknown_township", zh, en))
        if (village := (row.township, row.name.lower())) in seen:
            found.append(sheets.fault(row.number, "village", "twice", "重复", "stands there twice"))
        seen.add(village)
    return found


def open_station(session: Session, actor: Actor, body: StationIn) -> int:
    """Record a station with the villages that it serves; returns its id.

    Raises:
        StationRefused: no such place within reach, or villages of another county (422). StationNameTaken: see there (409).
    """
    faults = []
    kind = session.execute(_REGION, {"code": body.region_code}).scalar()
    if kind is None or kind == "city" or not actor.covers_region(Permission.COVERAGE_RECORD, body.region_code):
        told = "不是本辖区的区县或乡镇", "no district or township within reach"
        faults.append(Fault("region_code", "unknown_region", *told))
    faults += _strange(session, body.region_code, body.villages)
    if faults:
        raise StationRefused(count=len(faults), faults=faults)
    values = body.model_dump(exclude={"villages"})
    station_id = int(session.execute(_STATION, {**values, "user_id": actor.user_id, "now": clock.now()}).scalar_one())
    session.execute(_BEGIN, {"id": station_id, "villages": body.villages, "since": body.opened_on})
    audit.record(
        session, actor, "service_station.opened", "service_station", station_id, kind=body.kind, villages=len(body.villages)
    )
    return station_id


def _strange(session: Session, region_code: str, villages: Sequence[int]) -> list[Fault]:
    asked = {"ids": list(villages), "district": region_code[:DISTRICT_CODE]}
    known = set(session.execute(_SERVABLE, asked).scalars())
    zh, en = "不是该区县的贫困村", "no poor village of this county"
    return [Fault(f"villages[{n}]", "unknown_village", zh, en) for n, each in enumerate(villages) if each not in known]


def serve(session: Session, actor: Actor, station_id: int, body: ServesIn, if_match: IfMatch = any_version) -> None:
    """Say which villages a station serves from a day on.

    Raises:
        NotFound: none within reach (404). StationClosed: see there (409).
        StationRefused: villages of another county (422). Invalid: a day before one on which this was changed already (422).
    """
    head = queries.locked(session, actor, station_id)
    if_match(head.version)
    if head.closed_on is not None:
        raise StationClosed
    if faults := _strange(session, head.region_code, body.villages):
        raise StationRefused(count=len(faults), faults=faults)
    asked: dict[str, Any] = {"id": station_id, "since": body.since, "villages": body.villages}
    if body.since < head.opened_on or session.execute(_OVERLAPS, asked).scalar_one():
        told = "早于启用日期或上次变更日期", "lies before the first day, or before the last change"
        raise Invalid.one("since", "too_early", *told)
    for statement in (_DROP, _END, _BEGIN):
        session.execute(statement, asked)
    session.execute(_TOUCH, {"id": station_id})
    audit.record(
        session, actor, "service_station.serves", "service_station", station_id, since=str(body.since), villages=body.villages
    )


def close(session: Session, actor: Actor, station_id: int, body: CloseIn, if_match: IfMatch = any_version) -> None:
    """End a station; its villages are not covered by it after its last day.

    Raises:
        NotFound: none within reach (404). StationClosed: see there (409). Invalid: it would end before it began (422).
    """
    head = queries.locked(session, actor, station_id)
    if_match(head.version)
    if head.closed_on is not None:
        raise StationClosed
    if body.closed_on < head.opened_on:
        raise Invalid.one("closed_on", "too_early", "早于启用日期", "lies before the first day")
    session.execute(_CLOSE, {"id": station_id, "closed_on": body.closed_on, "reason": body.reason})
    audit.record(
        session, actor, "service_station.closed", "service_station", station_id, reason=body.reason, on=str(body.closed_on)
    )


def attach(
    session: Session, actor: Actor, station_id: int, name: str | None, content: bytes, if_match: IfMatch = any_version
) -> None:
    """Put the paper beside it that proves it.

    Raises:
        NotFound: none within reach (404). UnreadableFile: see there (422). Changed (412).
    """
    if_match(queries.locked(session, actor, station_id).version)
    kept = uploads.keep(session, actor.user_id, name, content)
    session.execute(_ATTACH, {"id": station_id, "file_id": kept.id})
    audit.record(session, actor, "service_station.proved", "service_station", station_id, file_id=kept.id)
