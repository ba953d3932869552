"""Figures of certification, for the regions in which the caller supervises. Each is one statement over the tables as they are now."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, regions
from catalog.monitoring import rules
from catalog.monitoring.rules import Table
from catalog.monitoring.schemas import FiguresOut, Grain, StepKey, StockKey
from shop.core import clock
from shop.core.errors import Invalid, Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

# A certificate on a day: its dates, what is on record of measures until the end of it, and the papers as they are known now.
_STATE_ON = """
    CASE WHEN c.revoked_at < :end THEN 'revoked' WHEN c.valid_until < :on THEN 'expired'
         WHEN latest.stop IN ('suspended', 'suspension_changed') AND (latest.until IS NULL OR latest.until >= :end) THEN 'suspended'
         WHEN held.kind = 'held' THEN 'held' WHEN c.papers_valid_until < :on THEN 'papers_expired'
         WHEN c.valid_from > :on THEN 'not_yet' ELSE 'in_force' END
"""
_DATED = f"""
    SELECT c.id, c.case_id, c.product_id, c.supplier_id, c.district_code, c.households, c.persons, b.number AS batch, p.category, p.kind,
           {_STATE_ON} AS state
    FROM here c
    JOIN product p ON p.id = c.product_id
    LEFT JOIN catalogue_batch b ON b.id = c.batch_id
    LEFT JOIN LATERAL (
        SELECT e.kind AS stop, e.until FROM certificate_event e
        WHERE e.certificate_id = c.id AND e.kind IN ('suspended', 'suspension_changed', 'reinstated') AND e.at < :end ORDER BY e.id DESC LIMIT 1
    ) latest ON true
    LEFT JOIN LATERAL (
        SELECT e.kind FROM certificate_event e
        WHERE e.certificate_id = c.id AND e.kind IN ('held', 'released') AND e.at < :end ORDER BY e.id DESC LIMIT 1
    ) held ON true
"""
_HERE_ISSUED = f"""
    SELECT * FROM certificate c
    WHERE c.issued_at < :end AND {IN_REGION} AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
"""
# People are told apart within a county, so the same person in two counties counts twice. They are made distinct by hashing before they are
# counted: to count distinct pairs would sort them all.
_STOCK = """
    WITH here AS MATERIALIZED ({here}),
    dated AS MATERIALIZED ({dated}),
    kept AS MATERIALIZED (
        SELECT dated.*, EXISTS (SELECT FROM household_member m WHERE m.case_id = dated.case_id) AS listed FROM dated {which}
    ),
    base AS (
        SELECT {keys} count(*) AS certificates, count(DISTINCT product_id) AS products, count(DISTINCT supplier_id) AS suppliers,
               coalesce(sum(households) FILTER (WHERE NOT listed), 0)::bigint AS households_stated,
               coalesce(sum(persons) FILTER (WHERE NOT listed), 0)::bigint AS persons_stated
        FROM kept {grouping}
    ),
    member AS MATERIALIZED (
        SELECT {keys} kept.district_code AS place, m.household_hash, m.person_hash FROM kept JOIN household_member m ON m.case_id = kept.case_id
    ),
    homes AS (SELECT {names} count(*) AS households_listed FROM (SELECT DISTINCT {names} place, household_hash FROM member) h {grouped}),
    people AS (SELECT {names} count(*) AS persons_listed FROM (SELECT DISTINCT {names} place, person_hash FROM member) p {grouped})
    SELECT base.*, coalesce(homes.households_listed, 0) AS households_listed, coalesce(people.persons_listed, 0) AS persons_listed
    FROM base LEFT JOIN homes ON {same_home} LEFT JOIN people ON {same_person} {order}
"""
_STOCK_COLUMNS = {StockKey.COUNTY: "district_code", StockKey.BATCH: "batch"}
_STOCK_KEYS = {
    StockKey.COUNTY: ["county", "county_name"],
    StockKey.CATEGORY: ["category", "category_label"],
    StockKey.BATCH: ["batch"],
    StockKey.STATE: ["state", "state_label"],
    StockKey.KIND: ["kind", "kind_label"],
}


def stock(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    by: Sequence[StockKey],
    on: date,
    district: str | None = None,
    everywhere: bool = False,
) -> FiguresOut:
    """Certified products, suppliers, households and persons on a day; grouped by state also those whose certificate did not hold.

    Of the caller's regions, or with ``everywhere`` of the whole city: whoever asks for totals says so. Small numbers of households are in it as they
    are: :mod:`catalog.monitoring.showing` shows them to somebody.
    """
    within = EVERYWHERE if everywhere else regions(actor, Permission.SUPERVISION_READ)["regions"]
    teller = _Teller(session, language)
    rows = [teller.named(row) for row in stock_rows(session, within, by, on, district)]
    (total,) = stock_rows(session, within, [], on, district)
    keys = [name for key in by for name in _STOCK_KEYS[key]]
    return teller.figures(rules.STOCK, keys, rows, totals=total, on=on)


#: Patterns of codes: all of them.
EVERYWHERE = ["%"]


def stock_over_time(
    session: Session, actor: Actor, language: Language, *, first: date, last: date, grain: Grain, district: str | None = None
) -> FiguresOut:
    """The stock at the end of each period, small numbers of households as they are.

    Raises:
        Invalid: too many periods, or none (422).
    """
    last = min(last, clock.today())
    if first > last:
        raise Invalid.one("from", "not_before_to", "起始日期不能晚于截止日期", "the first day lies after the last")
    ends = list(rules.period_ends(first, last, grain))
    if len(ends) > rules.MOST_PERIODS:
        told = f"最多 {rules.MOST_PERIODS} 个期间", f"at most {rules.MOST_PERIODS} periods"
        raise Invalid.one("from", "too_many_periods", *told)
    teller = _Teller(session, language)
    within = regions(actor, Permission.SUPERVISION_READ)["regions"]
    rows = [{"period": end.isoformat(), **stock_rows(session, within, [], end, district)[0]} for end in ends]
    return teller.figures(rules.STOCK, ["period"], rows, totals={})


def stock_rows(
    session: Session, within: Sequence[str], by: Sequence[StockKey], on: date, district: str | None = None
) -> list[dict[str, Any]]:
    """The stock of a day in some regions (prefixes of codes, ``%`` behind each), one row for each group; without groups one row, zeros if need be."""
    names = [key.value for key in by]
    columns = [f"kept.{_STOCK_COLUMNS.get(key, key.value)}" for key in by]

    def joined(other: str) -> str:
        return " AND ".join([f"{other}.{name} IS NOT DISTINCT FROM base.{name}" for name in names]) or "true"

    statement = text(
        _STOCK.format(
            here=_HERE_ISSUED,
            dated=_DATED,
            which="" if StockKey.STATE in by else "WHERE dated.state = 'in_force'",
            keys="".join(f"{column} AS {name}, " for name, column in zip(names, columns, strict=True)),
            names="".join(f"{name}, " for name in names),
            grouping=f"GROUP BY {', '.join(columns)}" if by else "",
            grouped=f"GROUP BY {', '.join(names)}" if by else "",
            same_home=joined("homes"),
            same_person=joined("people"),
            order=f"ORDER BY {', '.join(f'base.{name}' for name in names)}" if by else "",
        )
    )
    # the stock of today is that of now: what is suspended until this evening does not hold
    end = min(clock.end_of_day(on), clock.now())
    rows = [
        dict(row._mapping)
        for row in session.execute(statement, {"on": on, "end": end, "district": district, "regions": list(within)})
    ]
    for row in rows:
        row["households"] = row["households_listed"] + row["households_stated"]
        row["persons"] = row["persons_listed"] + row["persons_stated"]
    return rows


_SPENT = f"""
    FROM certification_step s JOIN certification_case c ON c.id = s.case_id
    WHERE s.working_days IS NOT NULL AND s.from_status = ANY (:steps) AND {IN_REGION} AND s.at >= :start AND s.at < :end
      AND (CAST(:district AS text) IS NULL OR c.district_code = :district)
"""
_STEP_COLUMNS = {
    StepKey.COUNTY: ("county", "c.district_code"),
    StepKey.KIND: ("kind", "c.kind"),
    StepKey.MONTH: ("period", "to_char(s.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"),
}
_STEPS = ["township_review", "county_review", "public_notice", "city_review", "filing"]


def steps(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    by: Sequence[StepKey],
    first: date,
    last: date,
    district: str | None = None,
) -> FiguresOut:
    """How long each step took, in working days."""
    columns = [("step", "s.from_status"), *(_STEP_COLUMNS[key] for key in by)]
    statement = text(
        f"SELECT {', '.join(f'{column} AS {name}' for name, column in columns)}, count(*) AS decisions,"
        " round(avg(s.working_days), 2) AS average_days, percentile_disc(0.5) WITHIN GROUP (ORDER BY s.working_days) AS median_days,"
        " percentile_disc(0.9) WITHIN GROUP (ORDER BY s.working_days) AS p90_days, count(*) FILTER (WHERE s.late) AS late"
        f" {_SPENT}"
        f" GROUP BY {', '.join(column for _, column in columns)}"
        f" ORDER BY array_position(CAST(:steps AS text[]), s.from_status), {', '.join(column for _, column in columns)}"
    )
    teller = _Teller(session, language)
    found = session.execute(
        statement, {"steps": _STEPS, "district": district, **_span(first, last), **regions(actor, Permission.SUPERVISION_READ)}
    )
    rows = [teller.named(dict(row._mapping), kind="certification_kind") for row in found]
    keys = ["step", "step_label"]
    for key in by:
        keys += {StepKey.COUNTY: ["county", "county_name"], StepKey.KIND: ["kind", "kind_label"], StepKey.MONTH: ["period"]}[key]
    return teller.figures(rules.STEPS, keys, rows)


_OVERDUE = text(
    f"""
    SELECT c.status AS step, c.district_code AS county, count(*) AS cases, min(c.due_on) AS oldest_due_on
    FROM certification_case c
    WHERE c.status = ANY (:steps) AND c.due_on < :today AND {IN_REGION}
    GROUP BY 1, 2 ORDER BY array_position(CAST(:steps AS text[]), c.status), 2
    """
)


def overdue(session: Session, actor: Actor, language: Language) -> FiguresOut:
    """Cases that are overdue now, by step and county."""
    teller = _Teller(session, language)
    found = session.execute(_OVERDUE, {"steps": _STEPS, "today": clock.today(), **regions(actor, Permission.SUPERVISION_READ)})
    rows = [teller.named(dict(row._mapping)) for row in found]
    return teller.figures(rules.OVERDUE, ["step", "step_label", "county", "county_name"], rows)


_OBJECTIONS = text(
    f"""
    SELECT c.district_code AS county, count(*) AS received, count(*) FILTER (WHERE j.decided_at IS NULL) AS open,
           count(*) FILTER (WHERE j.decided_at IS NULL AND j.due_on < :today) AS overdue,
           count(*) FILTER (WHERE j.status = 'upheld') AS upheld, count(*) FILTER (WHERE j.status = 'dismissed') AS dismissed,
           round(avg(extract(epoch FROM j.decided_at - j.received_at) / 86400), 2) AS average_days
    FROM objection j JOIN certification_case c ON c.id = j.case_id
    WHERE j.received_at >= :start AND j.received_at < :end AND {IN_REGION}
    GROUP BY 1 ORDER BY 1
    """
)


def objections(session: Session, actor: Actor, language: Language, *, first: date, last: date) -> FiguresOut:
    """Objections against notices, by county."""
    teller = _Teller(session, language)
    found = session.execute(
        _OBJECTIONS, {"today": clock.today(), **_span(first, last), **regions(actor, Permission.SUPERVISION_READ)}
    )
    rows = [teller.named(dict(row._mapping)) for row in found]
    return teller.figures(rules.OBJECTIONS, ["county", "county_name"], rows)


_MEASURES = text(
    f"""
    SELECT measure, reason, county, count(*) AS count FROM (
        SELECT e.kind AS measure, coalesce(e.reason_code, '') AS reason, c.district_code AS county
        FROM certificate_event e JOIN certificate c ON c.id = e.certificate_id
        WHERE e.kind IN ('warned', 'suspended', 'held', 'revoked') AND e.at >= :start AND e.at < :end AND {IN_REGION}
        UNION ALL
        SELECT unnest(ARRAY['complaint_filed', CASE m.status WHEN 'received' THEN 'complaint_open' WHEN 'stated' THEN 'complaint_open'
                      ELSE 'complaint_' || m.status END]), m.kind, c.district_code FROM complaint m JOIN certificate c ON c.id = m.certificate_id
        WHERE m.received_at >= :start AND m.received_at < :end AND {IN_REGION}
        UNION ALL
        SELECT 'inspection_' || i.status, i.kind, c.district_code FROM inspection i JOIN certificate c ON c.id = i.certificate_id
        WHERE i.opened_at >= :start AND i.opened_at < :end AND {IN_REGION}
    ) t GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)


def measures(session: Session, actor: Actor, language: Language, *, first: date, last: date) -> FiguresOut:
    """Warnings, suspensions, holds and revocations by reason; complaints and inspections by kind and outcome."""
    teller = _Teller(session, language)
    rows = []
    for row in session.execute(_MEASURES, {**_span(first, last), **regions(actor, Permission.SUPERVISION_READ)}):
        subject = row.measure.partition("_")[0]
        group = {"complaint": "complaint_kind", "inspection": "inspection_kind"}.get(subject, "reason")
        label = rules.MEASURE_LABELS[row.measure][0 if language == "zh" else 1]
        rows.append(teller.named({**row._mapping, "measure_label": label, "reason_label": teller.term(group, row.reason)}))
    return teller.figures(rules.MEASURES, ["county", "county_name"], rows)


_FLOW = text(
    f"""
    SELECT to_char(s.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS period, c.district_code AS county,
           count(*) FILTER (WHERE s.action IN ('submit', 'resubmit')) AS submitted, count(*) FILTER (WHERE s.action = 'return') AS returned,
           count(*) FILTER (WHERE s.to_status = 'approved') AS approved, count(*) FILTER (WHERE s.action = 'reject') AS rejected,
           count(*) FILTER (WHERE s.action = 'appeal') AS appealed, count(*) FILTER (WHERE s.action = 'withdraw') AS withdrawn
    FROM certification_step s JOIN certification_case c ON c.id = s.case_id
    WHERE s.at >= :start AND s.at < :end AND {IN_REGION}
    GROUP BY 1, 2 ORDER BY 1, 2
    """
)


def flow(session: Session, actor: Actor, language: Language, *, first: date, last: date) -> FiguresOut:
    """What came and went, by month and county."""
    teller = _Teller(session, language)
    rows = [
        teller.named(dict(row._mapping))
        for row in session.execute(_FLOW, {**_span(first, last), **regions(actor, Permission.SUPERVISION_READ)})
    ]
    return teller.figures(rules.FLOW, ["period", "county", "county_name"], rows)


def _span(first: date, last: date) -> dict[str, Any]:
    """The moments that a span of days takes.

    Raises:
        Invalid: it ends before it begins (422).
    """
    if first > last:
        raise Invalid.one("from", "not_before_to", "起始日期不能晚于截止日期", "the first day lies after the last")
    return {"start": clock.start_of_day(first), "end": clock.end_of_day(last)}


class _Teller:
    """Puts names beside codes, and sums up."""

    def __init__(self, session: Session, language: Language) -> None:
        self.language = language
        self.config: ProgrammeConfig = programmes.config_of(session, clock.today())
        name = "name_zh" if language == "zh" else "name_en"
        districts = session.execute(text(f"SELECT code, coalesce({name}, name_zh) AS name FROM region WHERE length(code) = 6"))
        self.districts: Mapping[str, str] = {row.code: row.name for row in districts}

    def term(self, group: str, code: str) -> str:
        return self.config.term(group, code, self.language)

    def named(self, row: dict[str, Any], *, kind: str = "kind") -> dict[str, Any]:
        """A row with the names of its codes beside them, its numbers as JSON has them."""
        told: dict[str, Any] = {}
        for name, value in row.items():
            told[name] = float(value) if isinstance(value, Decimal) else value
            if name == "county":
                told["county_name"] = self.districts.get(value, value)
            elif name == "step":
                told["step_label"] = self.term("certification_status", value)
            elif name in ("category", "state", "kind"):
                group = {"category": "category", "state": "certificate_state", "kind": kind}[name]
                told[f"{name}_label"] = self.term(group, value)
        return told

    def figures(
        self,
        table: Table,
        keys: list[str],
        rows: list[dict[str, Any]],
        *,
        totals: dict[str, Any] | None = None,
        on: date | None = None,
    ) -> FiguresOut:
        if totals is None:
            totals = {name: sum(row[name] for row in rows) for name in table.columns if name in table.summed}
        return FiguresOut(
            columns=table.titles(self.language, keys),
            rows=rows,
            totals=totals,
            definition=table.zh if self.language == "zh" else table.en,
            exact_to=clock.now(),
            on=on,
        )
