"""A settlement run: everything that suppliers are owed for a period and that nothing holds, taken up at once."""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.settlement.actions import losing
from orders.settlement.errors import NotAPeriod, PeriodNotOver
from orders.settlement.models import SettlementRun
from orders.settlement.queries.commission import NEAREST
from orders.settlement.queries.owed import JUDGED, parameters
from orders.settlement.rules import Period, carried_sql, commission_sql, last_ended, period_of, used_sql
from shop.core import audit, clock, numbers, outbox
from shop.core.audit import SYSTEM, Who
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes.queries import config_of

# Orders first, by id, as everybody locks them: what opens a dispute or a return meanwhile waits, or is seen.
_LOCK = [
    text(
        f"""
        SELECT count(*) FROM (
            SELECT id FROM {table} WHERE id IN (
                SELECT p.{table}_id FROM money_posting p JOIN money_transaction t ON t.id = p.transaction_id
                WHERE p.account = 'payable' AND t.kind <> 'settlement' AND t.booked_on <= :until
                  AND NOT EXISTS (SELECT FROM settlement_line l WHERE l.posting_id = p.id))
            ORDER BY id FOR KEY SHARE) locked
        """
    )
    for table in ("supplier_order", "purchase_order")
]
# What cannot be settled for this period any more waits for the next one.
_GATHER = text(
    f"""
    CREATE TEMPORARY TABLE settling ON COMMIT DROP AS {JUDGED}
    SELECT j.*, CAST(NULL AS bigint) AS rule_id, CAST(0 AS bigint) AS commission_fen FROM judged j
    WHERE NOT EXISTS (SELECT FROM settlement s WHERE s.supplier_id = j.supplier_id AND s.period_end >= :until)
    """
)
_RULES = text(
    f"""
    WITH asked AS (
        SELECT DISTINCT po.programme_code, s.supplier_id, s.category, (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date AS day
        FROM settling s JOIN purchase_order po ON po.id = s.purchase_order_id WHERE s.hold IS NULL AND s.kind = 'sale'
    ), found AS (
        SELECT a.*, n.id FROM asked a CROSS JOIN LATERAL ({NEAREST.format(programme="a.programme_code", supplier="a.supplier_id", category="a.category", day="a.day")}) n
    )
    UPDATE settling s SET rule_id = f.id FROM found f, purchase_order po
    WHERE po.id = s.purchase_order_id AND s.hold IS NULL AND s.kind = 'sale' AND f.programme_code = po.programme_code
      AND f.supplier_id = s.supplier_id AND f.category = s.category AND f.day = (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date
    """
)
# What a dispute gave back counts to what most of the part counts to.
_ALLOWANCE_RULES = text(
    """
    WITH part AS (SELECT DISTINCT supplier_order_id AS id FROM settling WHERE hold IS NULL AND kind = 'allowance'),
    most AS (
        SELECT DISTINCT ON (x.id) x.id, x.rule_id FROM (
            SELECT s.supplier_order_id AS id, s.rule_id, s.amount_fen FROM settling s JOIN part ON part.id = s.supplier_order_id
            WHERE s.hold IS NULL AND s.kind = 'sale'
            UNION ALL
            SELECT l.supplier_order_id, l.rule_id, l.amount_fen FROM settlement_line l JOIN part ON part.id = l.supplier_order_id
            JOIN money_posting p ON p.id = l.posting_id WHERE p.sale_entry_id IS NOT NULL
        ) x GROUP BY x.id, x.rule_id ORDER BY x.id, sum(x.amount_fen) DESC, x.rule_id
    )
    UPDATE settling s SET rule_id = m.rule_id FROM most m WHERE m.id = s.supplier_order_id AND s.hold IS NULL AND s.kind = 'allowance'
    """
)
# A line bears what the whole bears with it less what it bore without it.
_COMMISSION = text(
    f"""
    WITH before AS (
        SELECT l.supplier_order_id, l.rule_id, sum(l.amount_fen) AS fen FROM settlement_line l
        WHERE l.rule_id IS NOT NULL AND l.supplier_order_id IN (SELECT supplier_order_id FROM settling WHERE rule_id IS NOT NULL) GROUP BY 1, 2
    ), whole AS (
        SELECT s.posting_id, s.rule_id, s.amount_fen, (coalesce(b.fen, 0)
               + sum(s.amount_fen) OVER (PARTITION BY s.supplier_order_id, s.rule_id ORDER BY s.posting_id ROWS UNBOUNDED PRECEDING))::bigint AS fen
        FROM settling s LEFT JOIN before b USING (supplier_order_id, rule_id) WHERE s.rule_id IS NOT NULL
    )
    UPDATE settling s SET commission_fen = {commission_sql("w.fen", "r")} - {commission_sql("w.fen - w.amount_fen", "r")}
    FROM whole w JOIN commission_rule r ON r.id = w.rule_id WHERE w.posting_id = s.posting_id
    """
)
_COUNT = text("SELECT count(DISTINCT supplier_id) FROM settling WHERE hold IS NULL")
_SETTLE = text(
    f"""
    WITH sums AS (
        SELECT supplier_id, row_number() OVER (ORDER BY supplier_id) AS n, count(*) FILTER (WHERE hold IS NULL) AS line_count,
               coalesce(sum(amount_fen) FILTER (WHERE hold IS NULL AND kind = 'sale' AND amount_fen > 0), 0) AS sales,
               coalesce(sum(amount_fen) FILTER (WHERE hold IS NULL AND kind = 'sale' AND amount_fen < 0), 0) AS returns,
               coalesce(sum(amount_fen) FILTER (WHERE hold IS NULL AND kind = 'freight'), 0) AS freight,
               coalesce(sum(amount_fen) FILTER (WHERE hold IS NULL AND kind NOT IN ('sale', 'freight')), 0) AS other,
               sum(commission_fen) AS commission, coalesce(sum(amount_fen) FILTER (WHERE hold IS NOT NULL), 0) AS held
        FROM settling GROUP BY supplier_id HAVING count(*) FILTER (WHERE hold IS NULL) > 0
    ), net AS (
        SELECT s.*, s.sales + s.returns + s.freight + s.other - s.commission AS net,
               coalesce({carried_sql("last.carried_fen", "last.net_fen")}, 0) AS carried,
               greatest(coalesce((SELECT sum(p.amount_fen) FROM money_posting p WHERE p.party_id = s.supplier_id AND p.account = 'advances'), 0), 0)
                 AS advance
        FROM sums s LEFT JOIN LATERAL (SELECT carried_fen, net_fen FROM settlement x WHERE x.supplier_id = s.supplier_id
                                       ORDER BY x.period_end DESC LIMIT 1) last ON true
    ), used AS (SELECT n.*, {used_sql("n.carried", "n.net", "n.advance")} AS used FROM net n)
    INSERT INTO settlement (number, run_id, supplier_id, period_start, period_end, line_count, sales_fen, returns_fen, freight_fen, other_fen,
                            commission_fen, net_fen, carried_fen, advance_used_fen, due_fen, held_fen, objections_until, made_at)
    SELECT format('JS%s-%s', CAST(:year AS int), lpad((:first_number + n - 1)::text, 6, '0')), :run_id, supplier_id, :period_start, :until, line_count,
           sales, returns, freight, other, commission, net, carried, used, greatest(carried + net, 0) - used, held, :objections_until, :now
    FROM used ORDER BY n
    """
)
_LINES = text(
    """
    INSERT INTO settlement_line (posting_id, settlement_id, supplier_order_id, rule_id, amount_fen, commission_fen)
    SELECT g.posting_id, s.id, g.supplier_order_id, g.rule_id, g.amount_fen, g.commission_fen
    FROM settling g JOIN settlement s ON s.run_id = :run_id AND s.supplier_id = g.supplier_id WHERE g.hold IS NULL ORDER BY g.posting_id
    """
)
_HELD = text(
    """
    INSERT INTO settlement_held (settlement_id, posting_id, supplier_order_id, amount_fen, hold)
    SELECT s.id, g.posting_id, g.supplier_order_id, g.amount_fen, g.hold
    FROM settling g JOIN settlement s ON s.run_id = :run_id AND s.supplier_id = g.supplier_id WHERE g.hold IS NOT NULL
    """
)
_BOOK = text(
    """
    WITH part AS (
        SELECT s.id AS settlement_id, g.supplier_id, g.purchase_order_id, g.supplier_order_id AS id, sum(g.amount_fen)::bigint AS fen
        FROM settling g JOIN settlement s ON s.run_id = :run_id AND s.supplier_id = g.supplier_id
        WHERE g.hold IS NULL GROUP BY 1, 2, 3, 4 HAVING sum(g.amount_fen) <> 0
    ), side AS (
        SELECT settlement_id, 'payable' AS account, fen, supplier_id, purchase_order_id, id AS supplier_order_id FROM part
        UNION ALL SELECT id, 'commission', -commission_fen, supplier_id, NULL, NULL FROM settlement WHERE run_id = :run_id AND commission_fen <> 0
        UNION ALL SELECT id, 'settled', -net_fen, supplier_id, NULL, NULL FROM settlement WHERE run_id = :run_id AND net_fen <> 0
    ), booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT DISTINCT 'settlement', settlement_id, CAST(:today AS date), CAST(:now AS timestamptz) FROM side RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id, purchase_order_id, supplier_order_id)
    SELECT b.id, side.account, side.fen, side.supplier_id, side.purchase_order_id, side.supplier_order_id
    FROM booked b JOIN side ON side.settlement_id = b.origin_id ORDER BY side.supplier_order_id NULLS LAST
    """
)
_USE_ADVANCES = text(
    """
    WITH booked AS (
        INSERT INTO money_transaction (kind, origin_id, booked_on, recorded_at)
        SELECT 'advance_used', id, :today, :now FROM settlement WHERE run_id = :run_id AND advance_used_fen > 0 RETURNING id, origin_id
    )
    INSERT INTO money_posting (transaction_id, account, amount_fen, party_id)
    SELECT b.id, side.account, side.fen, s.supplier_id FROM booked b JOIN settlement s ON s.id = b.origin_id
    CROSS JOIN LATERAL (VALUES ('settled', s.advance_used_fen), ('advances', -s.advance_used_fen)) AS side (account, fen)
    """
)
_PAY = text(
    """
    INSERT INTO payout (settlement_id, supplier_id, amount_fen, returned_fen, drafted_by, drafted_at)
    SELECT id, supplier_id, due_fen, 0, :user_id, :now FROM settlement WHERE run_id = :run_id AND due_fen > 0 ORDER BY id
    """
)
_SETTLED_ALREADY = text("SELECT 1 FROM settlement_run WHERE period_end = :last AND run_by IS NULL")


def run(session: Session, actor: Actor, period_end: date | None = None) -> tuple[Period, int | None]:
    """Settle a period that is over (the latest, unless one is named) with every supplier of the caller's regions. Returns the period and the
    run's id; none if there was nothing to settle. Asked again, it settles only with whom there is no settlement of the period yet.

    Raises:
        PeriodNotOver: its last day is not past (409). NotAPeriod: no period ends on that day (422).
    """
    today = clock.today()
    cadence = config_of(session, today).settlement.period
    period = last_ended(today, cadence) if period_end is None else period_of(period_end, cadence)
    if period_end not in (None, period.last):
        raise NotAPeriod
    if period.last >= today:
        raise PeriodNotOver(last=str(period.last))
    return period, _run(session, actor, period, actor.regions(Permission.MONEY_MANAGE))


def run_due(session: Session) -> int:
    """Settle the latest period that is over with every supplier, once; returns how many settlements were made."""
    today = clock.today()
    period = last_ended(today, config_of(session, today).settlement.period)
    losing.alone(session)
    if session.execute(_SETTLED_ALREADY, {"last": period.last}).first() is not None:
        return 0
    run_id = _run(session, SYSTEM, period, [""])
    made = text("SELECT count(*) FROM settlement WHERE run_id = :run_id")
    return int(session.execute(made, {"run_id": run_id}).scalar_one())


def _run(session: Session, who: Who, period: Period, regions: Sequence[str]) -> int | None:
    losing.alone(session)
    losing.give_back(session)
    rules = config_of(session, clock.today()).settlement
    session.execute(text("SET LOCAL statement_timeout = '15min'"))
    for lock in _LOCK:
        session.execute(lock, {"until": period.last})
    session.execute(text("DROP TABLE IF EXISTS pg_temp.settling"))
    session.execute(_GATHER, parameters(rules, until=period.last, regions=regions))
    session.execute(text("ANALYZE settling"))
    count = session.execute(_COUNT).scalar_one()
    if not count and who.user_id is not None:
        return None
    now = clock.now()
    made = SettlementRun(period_start=period.first, period_end=period.last, run_by=who.user_id, run_at=now)
    session.add(made)
    session.flush()
    if not count:  # nothing to settle; and the clock need not ask again
        return made.id
    for statement in (_RULES, _ALLOWANCE_RULES, _COMMISSION):
        session.execute(statement)
    year = clock.shanghai_date(now).year
    values: dict[str, Any] = {
        **clock.present(),
        "run_id": made.id,
        "user_id": who.user_id,
        "year": year,
        "first_number": numbers.next_numbers(session, f"settlement:{year}", count)[0],
        "period_start": period.first,
        "until": period.last,
        "objections_until": clock.today() + timedelta(days=rules.objection_days),
    }
    for statement in (_SETTLE, _LINES, _HELD, _BOOK, _USE_ADVANCES, _PAY):
        session.execute(statement, values)
    audit.record(session, who, "settlement_run.made", "settlement_run", made.id, period_end=str(period.last), settlements=count)
    outbox.publish(session, "settlement_run.made", run_id=made.id)
    return made.id
