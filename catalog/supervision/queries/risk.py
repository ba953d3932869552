"""Where to look first: certificates by the reasons to look at them, each with its evidence."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, lists_read, regions
from catalog.certificates.states import state_sql
from catalog.supervision.rules import FEW_HOUSEHOLDS, PAPERS_ENDING_DAYS, RISKS
from catalog.supervision.schemas.checking import FlagOut, RiskOut
from shop.core import clock, paging
from shop.core.errors import Language
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

# One row for each reason that a certificate has; ``live`` narrows them to those that are looked at, so that each part reads little. That few
# households take part is a reason, and adds to the score, only for who may read their lists: it tells how few.
RISK = """
    live AS MATERIALIZED (
        SELECT c.id, c.case_id, c.papers_valid_until, c.households, c.district_code, c.township_code FROM certificate c
        WHERE c.revoked_at IS NULL AND c.valid_until >= :today AND c.valid_from <= :today AND {where}
    ),
    found AS (
        SELECT i.certificate_id, 'inspection_failed' AS code, jsonb_build_object('inspection_id', max(i.id), 'done_on', max(i.done_on)) AS evidence
        FROM inspection i JOIN live ON live.id = i.certificate_id WHERE i.status = 'failed' AND i.done_on > :year_ago GROUP BY 1
        UNION ALL
        SELECT f.certificate_id, 'over_capacity', jsonb_build_object('capacity_flag_id', max(f.id), 'committed_kg', max(f.committed_grams) / 1000,
               'explained', bool_and(f.explained_at IS NOT NULL))
        FROM capacity_flag f JOIN live ON live.id = f.certificate_id WHERE f.cleared_at IS NULL GROUP BY 1
        UNION ALL
        SELECT m.certificate_id, CASE WHEN m.status = 'upheld' THEN 'complaint_upheld' ELSE 'complaint_open' END,
               jsonb_build_object('complaints', count(*), 'latest_id', max(m.id))
        FROM complaint m JOIN live ON live.id = m.certificate_id
        WHERE m.status IN ('received', 'stated') OR (m.status = 'upheld' AND m.decided_at > :year_ago) GROUP BY 1, 2
        UNION ALL
        SELECT live.id, 'objection_upheld', jsonb_build_object('objection_id', max(j.id))
        FROM objection j JOIN live ON live.case_id = j.case_id WHERE j.status = 'upheld' GROUP BY 1
        UNION ALL
        SELECT id, 'price_above', jsonb_build_object('price_check_id', check_id, 'above_percent', round(above_bp / 100.0, 2)::text) FROM (
            SELECT DISTINCT ON (p.certificate_id) p.certificate_id AS id, p.id AS check_id, p.above_bp
            FROM price_check p JOIN live ON live.id = p.certificate_id WHERE p.found_on > :year_ago
            ORDER BY p.certificate_id, p.found_on DESC, p.id DESC) latest WHERE above_bp > :tolerated_bp
        UNION ALL
        SELECT q.certificate_id, 'low_ratings', jsonb_build_object('quality_signal_id', q.id, 'ratings', q.ratings, 'buyers', q.buyers)
        FROM quality_signal q JOIN live ON live.id = q.certificate_id WHERE q.cleared_at IS NULL
        UNION ALL
        SELECT id, 'papers_ending', jsonb_build_object('papers_valid_until', papers_valid_until)
        FROM live WHERE papers_valid_until < :papers_by
        UNION ALL
        SELECT e.certificate_id, 'warned', jsonb_build_object('warnings', count(*), 'latest_at', max(e.at))
        FROM certificate_event e JOIN live ON live.id = e.certificate_id WHERE e.kind = 'warned' AND e.at > :year_ago GROUP BY 1
        UNION ALL
        SELECT id, 'few_households', jsonb_build_object('households', households) FROM live
        WHERE households < :few AND (district_code LIKE ANY (CAST(:lists_read AS text[])) OR coalesce(township_code LIKE ANY (CAST(:lists_read AS text[])), false))
        UNION ALL
        SELECT id, 'never_inspected', '{{}}' FROM live
        WHERE NOT EXISTS (SELECT FROM inspection i WHERE i.certificate_id = live.id AND i.status IN ('passed', 'failed'))
    ),
    weighed AS (
        SELECT found.*, w.weight FROM found JOIN unnest(CAST(:codes AS text[]), CAST(:weights AS int[])) AS w (code, weight) ON w.code = found.code
    ),
    scored AS (SELECT certificate_id, sum(weight)::int AS score FROM weighed GROUP BY certificate_id)
"""
# Names and evidence are put together for those alone that are shown.
_LIST = """
    WITH {risk}, page AS (SELECT * FROM scored s WHERE {beyond} ORDER BY score DESC, certificate_id LIMIT :rows)
    SELECT c.id AS certificate_id, c.number AS certificate_number, c.product_name, p.category, c.supplier_id, c.supplier_name,
           c.district_code, {state} AS state, page.score, flags.flags
    FROM page JOIN certificate c ON c.id = page.certificate_id JOIN product p ON p.id = c.product_id
    JOIN (
        SELECT certificate_id, jsonb_agg(jsonb_build_object('code', code, 'evidence', evidence) ORDER BY weight DESC, code) AS flags
        FROM weighed WHERE certificate_id IN (SELECT certificate_id FROM page) GROUP BY certificate_id
    ) flags ON flags.certificate_id = page.certificate_id
    ORDER BY page.score DESC, c.id
"""
_CATEGORY = "EXISTS (SELECT FROM product p WHERE p.id = c.product_id AND p.category = :category)"


def values(session: Session, actor: Actor, now: datetime) -> dict[str, Any]:
    """What the statement takes for somebody, but for what narrows it."""
    today = clock.shanghai_date(now)
    config = programmes.config_of(session, today).certification
    return {
        "now": now,
        "today": today,
        "year_ago": today - timedelta(days=365),
        "papers_by": today + timedelta(days=PAPERS_ENDING_DAYS),
        "tolerated_bp": config.price_tolerance_percent * 100,
        "few": FEW_HOUSEHOLDS,
        "lists_read": lists_read(actor),
        "codes": list(RISKS),
        "weights": [risk.weight for risk in RISKS.values()],
    }


def risks(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    district: str | None = None,
    category: str | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[RiskOut]:
    """The certificates of the actor's region that there is a reason to look at, those with the most reasons first."""
    given = {"district": district, "category": category}
    narrowed = {"district": "c.district_code = :district", "category": _CATEGORY}
    asked = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join([IN_REGION, *(narrowed[name] for name in asked)])
    start = paging.position(after, int, int)
    beyond = "(s.score < :after_score OR (s.score = :after_score AND s.certificate_id > :after_id))" if start else "true"
    statement = text(_LIST.format(risk=RISK.format(where=where), state=state_sql("c"), beyond=beyond))
    place = {"after_score": start[0], "after_id": start[1]} if start else {}
    here = regions(actor, Permission.SUPERVISION_READ)
    rows = session.execute(statement, {**values(session, actor, clock.now()), **asked, **place, **here, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: _out(row, language), lambda row: [row.score, row.certificate_id])


def _out(row: Row[Any], language: Language) -> RiskOut:
    shown = {name: getattr(row, name) for name in RiskOut.model_fields if name != "flags"}
    flags = [
        FlagOut(code=flag["code"], weight=risk.weight, label=risk.zh if language == "zh" else risk.en, evidence=flag["evidence"])
        for flag in row.flags
        for risk in [RISKS[flag["code"]]]
    ]
    return RiskOut(**shown, flags=flags)
