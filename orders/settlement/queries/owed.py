"""What suppliers are owed and no settlement has taken up yet, each with why it has to wait, if it has.

One statement over all of it. Its parameters are those of :func:`parameters`.
"""

# ruff: noqa: S608  statements are put together from constants only

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import stop_sql, stopped_at_sql
from orders.disputes.states import UNDECIDED
from orders.money.queries import NOT_ARRIVED, PAID
from orders.purchasing.queries import PAYABLE
from orders.returns.states import ENDED
from orders.settlement.rules import LIFTABLE, Hold
from shop.core import clock
from shop.programmes.schemas import SettlementRules

_UNDECIDED = ", ".join(f"'{status}'" for status in UNDECIDED)
_ENDED = ", ".join(f"'{status}'" for status in ENDED)

#: SQL: supplier order ``so`` has a tax invoice that nobody doubts.
INVOICED = """EXISTS (SELECT FROM tax_invoice_cover i JOIN tax_invoice t ON t.id = i.tax_invoice_id
    WHERE i.supplier_order_id = so.id AND NOT t.red AND t.status IN ('registered', 'cleared'))"""

#: SQL: the supplier ``sup`` is suspended, or barred today.
_BARRED = """(sup.status = 'suspended' OR EXISTS (
    SELECT FROM blacklist_entry b WHERE b.organisation_id = sup.id AND b.lifted_at IS NULL AND :today BETWEEN b.from_on AND b.until_on))"""

#: SQL: the certificate ``c`` under which something was sold is suspended, held or revoked now.
_STOPPED = f"{stop_sql('c')} IN ('revoked', 'suspended', 'held') AND {stopped_at_sql('c')} <= :now"

#: SQL: why the part ``so`` of an order may wait and platform finance may lift it, whatever is told first and whether it was settled or not.
_LIFTABLE = {
    Hold.SUPPLIER_BLOCKED: f"EXISTS (SELECT FROM organisation sup WHERE sup.id = so.supplier_id AND {_BARRED})",
    Hold.CERTIFICATE_STOPPED: f"""EXISTS (SELECT FROM sale_entry e JOIN certificate c ON c.id = e.certificate_id
        WHERE e.supplier_order_id = so.id AND {_STOPPED})""",
    Hold.NO_INVOICE: f":needs_invoice AND NOT {INVOICED}",
}
assert set(_LIFTABLE) == set(LIFTABLE)

#: SQL: a line of settlement ``:id`` was sold under a certificate that is stopped by now, and nobody lifted that hold of its part.
_STOPPED_SINCE = text(
    f"""
    SELECT EXISTS (
        SELECT FROM settlement_line l JOIN money_posting p ON p.id = l.posting_id JOIN sale_entry e ON e.id = p.sale_entry_id
        JOIN certificate c ON c.id = e.certificate_id
        WHERE l.settlement_id = :id AND {_STOPPED} AND NOT EXISTS (
            SELECT FROM hold_lift h WHERE h.supplier_order_id = l.supplier_order_id AND h.hold = '{Hold.CERTIFICATE_STOPPED}'))
    """
)

#: SQL: what is owed by the end of ``:until`` to suppliers within reach.
_OPEN = """
    SELECT p.id AS posting_id, -p.amount_fen AS amount_fen, p.party_id AS supplier_id, p.purchase_order_id, p.supplier_order_id, p.sale_entry_id,
           t.kind, t.booked_on, e.category, e.certificate_id, t.kind = 'freight' OR e.origin_kind = 'acceptance_line' AS arrived
    FROM money_posting p
    JOIN money_transaction t ON t.id = p.transaction_id
    LEFT JOIN sale_entry e ON e.id = p.sale_entry_id
    WHERE p.account = 'payable' AND t.kind <> 'settlement' AND t.booked_on <= :until
      AND NOT EXISTS (SELECT FROM settlement_line l WHERE l.posting_id = p.id)
      AND p.party_id IN (SELECT o.id FROM organisation o WHERE (o.path LIKE CAST(:branch AS text) OR o.region_code LIKE ANY (CAST(:regions AS text[])))
                         AND (CAST(:supplier_id AS bigint) IS NULL OR o.id = :supplier_id))
"""

#: SQL, to be followed by a SELECT from ``judged``: everything that is owed, with ``hold``, null where it can be settled.
#: What the buyer paid for an order is shared out over its parts by what they cost (``shop.core.money.share_out`` says how); of each part the
#: oldest is paid for first. What goes back is taken up before what comes, so that it never pushes anything above what was paid.
JUDGED = f"""
WITH owed AS ({_OPEN}),
part AS (
    SELECT so.id, so.purchase_order_id,
           {_BARRED} AS blocked,
           EXISTS (SELECT FROM dispute d WHERE d.supplier_order_id = so.id AND d.status IN ({_UNDECIDED})) AS disputed,
           EXISTS (SELECT FROM goods_return g WHERE g.supplier_order_id = so.id AND g.status NOT IN ({_ENDED})) AS returning,
           :needs_invoice AND NOT {INVOICED} AS uninvoiced,
           ARRAY(SELECT h.hold FROM hold_lift h WHERE h.supplier_order_id = so.id) AS lifted
    FROM supplier_order so JOIN organisation sup ON sup.id = so.supplier_id WHERE so.id IN (SELECT supplier_order_id FROM owed)
),
paid AS (
    SELECT o.id, {PAID.format(order="o.id")} AS announced, {NOT_ARRIVED.format(order="o.id")} AS not_arrived
    FROM (SELECT DISTINCT purchase_order_id AS id FROM part WHERE :when_paid) o
),
cost AS (
    SELECT so.id, so.purchase_order_id, greatest({PAYABLE}, 0)::numeric AS fen
    FROM supplier_order so WHERE so.purchase_order_id IN (SELECT id FROM paid)
),
weighed AS (
    SELECT w.*, least(greatest(p.announced - CASE WHEN :received THEN p.not_arrived ELSE 0 END, 0), w.total) AS there, p.announced
    FROM (SELECT c.*, sum(c.fen) OVER (PARTITION BY c.purchase_order_id) AS total FROM cost c) w JOIN paid p ON p.id = w.purchase_order_id
),
cut AS (
    SELECT w.*, coalesce(div(w.there * w.fen, nullif(w.total, 0)), 0) AS least_fen, mod(w.there * w.fen, nullif(w.total, 0)) AS rest FROM weighed w
),
share AS (
    SELECT c.id, c.there >= c.total AS all_there, c.announced >= c.total AS all_announced,
           c.least_fen + CASE WHEN row_number() OVER (PARTITION BY c.purchase_order_id ORDER BY c.rest DESC NULLS LAST, c.id)
                                   <= c.there - sum(c.least_fen) OVER (PARTITION BY c.purchase_order_id) THEN 1 ELSE 0 END AS fen
    FROM cut c
),
before AS (
    SELECT l.supplier_order_id AS id, sum(l.amount_fen) AS fen FROM settlement_line l WHERE l.supplier_order_id IN (SELECT id FROM part) GROUP BY 1
),
held AS (
    SELECT o.*, CASE
        -- what its buyer's bank took back, or gave back, waits for nothing that is argued over here
        WHEN o.kind = 'loss_borne' THEN NULL
        WHEN p.blocked AND '{Hold.SUPPLIER_BLOCKED}' <> ALL (p.lifted) THEN '{Hold.SUPPLIER_BLOCKED}'
        WHEN p.disputed THEN '{Hold.DISPUTE}'
        WHEN p.returning THEN '{Hold.RETURN_OPEN}'
        WHEN {_STOPPED} AND '{Hold.CERTIFICATE_STOPPED}' <> ALL (p.lifted)
             THEN '{Hold.CERTIFICATE_STOPPED}'
        -- what follows an acceptance (a return, a correction) waits as long as what of the same part waits itself
        WHEN CASE WHEN o.arrived THEN o.booked_on + :hold_days >= :today
             ELSE bool_or(o.arrived AND o.booked_on + :hold_days >= :today) OVER (PARTITION BY o.supplier_order_id) END THEN '{Hold.RETURN_WINDOW}'
        WHEN p.uninvoiced AND '{Hold.NO_INVOICE}' <> ALL (p.lifted) THEN '{Hold.NO_INVOICE}' END AS hold
    FROM owed o JOIN part p ON p.id = o.supplier_order_id LEFT JOIN certificate c ON c.id = o.certificate_id
),
counted AS (
    SELECT h.*, sum(h.amount_fen) FILTER (WHERE h.hold IS NULL)
                OVER (PARTITION BY h.supplier_order_id ORDER BY h.amount_fen > 0, h.posting_id ROWS UNBOUNDED PRECEDING) AS so_far
    FROM held h
),
judged AS (
    SELECT c.posting_id, c.amount_fen, c.supplier_id, c.purchase_order_id, c.supplier_order_id, c.sale_entry_id, c.kind, c.booked_on, c.category,
           CASE WHEN c.hold IS NOT NULL OR NOT :when_paid OR c.amount_fen < 0 OR c.so_far <= s.fen - coalesce(b.fen, 0) THEN c.hold
                WHEN s.all_there THEN '{Hold.WENT_BACK}' WHEN s.all_announced THEN '{Hold.NOT_RECEIVED}' ELSE '{Hold.UNPAID}' END AS hold,
           CASE WHEN c.hold = '{Hold.RETURN_WINDOW}' AND c.arrived THEN c.booked_on + :hold_days END AS waits_until
    FROM counted c LEFT JOIN share s ON s.id = c.supplier_order_id LEFT JOIN before b ON b.id = c.supplier_order_id
)
"""


def is_barred(session: Session, supplier_id: int) -> bool:
    """Whether a supplier is suspended, or barred today: what it is owed is not paid without a reason."""
    statement = text(f"SELECT {_BARRED} FROM organisation sup WHERE sup.id = :id")
    return bool(session.execute(statement, {"id": supplier_id, "today": clock.today()}).scalar_one())


def is_stopped(session: Session, settlement_id: int) -> bool:
    """Whether a certificate of something that a settlement took up is stopped by now, and that hold was not lifted."""
    return bool(session.execute(_STOPPED_SINCE, {"id": settlement_id, **clock.present()}).scalar_one())


def has_hold(session: Session, supplier_order_id: int, hold: Hold, rules: SettlementRules) -> bool:
    """Whether one of the holds that may be lifted applies to a part of an order by now."""
    statement = text(f"SELECT {_LIFTABLE[hold]} FROM supplier_order so WHERE so.id = :id")
    values = {"id": supplier_order_id, "needs_invoice": rules.needs_invoice, **clock.present()}
    return bool(session.execute(statement, values).scalar_one())


def parameters(
    rules: SettlementRules,
    *,
    until: date,
    regions: Sequence[str] = ("",),
    branch: str | None = None,
    supplier_id: int | None = None,
) -> dict[str, Any]:
    """The parameters of :data:`JUDGED`: what was booked up to ``until``, of suppliers in regions with these prefixes or below ``branch``."""
    return {
        **clock.present(),
        "until": until,
        "regions": [f"{prefix}%" for prefix in regions],
        "branch": branch,
        "supplier_id": supplier_id,
        "hold_days": rules.hold_days,
        "when_paid": rules.when_paid,
        "received": rules.paid_means == "received",
        "needs_invoice": rules.needs_invoice,
    }
