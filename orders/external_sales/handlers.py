"""Who hears of claims, and documents of orders that claims may rest on."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting import matching
from orders.counting.actions import Use
from orders.counting.rules import DocumentKind, Subject
from orders.external_sales.actions import judging
from orders.external_sales.states import SaleMove
from orders.statistics import actions as statistics
from orders.tax_invoices.states import LIVE
from shop.core.audit import SYSTEM
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_SALE = text(
    "SELECT id, number, side, supplier_id, claimant_id, district_code, total_fen, reason FROM external_sale WHERE id = :id"
)
_INVOICE = text(
    """
    SELECT t.code, t.number, t.status, array_agg(DISTINCT so.purchase_order_id) AS orders
    FROM tax_invoice t JOIN tax_invoice_cover c ON c.tax_invoice_id = t.id JOIN supplier_order so ON so.id = c.supplier_order_id
    WHERE t.id = :id AND NOT t.red GROUP BY t.id
    """
)
_LINES_OF = text("SELECT id FROM sales_batch_line WHERE batch_id = ANY (CAST(:ids AS bigint[])) ORDER BY id")
_LIVE_INVOICES = text(
    """
    SELECT DISTINCT so.purchase_order_id, t.code, t.number, t.gross_fen
    FROM supplier_order so JOIN tax_invoice_cover c ON c.supplier_order_id = so.id JOIN tax_invoice t ON t.id = c.tax_invoice_id
    WHERE so.purchase_order_id = ANY (CAST(:orders AS bigint[])) AND NOT t.red AND t.status = ANY (CAST(:live AS text[]))
    """
)
_ORDER_OF = text(
    "SELECT so.purchase_order_id FROM shipment s JOIN supplier_order so ON so.id = s.supplier_order_id WHERE s.id = :id"
)
_WAYBILLS = text(
    """
    SELECT s.carrier, s.waybill FROM shipment s JOIN supplier_order so ON so.id = s.supplier_order_id
    WHERE so.purchase_order_id = :order AND s.waybill IS NOT NULL
    """
)
#: Which order something was accepted of: by the event that says so, and the member of its payload that is ``:id``.
_ACCEPTED = {
    event: (member, text(f"SELECT so.purchase_order_id FROM {source} JOIN supplier_order so ON so.id = {part} WHERE t.id = :id"))  # noqa: S608
    for event, member, source, part in (
        ("acceptance.recorded", "acceptance_id", "acceptance t", "t.supplier_order_id"),
        ("acceptance_correction.moved", "correction_id", "acceptance_correction t", "t.supplier_order_id"),
        ("voucher.redeemed", "voucher_id", "voucher t", "t.supplier_order_id"),
        ("vouchers.expired", "supplier_order_id", "supplier_order t", "t.id"),
    )
}
#: Moves of which the district's officers hear, as they have to act; of all others whoever claimed.
_FOR_OFFICERS = frozenset({SaleMove.SUBMIT, SaleMove.RELEASE})
#: Moves by which a claim enters a book.
_INTO_BOOKS = frozenset({SaleMove.ACCEPT, SaleMove.REINSTATE})


def _moved(session: Session, payload: dict[str, Any]) -> None:
    """Whoever has to act next hears of it; what counts, or does not any more, goes into the figures, and what is accepted is matched with the other
    book at once."""
    move = payload["move"]
    if move == SaleMove.WITHDRAW:
        return
    row = session.execute(_SALE, {"id": payload["sale_id"]}).one()
    officers = move in _FOR_OFFICERS
    notify(
        session,
        origin=f"external_sale.{move}:{row.id}:{payload['at']}",
        kind=f"external_sale.{move}",
        subject_type="external_sale",
        subject_id=row.id,
        organisation_id=None if officers else row.claimant_id,
        region_code=row.district_code if officers else None,
        number=row.number,
        amount=yuan_from_fen(row.total_fen),
        reason=row.reason,
    )
    if move in _INTO_BOOKS:
        matching.match_of(session, row.supplier_id)
    statistics.refresh(session)


def _invoiced(session: Session, payload: dict[str, Any]) -> None:
    """An invoice of an order is a document of the order as long as it counts: a claim that rests on it is held."""
    row = session.execute(_INVOICE, {"id": payload["tax_invoice_id"]}).first()
    if row is None:
        return
    live = session.execute(_LIVE_INVOICES, {"orders": row.orders, "live": [str(status) for status in LIVE]})
    uses = [Use(each.purchase_order_id, DocumentKind.INVOICE, _number(each), None, each.gross_fen) for each in live]
    _rest_on(session, row.orders, DocumentKind.INVOICE, uses, f"{_number(row)}: {row.status}")


def _sent(session: Session, payload: dict[str, Any]) -> None:
    """So are the waybills of its deliveries; one that was corrected is free again."""
    order_id = session.execute(_ORDER_OF, {"id": payload["shipment_id"]}).scalar_one()
    uses = [
        Use(order_id, DocumentKind.WAYBILL, row.waybill, row.carrier) for row in session.execute(_WAYBILLS, {"order": order_id})
    ]
    _rest_on(session, [order_id], DocumentKind.WAYBILL, uses, "waybill corrected")


def _rest_on(session: Session, order_ids: Sequence[int], kind: DocumentKind, uses: Sequence[Use], why: str) -> None:
    """Orders rest on these documents of a kind, and on no others: claims beside them are held, or free again."""
    counting.alone(session)
    before = counting.claims_beside(session, order_ids)
    counting.use(session, Subject.PURCHASE_ORDER, uses)
    counting.free_others(session, Subject.PURCHASE_ORDER, order_ids, kind, uses)
    counting.relieve(session, before, why)
    judging.settle(session, SYSTEM, sorted({*before, *counting.claims_beside(session, order_ids)}))


def _accepted(event: str) -> Handler:
    """What was accepted here may be what a seller claimed before."""
    member, statement = _ACCEPTED[event]

    def judge(session: Session, payload: dict[str, Any]) -> None:
        counting.alone(session)
        order_ids = session.execute(statement, {"id": payload[member]}).scalars().all()
        if alike := counting.claims_like_orders(session, order_ids):
            judging.judge(session, alike)

    return judge


def _counted(session: Session, payload: dict[str, Any]) -> None:
    """So may be what an outlet sold."""
    counting.alone(session)
    if alike := counting.claims_like_batches(session, payload["batch_ids"]):
        judging.judge(session, alike)


def _undone(session: Session, payload: dict[str, Any]) -> None:
    """What was held against batches that were corrected or taken back is judged anew. Here and not where they are: nobody else judges meanwhile, so
    that what was held in the same moment is seen, too."""
    counting.alone(session)
    lines = session.execute(_LINES_OF, {"ids": payload["batch_ids"]}).scalars().all()
    judging.settle(session, SYSTEM, counting.end(session, Subject.SALES_BATCH_LINE, lines, "replaced"))


def _number(invoice: Any) -> str:
    return f"{invoice.code or ''}{invoice.number}"


HANDLERS: dict[str, Handler] = {
    **{event: _accepted(event) for event in _ACCEPTED},
    "external_sale.moved": _moved,
    "sales_batch.counted": _counted,
    "sales_batch.undone": _undone,
    "shipment.corrected": _sent,
    "shipment.sent": _sent,
    "tax_invoice.moved": _invoiced,
}
