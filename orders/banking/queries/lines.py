"""Reading the lines of the bank: the queue of those that are not explained, and one with all that is known of it."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions.making import as_line
from orders.banking.matching import propose
from orders.banking.queries import write_offs
from orders.banking.queries.facts import facts
from orders.banking.reasons import WORDS, Reason
from orders.banking.schemas.lines import (
    AnnouncedOut,
    BankLineOut,
    BankLineRow,
    BankLineSearch,
    BankMatchOut,
    NoteOut,
    OrderShareOut,
    ProposalOut,
)
from orders.money.queries.reach import keeps_all, require_keeper
from orders.money.references import order_ids_in, payment_reference
from shop.core import clock, paging
from shop.core.db import array
from shop.core.errors import Language, NotFound
from shop.core.exports import Cell
from shop.core.money import fen_from_yuan, yuan
from shop.core.paging import Page
from shop.identity.actor import Actor

_LINE = """
    SELECT l.*, l.amount_fen AS amount, l.balance_fen AS balance, abs(l.amount_fen) - l.matched_fen AS open, :today - l.booked_on AS age_days,
           CASE l.matched_fen WHEN 0 THEN 'open' WHEN abs(l.amount_fen) THEN 'matched' ELSE 'partly' END AS status,
           u.name AS assigned_to_name, (SELECT count(*) FROM bank_line_note n WHERE n.line_id = l.id) AS notes
    FROM bank_line l LEFT JOIN app_user u ON u.id = l.assigned_to
"""
_ONE = text(f"{_LINE} WHERE l.id = :id")
_ASKED = """
    (CAST(:status AS text) IS NULL OR :status = CASE l.matched_fen WHEN 0 THEN 'open' WHEN abs(l.amount_fen) THEN 'matched' ELSE 'partly' END)
    AND (CAST(:unmatched AS boolean) IS NULL OR (l.matched_fen < abs(l.amount_fen)) = :unmatched)
    AND (CAST(:direction AS text) IS NULL OR (l.amount_fen > 0) = (:direction = 'in'))
    AND (CAST(:statement_id AS bigint) IS NULL OR l.statement_id = :statement_id)
    AND (CAST(:booked_from AS date) IS NULL OR l.booked_on >= :booked_from) AND (CAST(:booked_to AS date) IS NULL OR l.booked_on <= :booked_to)
    AND (CAST(:older_than_days AS int) IS NULL OR l.booked_on < :today - CAST(:older_than_days AS int))
    AND (CAST(:amount_from AS bigint) IS NULL OR abs(l.amount_fen) >= :amount_from)
    AND (CAST(:amount_to AS bigint) IS NULL OR abs(l.amount_fen) <= :amount_to)
    AND (CAST(:assigned_to AS bigint) IS NULL OR l.assigned_to = :assigned_to)
    AND (CAST(:q AS text) IS NULL
         OR strpos(upper(regexp_replace(normalize(concat_ws('|', l.payer_name, l.payer_account, l.text, l.serial), NFKC), '[\\s-]', '', 'g')), :q) > 0
         OR abs(l.amount_fen) = :q_fen
         OR EXISTS (SELECT FROM unnest(CAST(:references AS text[])) AS r (reference)
                    WHERE strpos(upper(regexp_replace(normalize(l.text, NFKC), '[^A-Za-z0-9]', '', 'g')), r.reference) > 0)
         OR EXISTS (SELECT FROM bank_match m WHERE m.line_id = l.id AND m.undone_at IS NULL AND m.purchase_order_id = ANY (CAST(:orders AS bigint[]))))
"""
_ORDER_NUMBERED = text("SELECT id FROM purchase_order WHERE number = :number")
_MANY = text(f"{_LINE} WHERE {_ASKED} AND (CAST(:start AS bigint) IS NULL OR l.id < :start) ORDER BY l.id DESC LIMIT :rows")
_ALL = text(f"{_LINE} WHERE {_ASKED} ORDER BY l.id")
_MATCHES = text(
    """
    SELECT m.*, m.amount_fen AS amount, w.payout_id AS payout_again_id, po.number AS purchase_order_number, r.number AS refund_number, s.number AS settlement_number,
           f.number AS payout_file_number, rf.number AS refund_file_number, u.name AS matched_by_name
    FROM bank_match m LEFT JOIN purchase_order po ON po.id = m.purchase_order_id LEFT JOIN refund r ON r.id = m.refund_id
    LEFT JOIN bank_write_off w ON w.match_id = m.id LEFT JOIN payout p ON p.id = coalesce(m.payout_id, w.payout_id) LEFT JOIN settlement s ON s.id = p.settlement_id
    LEFT JOIN payout_file f ON f.id = m.payout_file_id LEFT JOIN refund_file rf ON rf.id = m.refund_file_id LEFT JOIN app_user u ON u.id = m.matched_by WHERE m.line_id = :id ORDER BY m.id
    """
)
_NOTES = text(
    "SELECT n.note, n.written_at, u.name AS written_by_name FROM bank_line_note n JOIN app_user u ON u.id = n.written_by"
    " WHERE n.line_id = :id ORDER BY n.id"
)
_NAMED = text(
    "SELECT po.id, po.number, buyer.name AS buyer_name FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id"
    " WHERE po.id = ANY (:ids)"
)
_REFUNDS = text("SELECT id, number FROM refund WHERE id = ANY (:ids)")
_SETTLEMENTS = text("SELECT p.id, s.number FROM payout p JOIN settlement s ON s.id = p.settlement_id WHERE p.id = ANY (:ids)")
_LISTS = text("SELECT id, number FROM payout_file WHERE id = ANY (:ids)")
_FILES = text("SELECT id, number FROM refund_file WHERE id = ANY (:ids)")
#: An amount in yuan, as people write it.
_AMOUNT = re.compile(r"¥?[0-9]{1,3}(?:,?[0-9]{3}){0,3}(?:\.[0-9]{1,2})?")
#: Proposals that are shown.
_SHOWN = 10


def lines(session: Session, actor: Actor, asked: BankLineSearch, *, limit: int, after: str | None) -> Page[BankLineRow]:
    """Lines of the account, newest first. Raises Forbidden: the caller keeps the money of a district only (403)."""
    require_keeper(actor)
    start = paging.position(after, int)
    values = {**_asked(session, asked), "start": start[0] if start else None, "rows": limit + 1}
    return paging.page(session.execute(_MANY, values).all(), limit, _row, lambda row: [row.id])


def _asked(session: Session, asked: BankLineSearch) -> dict[str, Any]:
    """The filters, with what is searched for as it is compared: in one width, without spaces and dashes; as an amount; and as an order, by its number or
    its reference, which lines name or are matched with."""
    values = {**asked.model_dump(), "today": clock.today()}
    spoken = "".join(each for each in unicodedata.normalize("NFKC", asked.q or "").upper() if not each.isspace() and each != "-")
    orders = order_ids_in(spoken)
    if spoken.startswith("PO"):
        orders |= set(session.execute(_ORDER_NUMBERED, {"number": spoken}).scalars())
    amount = _AMOUNT.fullmatch(spoken)
    return {
        **values,
        "q": spoken if asked.q else None,
        "q_fen": fen_from_yuan(spoken.replace(",", "").lstrip("¥")) if amount else None,
        "orders": array(orders),
        "references": list(map(payment_reference, orders)),
    }


def line(session: Session, actor: Actor, line_id: int, language: Language) -> BankLineOut:
    """One line with its matches, its notes, and what is left of it may be for.

    Raises:
        NotFound: there is none, or the caller keeps the money of a district only (404).
    """
    row = session.execute(_ONE, {"id": line_id, "today": clock.today()}).first()
    if row is None or not keeps_all(actor):
        raise NotFound
    fields = list(BankMatchOut.model_fields)
    return BankLineOut(
        **_row(row).model_dump(),
        matches=[
            BankMatchOut(**({name: getattr(each, name) for name in fields} | {"payout_id": each.payout_id or each.payout_again_id}))
            for each in session.execute(_MATCHES, {"id": line_id})
        ],
        write_offs=write_offs.of_line(session, actor, line_id),
        proposals=_proposals(session, row, language) if row.open else [],
        notes_written=[NoteOut.model_validate(each, from_attributes=True) for each in session.execute(_NOTES, {"id": line_id})],
    )


def _proposals(session: Session, row: Any, language: Language) -> list[ProposalOut]:
    left = as_line(row)
    known = facts(session, [left], wide=True)
    found = propose(left, known)[:_SHOWN]
    named = {each.order_id for each in found if each.order_id}.union(*(dict(each.orders) for each in found))
    orders = {row.id: row for row in session.execute(_NAMED, {"ids": list(named)})}
    refunds, settlements, lists, files = (
        {row.id: row for row in session.execute(statement, {"ids": [getattr(each, of) for each in found if getattr(each, of)]})}
        for statement, of in (
            (_REFUNDS, "refund_id"),
            (_SETTLEMENTS, "payout_id"),
            (_LISTS, "payout_file_id"),
            (_FILES, "refund_file_id"),
        )
    )
    return [
        ProposalOut(
            kind=each.kind,
            amount=each.amount_fen,
            difference=abs(left.amount_fen) - each.amount_fen,
            score=each.score,
            certain=each.certain,
            reasons=list(each.reasons),
            reasons_told=[WORDS[reason][language == "en"] for reason in each.reasons],
            purchase_order_id=each.order_id,
            purchase_order_number=orders[each.order_id].number if each.order_id else None,
            buyer_name=orders[each.order_id].buyer_name if each.order_id else None,
            due=max(known.orders[each.order_id].due_fen, 0) if each.order_id in known.orders else None,
            credit=max(-known.orders[each.order_id].due_fen, 0) if each.order_id in known.orders else None,
            announced=[
                AnnouncedOut(payment_id=one.payment_id, amount=one.amount_fen, reference=one.reference)
                for one in (known.orders[each.order_id or 0].announced if Reason.ANNOUNCED_WAITS in each.reasons else ())
            ],
            orders=[
                OrderShareOut(purchase_order_id=order_id, purchase_order_number=orders[order_id].number, amount=due_fen)
                for order_id, due_fen in each.orders
            ],
            payment_id=each.payment_id,
            refund_id=each.refund_id,
            refund_number=refunds[each.refund_id].number if each.refund_id else None,
            payout_id=each.payout_id,
            settlement_number=settlements[each.payout_id].number if each.payout_id else None,
            payout_file_id=each.payout_file_id,
            payout_file_number=lists[each.payout_file_id].number if each.payout_file_id else None,
            refund_file_id=each.refund_file_id,
            refund_file_number=files[each.refund_file_id].number if each.refund_file_id else None,
            transaction_id=each.transaction_id,
            entry=each.entry,
            match_id=each.match_id,
        )
        for each in found
    ]


TITLE: dict[Language, str] = {"zh": "银行流水", "en": "Bank lines"}
HEADER: dict[Language, list[str]] = {
    "zh": [
        "流水",
        "记账日期",
        "收支",
        "金额（元）",
        "未核销（元）",
        "状态",
        "账龄（天）",
        "对方户名",
        "对方账号",
        "附言",
        "银行流水号",
        "处理人",
    ],
    "en": [
        "line",
        "booked on",
        "direction",
        "yuan",
        "open (yuan)",
        "state",
        "age (days)",
        "name",
        "account",
        "text",
        "serial",
        "assigned to",
    ],
}
_WORDS: dict[str, tuple[str, str]] = {
    "in": ("收", "in"),
    "out": ("支", "out"),
    "in_reversal": ("收（红字冲正）", "in (reversal)"),
    "out_reversal": ("支（红字冲正）", "out (reversal)"),
    "open": ("未核销", "open"),
    "partly": ("部分核销", "partly matched"),
    "matched": ("已核销", "matched"),
}


def cells(session: Session, actor: Actor, asked: BankLineSearch, language: Language) -> Iterator[list[Cell]]:
    """The same lines as a table, oldest first. Raises as :func:`lines`."""
    require_keeper(actor)
    at = int(language == "en")
    for row in session.execute(_ALL, _asked(session, asked)):
        yield [
            row.id,
            row.booked_on,
            _WORDS[("in" if row.amount > 0 else "out") + "_reversal" * row.reversal][at],
            yuan(abs(row.amount)),
            yuan(row.open),
            _WORDS[row.status][at],
            row.age_days,
            row.payer_name,
            row.payer_account,
            row.text,
            row.serial,
            row.assigned_to_name,
        ]


def _row(row: Any) -> BankLineRow:
    return BankLineRow(**{name: getattr(row, name) for name in BankLineRow.model_fields})
