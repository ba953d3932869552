"""What the supplier does with a return, and what becomes of the sale and the stock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.states import stopped_at_sql
from catalog.stock import actions as stock
from orders.invoices import actions as invoices
from orders.invoices.rules import CreditReason
from orders.ledger import actions as ledger
from orders.returns import rules
from orders.returns.actions import balances
from orders.returns.actions.moving import locked, locked_for_officer, step
from orders.returns.errors import CertificateStopped, ReceiptLinesWrong
from orders.returns.schemas import ApproveIn, ReceiptIn, SendIn
from orders.returns.states import RETURN, ReturnKind, ReturnMove, ReturnStatus
from orders.terms import actions as terms
from shop.core import audit, clock
from shop.core.errors import IfMatch, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

_DECIDED = text(
    "UPDATE goods_return SET decided_by = :user, decided_at = :now, decision_note = :note, without_goods = :without_goods WHERE id = :id"
)
_LINES = text(
    """
    SELECT r.id, r.acceptance_line_id, r.order_line_id, r.quantity, l.sku_id, s.step, s.unit,
           CASE WHEN g.without_goods THEN r.quantity ELSE r.received_quantity END AS to_send
    FROM goods_return_line r JOIN goods_return g ON g.id = r.goods_return_id JOIN order_line l ON l.id = r.order_line_id
    JOIN sku s ON s.id = l.sku_id
    WHERE r.goods_return_id = :id ORDER BY r.id
    """
)
_RECEIVED = text(
    """
    UPDATE goods_return_line r SET received_quantity = u.received, restocked_quantity = u.restocked
    FROM unnest(CAST(:ids AS bigint[]), CAST(:received AS numeric[]), CAST(:restocked AS numeric[])) AS u (id, received, restocked)
    WHERE r.id = u.id
    """
)
_STOPPED = text(
    f"""
    SELECT DISTINCT c.number FROM goods_return_line r JOIN order_line l ON l.id = r.order_line_id JOIN certificate c ON c.id = l.certificate_id
    WHERE r.goods_return_id = :id AND {stopped_at_sql("c")} IS NOT NULL ORDER BY c.number
    """  # noqa: S608
)
_ALL_RECEIVED = text(
    "WITH line AS (UPDATE goods_return_line SET received_quantity = quantity WHERE goods_return_id = :id)"
    " UPDATE goods_return SET received_at = :now WHERE id = :id"
)
_ENTRIES = text(
    "SELECT r.id, b.entry_id FROM goods_return_line r JOIN acceptance_balance b USING (acceptance_line_id) WHERE r.goods_return_id = :id"
    " ORDER BY b.acceptance_line_id FOR UPDATE OF b"
)
_BOOKED = text(
    """
    WITH booked AS (
        UPDATE goods_return_line r SET returned_quantity = u.quantity, grams = u.grams, amount_fen = u.amount_fen, reversal_id = u.reversal_id
        FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[]), CAST(:amounts AS bigint[]),
                    CAST(:reversals AS bigint[])) AS u (id, quantity, grams, amount_fen, reversal_id)
        WHERE r.id = u.id RETURNING u.amount_fen
    )
    UPDATE goods_return SET refund_fen = (SELECT coalesce(sum(amount_fen), 0) FROM booked) WHERE id = :id
    """
)


def approve(session: Session, actor: Actor, return_id: int, body: ApproveIn, if_match: IfMatch = any_version) -> None:
    """Let the goods come back; or take the sale back without them, where there is no point in sending them.

    Raises:
        NotFound: not a return to the caller's organisation (404). Changed: another version than the caller read (412).
        IllegalMove: it was decided already (409).
    """
    row = locked(session, actor, return_id, "supplier", if_match)
    move = ReturnMove.APPROVE_WITHOUT_GOODS if body.without_goods else ReturnMove.APPROVE
    # first, so that one that was refused is told as that: its note must not be emptied
    step(session, actor, row, move, reason=body.note)
    _decided(session, actor, return_id, body.note, without_goods=body.without_goods)
    if body.without_goods and row.kind == ReturnKind.RETURN:
        whole = {line.id: line.quantity for line in session.execute(_LINES, {"id": return_id})}
        _take_sale_back(session, actor, return_id, whole)


def refuse(session: Session, actor: Actor, return_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Refuse it, with the reason; the buyer may open a dispute about that. Raises as :func:`approve`."""
    row = locked(session, actor, return_id, "supplier", if_match)
    _decided(session, actor, return_id, reason, without_goods=False)
    step(session, actor, row, ReturnMove.REFUSE, reason=reason)
    balances.let_go(session, return_id)


def overrule(session: Session, officer: Actor, return_id: int, reason: str) -> None:
    """Approve a return that the supplier refused or left unanswered, because a dispute was decided so. Of one whose goods are on their way,
    or that waits for goods in exchange, the sale is taken back at once: the supplier does not say what came, or has nothing to send. The
    officer's reach was checked there.

    Raises:
        IllegalMove: it is not sent yet though approved, or is over (409).
        AboveAccepted: the goods were asked back again since, or given back (409).
    """
    row = locked_for_officer(session, return_id)
    if row.status == ReturnStatus.RECEIVED:
        _refund_what_came(session, officer, return_id, reason)
        return
    step(session, officer, row, ReturnMove.OVERRULE, reason=reason)
    lines = session.execute(_LINES, {"id": return_id}).all()
    if row.status == ReturnStatus.SENT:
        session.execute(_ALL_RECEIVED, {"id": return_id, "now": clock.now()})
        _take_sale_back(session, officer, return_id, {line.id: line.quantity for line in lines}, reason=reason)
        return
    _decided(session, officer, return_id, reason, without_goods=False)
    if row.status == ReturnStatus.REFUSED:
        balances.hold(session, {line.acceptance_line_id: line.quantity for line in lines})


def receive(session: Session, actor: Actor, return_id: int, body: ReceiptIn, if_match: IfMatch = any_version) -> None:
    """Say what came back and what of it goes into stock again. The sale of what came back is taken back in the ledger, today; an exchange
    waits for the goods that are sent instead. What did not come back stays sold.

    Raises:
        NotFound: not a return to the caller's organisation (404). Changed: another version than the caller read (412).
        IllegalMove: it is not on its way (409).
        ReceiptLinesWrong: unknown lines, more than was sent, a wrong step (422).
    """
    row = locked(session, actor, return_id, "supplier", if_match)
    step(session, actor, row, ReturnMove.RECEIVE)
    lines = session.execute(_LINES, {"id": return_id}).all()
    told = (
        None if body.lines is None else [rules.Receipt(one.id, one.received_quantity, one.restock_quantity) for one in body.lines]
    )
    receipts, faults = rules.to_receive({line.id: (line.quantity, line.step, line.unit) for line in lines}, told)
    if faults:
        raise ReceiptLinesWrong(count=len(faults), faults=faults)
    given = [receipts[line.id] for line in lines]
    session.execute(
        _RECEIVED,
        {
            "ids": [one.line_id for one in given],
            "received": [one.received for one in given],
            "restocked": [one.restocked for one in given],
        },
    )
    session.execute(text("UPDATE goods_return SET received_at = :now WHERE id = :id"), {"id": return_id, "now": clock.now()})
    back = [(line, receipts[line.id].restocked) for line in lines if receipts[line.id].restocked]
    if row.kind == ReturnKind.RETURN or not any(one.received for one in given):
        _take_sale_back(session, actor, return_id, {one.line_id: one.received for one in given}, into_stock=back)
    elif back:
        stock.take_back(session, **_moved(back))


def replace(session: Session, actor: Actor, return_id: int, body: SendIn, if_match: IfMatch = any_version) -> None:
    """Send the same goods again for those that came back. The first sale stands for them: nothing is paid or counted twice.

    Raises:
        NotFound: not a return to the caller's organisation (404). Changed: another version than the caller read (412).
        IllegalMove: nothing is to be sent (409).
        CertificateStopped: the goods lost their certificate (409). StockShort: there is not enough in stock (409).
    """
    row = locked(session, actor, return_id, "supplier", if_match)
    step(session, actor, row, ReturnMove.REPLACE)
    if stopped := list(session.execute(_STOPPED, {"id": return_id, **clock.present()}).scalars()):
        raise CertificateStopped(certificates=", ".join(stopped))
    lines = session.execute(_LINES, {"id": return_id}).all()
    sent = [(line, line.to_send) for line in lines if line.to_send]
    stock.replace(session, **_moved(sent))
    session.execute(
        text(
            "UPDATE goods_return_line r SET replaced_quantity = u.quantity"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[])) AS u (id, quantity) WHERE r.id = u.id"
        ),
        {"ids": [line.id for line, _ in sent], "quantities": [quantity for _, quantity in sent]},
    )
    session.execute(
        text("UPDATE goods_return SET replacement_carrier = :carrier, replacement_waybill = :waybill WHERE id = :id"),
        {"id": return_id, **body.model_dump()},
    )


def refund(session: Session, actor: Actor, return_id: int, note: str | None, if_match: IfMatch = any_version) -> None:
    """Take the sale back after all, because the goods of an exchange cannot be sent again.

    Raises:
        NotFound: not a return to the caller's organisation (404). Changed: another version than the caller read (412).
        IllegalMove: it is not an exchange that waits for its goods (409).
    """
    row = locked(session, actor, return_id, "supplier", if_match)
    RETURN.after(row.status, ReturnMove.REFUND)
    _refund_what_came(session, actor, return_id, note)


def _refund_what_came(session: Session, actor: Actor, return_id: int, reason: str | None) -> None:
    """Take the sale back of what an exchange would have replaced."""
    lines = session.execute(_LINES, {"id": return_id}).all()
    _take_sale_back(session, actor, return_id, {line.id: line.to_send for line in lines}, reason=reason)


def _take_sale_back(
    session: Session,
    actor: Actor,
    return_id: int,
    quantities: Mapping[int, Decimal],
    *,
    into_stock: Sequence[tuple[Any, Decimal]] = (),
    reason: str | None = None,
) -> None:
    """The end of a return: so much of each line is no longer sold, by new entries of the ledger on today's date."""
    row = locked_for_officer(session, return_id)
    entries = {line.id: line.entry_id for line in session.execute(_ENTRIES, {"id": return_id}) if quantities[line.id]}
    done = (
        ledger.reverse_parts(session, {entry_id: quantities[line_id] for line_id, entry_id in entries.items()}) if entries else {}
    )
    booked = [(line_id, done[entry_id]) for line_id, entry_id in entries.items()]
    session.execute(
        _BOOKED,
        {
            "id": return_id,
            "ids": [line_id for line_id, _ in booked],
            "quantities": [one.part.quantity for _, one in booked],
            "grams": [one.part.grams for _, one in booked],
            "amounts": [one.part.amount_fen for _, one in booked],
            "reversals": [one.correction_id for _, one in booked],
        },
    )
    balances.let_go(session, return_id)
    if into_stock:
        stock.take_back(session, **_moved(into_stock))
    invoices.follow(session, row.supplier_order_id, CreditReason.RETURN)
    terms.redraw_part(session, row.supplier_order_id)
    refunded = sum(one.part.amount_fen for _, one in booked)
    audit.record(
        session,
        actor,
        "goods_return.booked",
        "goods_return",
        return_id,
        refund=yuan_from_fen(refunded),
        entries=[one.correction_id for _, one in booked],
    )
    step(session, actor, row, ReturnMove.REFUND, reason=reason)


def _moved(lines: Sequence[tuple[Any, Decimal]]) -> dict[str, list[Any]]:
    return {
        "sku_ids": [line.sku_id for line, _ in lines],
        "quantities": [quantity for _, quantity in lines],
        "order_line_ids": [line.order_line_id for line, _ in lines],
    }


def _decided(session: Session, actor: Actor, return_id: int, note: str | None, *, without_goods: bool) -> None:
    values = {"id": return_id, "user": actor.user_id, "now": clock.now(), "note": note, "without_goods": without_goods}
    session.execute(_DECIDED, values)
