"""What one person of platform finance asked for and another has to approve or release, within the caller's reach."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.banking.errors import LineTaken
from orders.banking.queries.write_offs import LEFT_AGAIN
from orders.money.errors import ShownByBank
from orders.money.queries.shown import lines_of
from orders.refunds.queries import left as refunds_left
from orders.settlement.queries import left as payouts_left
from orders.waiting.schemas import WaitingKind, WaitingOut
from shop.core import clock, paging
from shop.core.paging import Page
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission
from shop.notifications.rules import PLACES

# what failed waits since then for whoever approves it again; what is approved, for a release by another person
_WAITING = text(
    f"""
    SELECT w.*, u.name AS asked_by_name, (extract(epoch FROM w.since) * 1000000)::bigint AS moment
    FROM (
        SELECT 'refund' AS kind, r.id, r.number, o.name AS party_name, r.amount_fen AS amount, r.requested_by AS asked_by, NULL::bigint AS drafted_by,
               r.requested_at AS since, o.region_code, NULL::date AS not_before, NULL::bigint AS attempt_id, NULL::bigint AS refund_id, false AS taken
        FROM refund r JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation o ON o.id = po.buyer_id WHERE r.status = 'requested'
        UNION ALL
        SELECT 'payout', p.id, s.number, o.name, p.amount_fen, p.approved_by, p.drafted_by, p.approved_at, o.region_code,
               CASE WHEN s.status IN ('open', 'answered') AND s.objections_until >= :today THEN s.objections_until + 1 END, NULL, NULL, false
        FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id WHERE p.status = 'approved'
        UNION ALL
        SELECT 'payout', p.id, s.number, o.name, p.amount_fen, NULL, NULL,
               (SELECT max(a.ended_at) FROM payout_attempt a WHERE a.payout_id = p.id), o.region_code, NULL, NULL, NULL, false
        FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id WHERE p.status = 'failed'
        UNION ALL
        SELECT 'payout_account', a.id, NULL, o.name, NULL, a.requested_by, NULL, a.requested_at, o.region_code, NULL, NULL, NULL, false
        FROM payout_account a JOIN organisation o ON o.id = a.supplier_id WHERE a.status = 'requested'
        UNION ALL
        SELECT 'advance', v.id, v.number, o.name, v.amount_fen, v.requested_by, NULL, v.requested_at, o.region_code, NULL, NULL, NULL, false
        FROM advance v JOIN organisation o ON o.id = v.supplier_id WHERE v.status = 'requested'
        UNION ALL
        SELECT 'advance', v.id, v.number, o.name, v.return_fen, v.return_asked_by, NULL, v.return_asked_at, o.region_code, NULL, NULL, NULL, false
        FROM advance v JOIN organisation o ON o.id = v.supplier_id WHERE v.status = 'returning'
        UNION ALL
        SELECT 'payer_declaration', d.id, NULL, o.name, NULL, d.declared_by, NULL, d.declared_at, o.region_code, NULL, NULL, NULL, false
        FROM payer_declaration d JOIN organisation o ON o.id = d.buyer_id WHERE d.status = 'declared'
        UNION ALL
        SELECT 'failure_report', f.id, coalesce(s.number, r.number), o.name, coalesce(p.amount_fen, r.amount_fen), f.requested_by, NULL, f.requested_at,
               o.region_code, NULL, f.attempt_id, f.refund_id, false
        FROM failure_report f LEFT JOIN payout_attempt a ON a.id = f.attempt_id LEFT JOIN payout p ON p.id = a.payout_id
        LEFT JOIN settlement s ON s.id = p.settlement_id LEFT JOIN refund r ON r.id = f.refund_id
        LEFT JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation o ON o.id = coalesce(p.supplier_id, po.buyer_id)
        WHERE f.status = 'requested' AND coalesce(a.outcome, r.status) IS DISTINCT FROM 'failed'
        UNION ALL
        SELECT 'bank_write_off', b.id, coalesce(s.number, r.number, v.number), coalesce(o.name, nullif(l.payer_name, '')), b.amount_fen, b.requested_by, NULL, b.requested_at, :city, NULL, NULL, NULL,
               l.matched_fen + b.amount_fen > abs(l.amount_fen)
        FROM bank_write_off b JOIN bank_line l ON l.id = b.line_id {LEFT_AGAIN.format(write_off="b")}
        WHERE b.status = 'requested'
    ) w LEFT JOIN app_user u ON u.id = w.asked_by
    WHERE w.region_code LIKE ANY (CAST(:regions AS text[])) AND (CAST(:kind AS text) IS NULL OR w.kind = :kind)
      AND (CAST(:own AS boolean) IS NULL OR coalesce(:user_id IN (w.asked_by, w.drafted_by), false) = :own)
      AND (CAST(:moment AS bigint) IS NULL
           OR ((extract(epoch FROM w.since) * 1000000)::bigint, w.kind COLLATE "C", w.id) > (:moment, CAST(:of AS text) COLLATE "C", CAST(:id AS bigint)))
    ORDER BY moment, w.kind COLLATE "C", w.id LIMIT :rows
    """  # noqa: S608
)


def waiting(
    session: Session, actor: Actor, *, kind: WaitingKind | None, own: bool | None, limit: int, after: str | None
) -> Page[WaitingOut]:
    """Everything that waits for a second person and is of those whose money the caller keeps; the oldest first."""
    start = paging.position(after, int, str, int)
    moment, of, the_id = start or (None, None, None)
    regions = actor.region_patterns(Permission.MONEY_MANAGE)
    values = {"kind": kind, "own": own, "user_id": actor.user_id, "regions": regions, "city": CITY, "today": clock.today()}
    rows = session.execute(_WAITING, {**values, "moment": moment, "of": of, "id": the_id, "rows": limit + 1}).all()
    blocked = _blocked(session, rows[:limit])

    def shown(row: Row[Any]) -> WaitingOut:
        return _shown(row, actor, blocked.get((row.kind, row.id)))

    return paging.page(rows, limit, shown, lambda row: [row.moment, row.kind, row.id])


def _blocked(session: Session, rows: Sequence[Row[Any]]) -> dict[tuple[str, int], str]:
    """The code by which an approval would be refused, as settled meanwhile: a line that is matched, one that shows what is said to have failed, or one that
    shows that a payout, or another refund of the order, has left, which is asked about."""
    found = {(row.kind, row.id): LineTaken.code for row in rows if row.taken}
    for transfers_of, of in ((payouts_left.transfers_of, "attempt_id"), (refunds_left.transfers_of, "refund_id")):
        reports = {getattr(row, of): (row.kind, row.id) for row in rows if getattr(row, of)}
        transfers = transfers_of(session, reports)
        lines = zip(transfers, lines_of(session, transfers), strict=True)
        found |= {reports[each.origin_id]: ShownByBank.code for each, line in lines if line is not None}
    again = {row.id: SimpleNamespace(settlement_number=row.number, passed_line_id=None) for row in rows if row.kind == "payout"}
    if again:
        found |= {("payout", the_id): refusals[0].code for the_id, refusals in payouts_left.left_before(session, again).items()}
    if refunds := [row.id for row in rows if row.kind == "refund"]:
        found |= {("refund", the_id): refusal.code for the_id, refusal in refunds_left.left_before(session, refunds).items()}
    return found


def _shown(row: Row[Any], actor: Actor, blocked_by: str | None) -> WaitingOut:
    fields = {name: getattr(row, name) for name in WaitingOut.model_fields if name not in ("link", "own", "blocked_by")}
    own = actor.user_id is not None and actor.user_id in (row.asked_by, row.drafted_by)
    return WaitingOut(**fields, link=PLACES[row.kind].format(id=row.id), own=own, blocked_by=blocked_by)
