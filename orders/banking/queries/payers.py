"""Reading who may pay for whom, what a transfer has to say, and files of refunds."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.importing import own_account, require_keeper
from orders.banking.schemas.payers import PayerDeclarationOut, RefundFileOut, TransferInstructionsOut
from orders.banking.states import FileStatus, PayerStatus
from orders.money.references import payment_reference, printed
from orders.payments.actions import due_fen
from orders.purchasing import queries as purchasing
from shop.core import paging
from shop.core.errors import NotFound
from shop.core.exports import Cell
from shop.core.money import yuan
from shop.core.paging import Page
from shop.core.settings import settings
from shop.identity.actor import CITY, Actor
from shop.identity.permissions import Permission

_DECLARATION = """
    SELECT d.*, buyer.name AS buyer_name, u.name AS declared_by_name, decided.name AS decided_by_name FROM payer_declaration d
    JOIN organisation buyer ON buyer.id = d.buyer_id JOIN app_user u ON u.id = d.declared_by LEFT JOIN app_user decided ON decided.id = d.decided_by
    WHERE (buyer.path LIKE CAST(:branch AS text) OR buyer.region_code LIKE ANY (CAST(:regions AS text[]))
           OR EXISTS (SELECT FROM purchase_order po JOIN organisation unit ON unit.id = po.ordering_unit_id
                      WHERE po.id = d.purchase_order_id AND unit.path LIKE CAST(:branch AS text)))
"""
_ONE = text(f"{_DECLARATION} AND d.id = :id")
_MANY = text(
    f"""{_DECLARATION} AND (CAST(:status AS text) IS NULL OR d.status = :status) AND (CAST(:buyer_id AS bigint) IS NULL OR d.buyer_id = :buyer_id)
    AND (CAST(:start AS bigint) IS NULL OR d.id < :start) ORDER BY d.id DESC LIMIT :rows"""
)
_OF_ORDER = text(
    """
    SELECT po.number, buyer.name AS buyer_name,
           (SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM payment p WHERE p.purchase_order_id = po.id AND p.source = 'announced'
            AND p.undone_at IS NULL AND p.shown_at IS NULL) AS announced,
           (SELECT min(d.due_on) FROM payment_due d WHERE d.purchase_order_id = po.id AND d.paid_fen < d.amount_fen) AS due_on,
           (SELECT array_agg(d.payer_name ORDER BY d.id) FROM payer_declaration d WHERE d.status = 'approved' AND d.buyer_id = po.buyer_id
            AND (d.purchase_order_id IS NULL OR d.purchase_order_id = po.id)) AS approved
    FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id WHERE po.id = :id
    """
)
_FILE = """
    SELECT f.*, f.total_fen AS total, u.name AS made_by_name, voided.name AS voided_by_name,
           (SELECT array_agg(l.refund_id ORDER BY l.line_no) FROM refund_file_line l WHERE l.refund_file_id = f.id) AS refund_ids
    FROM refund_file f JOIN app_user u ON u.id = f.made_by LEFT JOIN app_user voided ON voided.id = f.voided_by
"""
_ONE_FILE = text(f"{_FILE} WHERE f.id = :id")
_FILES = text(
    f"{_FILE} WHERE (CAST(:status AS text) IS NULL OR f.status = :status) AND (CAST(:start AS bigint) IS NULL OR f.id < :start)"
    " ORDER BY f.id DESC LIMIT :rows"
)
_LINES = text(
    """
    SELECT l.line_no, r.number, r.amount_fen, r.payee_name, r.payee_account, r.payee_bank, po.number AS order_number
    FROM refund_file_line l JOIN refund_file f ON f.id = l.refund_file_id JOIN refund r ON r.id = l.refund_id
    JOIN purchase_order po ON po.id = r.purchase_order_id
    -- what a line has shown already is not paid by a file that waits to be uploaded
    WHERE l.refund_file_id = :id AND (f.status <> 'made' OR r.status = 'approved') ORDER BY l.line_no
    """
)


def transfer_instructions(session: Session, actor: Actor, purchase_order_id: int) -> TransferInstructionsOut:
    """What a bank transfer for an order has to say.

    Raises:
        NotFound: not on the buyer's side of such an order (404). NoAccount: the marketplace has no account (409).
    """
    purchasing.require_buyer_side(session, actor, purchase_order_id)
    account, kept = own_account(), settings()
    row = session.execute(_OF_ORDER, {"id": purchase_order_id}).one()
    due, reference = due_fen(session, purchase_order_id), payment_reference(purchase_order_id)
    return TransferInstructionsOut(
        purchase_order_id=purchase_order_id,
        purchase_order_number=row.number,
        payee_name=kept.bank_account_name,
        payee_account=account,
        payee_bank=kept.bank_name,
        payee_bank_code=kept.bank_code,
        amount=max(due, 0),
        credit=max(-due, 0),
        due_on=row.due_on,
        payment_reference=reference,
        payment_reference_printed=printed(reference),
        payer_name=row.buyer_name,
        approved_payers=row.approved or [],
        announced=row.announced,
    )


def declaration(session: Session, actor: Actor, declaration_id: int) -> PayerDeclarationOut:
    """One declared payer. Raises NotFound: there is none within reach (404)."""
    row = session.execute(_ONE, {"id": declaration_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    return _shown(row)


def declarations(
    session: Session, actor: Actor, *, status: PayerStatus | None, buyer_id: int | None, limit: int, after: str | None
) -> Page[PayerDeclarationOut]:
    """Declared payers of the caller's branch, for all orders or one that it placed, or of those whose money it keeps; newest first."""
    start = paging.position(after, int)
    values = {"status": status, "buyer_id": buyer_id, "start": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_MANY, {**values, **_reach(actor)}).all()
    return paging.page(rows, limit, _shown, lambda row: [row.id])


def _reach(actor: Actor) -> dict[str, Any]:
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.MONEY_MANAGE),
    }


def _shown(row: Any) -> PayerDeclarationOut:
    return PayerDeclarationOut(**{name: getattr(row, name) for name in PayerDeclarationOut.model_fields})


def refund_file(session: Session, actor: Actor, file_id: int) -> RefundFileOut:
    """One file of refunds.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404).
    """
    row = session.execute(_ONE_FILE, {"id": file_id}).first()
    if row is None or not actor.covers_region(Permission.MONEY_MANAGE, CITY):
        raise NotFound
    return _file(row)


def refund_files(
    session: Session, actor: Actor, *, status: FileStatus | None, limit: int, after: str | None
) -> Page[RefundFileOut]:
    """Files of refunds, newest first. Raises Forbidden: the caller keeps the money of a district only (403)."""
    require_keeper(actor)
    start = paging.position(after, int)
    rows = session.execute(_FILES, {"status": status, "start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, _file, lambda row: [row.id])


def _file(row: Any) -> RefundFileOut:
    return RefundFileOut(**{name: getattr(row, name) for name in RefundFileOut.model_fields})


#: How banks head the columns of a file of many payments; the roles are those of :func:`bulk_cells`.
BULK: dict[str, dict[str, str]] = {
    "icbc": {
        "payer_account": "付款账号",
        "account": "收款账号",
        "name": "收款账号名称",
        "bank": "收款银行",
        "amount": "金额",
        "text": "用途",
        "number": "业务编号",
    },
    "ccb": {
        "line": "序号",
        "payer_account": "付款方账号",
        "account": "收款方账号",
        "name": "收款方户名",
        "bank": "收款方开户行名称",
        "amount": "金额",
        "text": "用途",
    },
    "cmb": {
        "number": "业务参考号",
        "account": "收款人编号",
        "name": "收款人名称",
        "bank": "收方开户行名称",
        "amount": "交易金额",
        "text": "用途",
        "payer_account": "付方账号",
    },
    "generic": {
        "line": "序号",
        "name": "收款人",
        "account": "收款账号",
        "bank": "开户行",
        "amount": "金额（元）",
        "text": "附言",
        "number": "退款编号",
    },
}


def bulk_cells(session: Session, file_id: int, layout: str) -> Iterator[list[Cell]]:
    """The payments of a file in a layout. The refund's number stands in the text, so that the bank's statement brings it back."""
    for row in session.execute(_LINES, {"id": file_id}):
        told: dict[str, Cell] = {
            "line": row.line_no,
            "payer_account": settings().bank_account_number,
            "account": row.payee_account,
            "name": row.payee_name,
            "bank": row.payee_bank,
            "amount": yuan(row.amount_fen),
            "text": f"退款 {row.number} {row.order_number}",
            "number": row.number,
        }
        yield [told[role] for role in BULK[layout]]
