"""How cases of certification go: what each step takes, what is overdue, objections, measures, what comes and goes. For the regions in which the
caller supervises; each is one statement over the tables as they are now."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, regions
from catalog.monitoring import rules
from catalog.monitoring.queries.telling import Teller, span
from catalog.monitoring.schemas import FiguresOut, StepKey
from shop.core import clock
from shop.core.errors import Language
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

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
    teller = Teller(session, language)
    found = session.execute(
        statement, {"steps": _STEPS, "district": district, **span(first, last), **regions(actor, Permission.SUPERVISION_READ)}
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
    teller = Teller(session, language)
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
    teller = Teller(session, language)
    found = session.execute(
        _OBJECTIONS, {"today": clock.today(), **span(first, last), **regions(actor, Permission.SUPERVISION_READ)}
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
    teller = Teller(session, language)
    rows = []
    for row in session.execute(_MEASURES, {**span(first, last), **regions(actor, Permission.SUPERVISION_READ)}):
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
    teller = Teller(session, language)
    rows = [
        teller.named(dict(row._mapping))
        for row in session.execute(_FLOW, {**span(first, last), **regions(actor, Permission.SUPERVISION_READ)})
    ]
    return teller.figures(rules.FLOW, ["period", "county", "county_name"], rows)
