"""Reading villages, stations and coverage: single ones within the own region, totals by county for every officer."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.coverage import rules
from orders.coverage.errors import NoEvidenceFile
from orders.coverage.rules import Level, StationKind, Villages
from orders.coverage.schemas import ServedOut, StationOut, StationRow, VillageOut
from orders.ledger.selection import DISTRICT_CODE, EVERYWHERE, Dimension, Selection
from orders.statistics.queries import cells
from orders.statistics.question import Measure, Question
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.months import month_end, month_start
from shop.core.paging import Page
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.regions import queries as regions

_ON = "{0}.valid_from <= :on AND ({0}.valid_to IS NULL OR :on < {0}.valid_to)"
#: The station ``s`` serves a village by ``k`` on a day, and works on it.
_WORKING = f"{_ON.format('k')} AND s.opened_on <= :on AND (s.closed_on IS NULL OR :on <= s.closed_on)"
#: A station serves the village ``v``.
_SERVED = (
    f"EXISTS (SELECT FROM station_village k JOIN service_station s ON s.id = k.station_id WHERE k.village_id = v.id AND {_WORKING})"
)
# both sets are made once, whatever the plan
_LISTED = f"""
    WITH served AS MATERIALIZED (
        SELECT k.village_id FROM station_village k JOIN service_station s ON s.id = k.station_id WHERE {_WORKING}
    ), sold AS MATERIALIZED ({{sold}})
    SELECT {{place}} AS place, v.id IN (SELECT village_id FROM served) AS served,
           v.township_code || '/' || v.name IN (SELECT code FROM sold) AS sold, count(*) AS villages
    FROM poor_village v WHERE {_ON.format("v")} GROUP BY 1, 2, 3
"""
_NOTHING_SOLD = "SELECT '' AS code WHERE false"
_STATIONS_ON = text(
    "SELECT region_code, count(*) AS stations FROM service_station"
    " WHERE opened_on <= :on AND (closed_on IS NULL OR :on <= closed_on) GROUP BY 1"
)
_NAME = "coalesce(CASE :language WHEN 'en' THEN r.name_en END, r.name_zh)"
_VILLAGES = text(
    f"""
    SELECT * FROM (
        SELECT v.*, {_NAME} AS township_name, {_SERVED} AS served
        FROM poor_village v JOIN region r ON r.code = v.township_code
        WHERE v.township_code LIKE ANY (CAST(:regions AS text[])) AND {_ON.format("v")} AND starts_with(v.township_code, :place)
          AND (CAST(:start AS bigint) IS NULL OR v.id > :start)
    ) t WHERE CAST(:served AS boolean) IS NULL OR served = :served
    ORDER BY id LIMIT :rows
    """
)
_STATION = f"""
    SELECT s.*, {_NAME} AS region_name, s.evidence_file_id IS NOT NULL AS has_file,
           s.opened_on <= :on AND (s.closed_on IS NULL OR :on <= s.closed_on) AS active,
           (SELECT count(*) FROM station_village k WHERE k.station_id = s.id AND {_ON.format("k")}) AS villages
    FROM service_station s JOIN region r ON r.code = s.region_code
    WHERE s.region_code LIKE ANY (CAST(:regions AS text[]))
"""
_STATIONS = text(
    _STATION + " AND starts_with(s.region_code, :place) AND (CAST(:kind AS text) IS NULL OR s.kind = :kind)"
    " AND (CAST(:start AS bigint) IS NULL OR s.id > :start) ORDER BY s.id LIMIT :rows"
)
_ONE = text(_STATION + " AND s.id = :id")
_LOCK = text("SELECT * FROM service_station s WHERE s.id = :id AND s.region_code LIKE ANY (CAST(:regions AS text[])) FOR UPDATE")
_SERVES = text(
    "SELECT k.village_id, v.township_code || '/' || v.name AS village, k.valid_from, k.valid_to"
    " FROM station_village k JOIN poor_village v ON v.id = k.village_id WHERE k.station_id = :id ORDER BY k.valid_from, k.village_id"
)
_FILE = text(
    "SELECT f.storage_key, f.name, f.content_type FROM stored_file f JOIN service_station s ON s.evidence_file_id = f.id WHERE s.id = :id"
)


def villages(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    on: date,
    place: str | None,
    served: bool | None,
    limit: int,
    after: str | None,
) -> Page[VillageOut]:
    """The poor villages of the caller's region that are listed on a day, and whether they are served."""
    start = paging.position(after, int)
    asked = {
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "on": on,
        "place": place or "",
        "served": served,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    return paging.page(session.execute(_VILLAGES, asked).all(), limit, _village, lambda row: [row.id])


def _village(row: Row[Any]) -> VillageOut:
    return VillageOut.model_validate({**row._mapping, "code": f"{row.township_code}/{row.name}"})


def stations(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    place: str | None,
    kind: StationKind | None,
    limit: int,
    after: str | None,
) -> Page[StationRow]:
    """The stations of the caller's region."""
    start = paging.position(after, int)
    asked = {
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "on": clock.today(),
        "place": place or "",
        "kind": kind,
        "start": start[0] if start else None,
        "rows": limit + 1,
    }
    rows = session.execute(_STATIONS, asked).all()
    return paging.page(rows, limit, lambda row: StationRow.model_validate(row, from_attributes=True), lambda row: [row.id])


def station(session: Session, actor: Actor, station_id: int, language: Language) -> StationOut:
    """One station with all villages that it serves or served.

    Raises:
        NotFound: none within reach.
    """
    asked = {
        "id": station_id,
        "regions": actor.region_patterns(Permission.MONITORING_READ),
        "language": language,
        "on": clock.today(),
    }
    row = session.execute(_ONE, asked).first()
    if row is None:
        raise NotFound
    serves = [ServedOut.model_validate(each, from_attributes=True) for each in session.execute(_SERVES, {"id": station_id})]
    return StationOut.model_validate({**row._mapping, "serves": serves})


def evidence(session: Session, actor: Actor, station_id: int) -> Row[Any]:
    """The stored paper that proves a station.

    Raises:
        NotFound: no station within reach (404). NoEvidenceFile: it has none (409).
    """
    station(session, actor, station_id, "zh")
    row = session.execute(_FILE, {"id": station_id}).first()
    if row is None:
        raise NoEvidenceFile
    return row


def locked(session: Session, actor: Actor, station_id: int) -> Row[Any]:
    """A station that the caller keeps, locked until the transaction ends.

    Raises:
        NotFound: none within reach.
    """
    row = session.execute(_LOCK, {"id": station_id, "regions": actor.region_patterns(Permission.COVERAGE_RECORD)}).first()
    if row is None:
        raise NotFound
    return row


# --- coverage -------------------------------------------------------------------------------------------------------


def listed(session: Session, on: date, level: Level, sold: Question | None = None) -> list[Villages]:
    """The poor villages of a day, told apart as far as a level needs; ``sold``: a question by village, that tells which of them sold something. A district
    that was merged stands in its successor."""
    successors = regions.successors(session, min(on, clock.today()))
    codes, values = _NOTHING_SOLD, dict[str, Any]()
    if sold is not None:
        table, bind = cells(session, sold)
        codes, values = f"SELECT g0 AS code FROM {table} AS by_village WHERE amount_fen > 0", bind.values
    place = "v.township_code" if level is Level.TOWNSHIP else f"left(v.township_code, {DISTRICT_CODE})"
    found = []
    for row in session.execute(text(_LISTED.format(place=place, sold=codes)), {**values, "on": on}):
        district = row.place[:DISTRICT_CODE]
        found.append(Villages(row.place, successors.get(district, district), row.served, row.sold, row.villages))
    return found


def selling(first: date, last: date) -> Question:
    """What each village sold in some whole months, by the codes that the ledger knows villages by."""
    return Question(Selection(month_start(first), month_end(last)), (Dimension.VILLAGE,), (Measure.AMOUNT,), EVERYWHERE)


def coverage(
    session: Session, actor: Actor, language: Language, *, on: date, level: Level, first: date, last: date
) -> list[dict[str, Any]]:
    """Coverage by place on a day. Townships are shown of the own region only; the counties' totals to every officer."""
    covered = rules.coverage(listed(session, on, level, selling(first, last)), level)
    prefixes = tuple(actor.regions(Permission.MONITORING_READ))
    codes = [code for code in covered if level is not Level.TOWNSHIP or code.startswith(prefixes)]
    stations = _stations(session, on, level)
    named = regions.names(session, [code or CITY for code in codes], language)
    return [
        {
            "place": code or CITY,
            "place_name": named(code or CITY),
            **{name: getattr(covered[code], name) for name in ("villages", "served", "sold", "served_and_sold")},
            "stations": stations.get(code, 0),
        }
        for code in codes
    ]


def _stations(session: Session, on: date, level: Level) -> Counter[str]:
    """Active stations by place; those of a county stand with none of its townships."""
    successors = regions.successors(session, min(on, clock.today()))
    found: Counter[str] = Counter()
    for row in session.execute(_STATIONS_ON, {"on": on}):
        district = row.region_code[:DISTRICT_CODE]
        district = successors.get(district, district)
        found[{Level.CITY: "", Level.COUNTY: district, Level.TOWNSHIP: row.region_code}[level]] += row.stations
    return found
