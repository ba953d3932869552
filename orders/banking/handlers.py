"""What follows an import, and who hears what waits for a second person and what was decided."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.matching import match_by_rule
from orders.banking.states import FailureStatus, PayerStatus, WriteOffStatus
from shop.core import clock, outbox
from shop.core.money import yuan_from_fen
from shop.core.outbox import Handler
from shop.identity.actor import CITY
from shop.identity.permissions import Permission
from shop.notifications.actions import notify, notify_persons, notify_second

#: Lines that are matched in one transaction: few enough that nobody waits long for their orders.
CHUNK = 1000
_NEXT = text("SELECT id FROM bank_line WHERE statement_id = :statement_id AND id > :after ORDER BY id LIMIT :count")
_OPEN = text(
    "SELECT id FROM bank_line WHERE matched_fen = 0 AND automatic AND matched_fen < abs(amount_fen) AND booked_on >= :today - 90"
    " AND (CAST(:before AS bigint) IS NULL OR id < :before) ORDER BY id DESC LIMIT :count"
)

_PAYER = text(
    "SELECT d.*, buyer.name AS buyer, buyer.region_code FROM payer_declaration d JOIN organisation buyer ON buyer.id = d.buyer_id WHERE d.id = :id"
)
_WRITE_OFF = text("SELECT * FROM bank_write_off WHERE id = :id")
_FAILURE = text(
    """
    SELECT f.id, f.status, f.requested_by, a.id IS NOT NULL AND a.outcome IS NULL AS on_list, coalesce(s.number, r.number) AS number, coalesce(p.amount_fen, r.amount_fen) AS amount_fen, o.region_code
    FROM failure_report f LEFT JOIN payout_attempt a ON a.id = f.attempt_id LEFT JOIN payout p ON p.id = a.payout_id
    LEFT JOIN settlement s ON s.id = p.settlement_id LEFT JOIN refund r ON r.id = f.refund_id
    LEFT JOIN purchase_order po ON po.id = r.purchase_order_id JOIN organisation o ON o.id = coalesce(p.supplier_id, po.buyer_id) WHERE f.id = :id
    """
)


def _imported(session: Session, payload: dict[str, Any]) -> None:
    """Match the new lines, some at a time."""
    statement_id = payload["bank_statement_id"]
    ids = session.execute(_NEXT, {"statement_id": statement_id, "after": payload["after"], "count": CHUNK}).scalars().all()
    match_by_rule(session, ids)
    if len(ids) == CHUNK:
        outbox.publish(session, "bank_statement.imported", bank_statement_id=statement_id, after=ids[-1])


def match_open(session: Session, before: int | None = None) -> int:
    """Match open lines of the last 90 days by what is known by now: payments announced, payers approved, orders placed after the import. The
    newest come first; the others follow, some at a time. Returns how many of the first were matched."""
    ids = session.execute(_OPEN, {"today": clock.today(), "before": before, "count": CHUNK}).scalars().all()
    if len(ids) == CHUNK:
        outbox.publish(session, "bank_lines.open", before=ids[-1])
    return match_by_rule(session, ids)


def _more_open(session: Session, payload: dict[str, Any]) -> None:
    match_open(session, payload["before"])


def _declared(session: Session, payload: dict[str, Any]) -> None:
    """Who may approve a payer, but for who declared it, hears that it waits."""
    row = session.execute(_PAYER, {"id": payload["payer_declaration_id"]}).one()
    if row.status == PayerStatus.DECLARED:
        notify_second(
            session,
            Permission.MONEY_MANAGE,
            row.region_code,
            but=[row.declared_by],
            origin=f"payer_declaration.waiting:{row.id}",
            kind="payer_declaration.waiting",
            subject_type="payer_declaration",
            subject_id=row.id,
            payer=row.payer_name,
            buyer=row.buyer,
        )


def _decided(session: Session, payload: dict[str, Any]) -> None:
    """The buyer hears whether somebody else may pay for it."""
    row = session.execute(_PAYER, {"id": payload["payer_declaration_id"]}).one()
    if row.status not in ("approved", "refused"):
        return
    notify(
        session,
        origin=f"payer_declaration.{row.status}:{row.id}",
        kind=f"payer_declaration.{row.status}",
        subject_type="payer_declaration",
        subject_id=row.id,
        organisation_id=row.buyer_id,
        payer=row.payer_name,
    )


def _write_off_moved(session: Session, payload: dict[str, Any]) -> None:
    """Who may approve it, but for who asked, hears that it waits; who asked hears what was decided."""
    row = session.execute(_WRITE_OFF, {"id": payload["bank_write_off_id"]}).one()
    told: dict[str, Any] = {"subject_type": "bank_write_off", "subject_id": row.id, "amount": yuan_from_fen(row.amount_fen)}
    if payload["status"] in (WriteOffStatus.APPROVED, WriteOffStatus.REFUSED):
        kind = f"bank_write_off.{payload['status']}"
        notify_persons(session, [row.requested_by], origin=f"{kind}:{row.id}", kind=kind, **told)
    elif row.status == WriteOffStatus.REQUESTED:
        kind = "bank_write_off.waiting"
        notify_second(session, Permission.MONEY_MANAGE, CITY, but=[row.requested_by], origin=f"{kind}:{row.id}", kind=kind, **told)


def _failure_moved(session: Session, payload: dict[str, Any]) -> None:
    """Who may confirm it, but for who said it, hears that it waits; who said it hears what was decided."""
    row = session.execute(_FAILURE, {"id": payload["failure_report_id"]}).one()
    told: dict[str, Any] = {
        "subject_type": "failure_report",
        "subject_id": row.id,
        "number": row.number,
        "amount": yuan_from_fen(row.amount_fen),
    }
    if payload["status"] in (FailureStatus.APPROVED, FailureStatus.REFUSED):
        kind = f"failure_report.{payload['status']}"
        notify_persons(session, [row.requested_by], origin=f"{kind}:{row.id}", kind=kind, **told)
    elif row.status == FailureStatus.REQUESTED:
        kind, but = f"failure_report.waiting{'_listed' if row.on_list else ''}", [row.requested_by]
        notify_second(session, Permission.MONEY_MANAGE, row.region_code, but=but, origin=f"{kind}:{row.id}", kind=kind, **told)


HANDLERS: dict[str, Handler] = {
    "bank_lines.open": _more_open,
    "bank_statement.imported": _imported,
    "bank_write_off.moved": _write_off_moved,
    "failure_report.moved": _failure_moved,
    "payer_declaration.declared": _declared,
    "payer_declaration.decided": _decided,
}
