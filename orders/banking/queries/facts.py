"""What open lines may be matched against, read with a few statements for all of them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.known import Announced, Booked, Facts, Line, Listed, Order, Receipt, Sent, SentList
from orders.banking.matching import bank_references, is_like, numbers_in, numbers_of_orders, payer_of
from orders.banking.queries.payees import payees_of
from orders.banking.rules import MatchKind
from orders.money.names import plain_name
from orders.money.references import order_ids_in
from orders.money.rules import LIST_DAYS, Kind
from orders.purchasing.queries.costs import PAYABLE_AND_PAID_OF
from orders.settlement.actions.accounts import number_of
from orders.settlement.queries.left import TWICE
from shop.core import clock
from shop.core.db import array

#: SQL: what an account held (``fen``) on a day by its lines that statements before ``{until}`` showed (none: all of them), which leave ``{held}``: after each
#: line in the order of its statements, each of which may tell the newest first; as lines tell it themselves; and as statements of that day ended. ``place`` 1 is
#: the end of the day.
HELD_ON = """
    SELECT h.place, h.fen FROM (
        SELECT CASE WHEN l.booked_on = {day} THEN row_number() OVER (PARTITION BY l.booked_on ORDER BY l.statement_id DESC, l.id DESC) END AS place,
               {held} - sum(l.amount_fen) OVER (newest ROWS UNBOUNDED PRECEDING) + l.amount_fen AS up,
               {held} - sum(l.amount_fen) OVER (ORDER BY l.booked_on DESC, l.statement_id DESC, l.id ROWS UNBOUNDED PRECEDING) + l.amount_fen AS down,
               l.booked_on, l.balance_fen
        FROM bank_line l
        WHERE l.account = {account} AND l.booked_on >= {day} AND ({until} IS NULL OR l.statement_id < {until})
        WINDOW newest AS (ORDER BY l.booked_on DESC, l.statement_id DESC, l.id DESC)
    ) l CROSS JOIN LATERAL (VALUES (place, up), (NULL, down), (NULL, balance_fen)) h (place, fen)
    WHERE l.booked_on = {day}
    UNION ALL
    SELECT NULL, s.closing_fen FROM bank_statement s
    WHERE s.account = {account} AND s.to_on = {day} AND s.new_count > 0 AND ({until} IS NULL OR s.id < {until})
"""
_FAILURE_TAKEN_BACK = """
    EXISTS (SELECT FROM money_transaction u WHERE u.kind IN ('payout_reinstated', 'refund_reinstated') AND u.origin_id = mt.id
            AND mt.kind IN ('payout_failed', 'refund_failed') AND {picked})
"""
#: SQL: whether transaction ``mt`` is of a refund that was found to have left once more, until that was taken back: no line shows that it left, nor that
#: it came back, and none will.
_FOUND_TAKEN_BACK = """
    (mt.kind IN ('refund_paid', 'refund_failed')
     AND EXISTS (SELECT FROM refund f WHERE f.id = mt.origin_id AND f.requested_by IS NULL AND f.status = 'failed')
     AND NOT EXISTS (SELECT FROM money_transaction o JOIN bank_match n ON n.transaction_id = o.id AND n.undone_at IS NULL
                     WHERE o.kind IN ('refund_paid', 'refund_failed') AND o.origin_id = mt.origin_id))
"""
#: SQL: whether transaction ``mt`` booked what was taken back.
_TAKEN_BACK = f"({_FAILURE_TAKEN_BACK.format(picked='true')} OR {_FOUND_TAKEN_BACK})"
_OUTSTANDING = """
    SELECT mt.id, mt.kind, mt.origin_id, mt.booked_on, sum(mp.amount_fen)::bigint AS amount_fen, min(mp.purchase_order_id) AS purchase_order_id
    FROM money_posting mp JOIN money_transaction mt ON mt.id = mp.transaction_id
    WHERE mp.account = 'bank' AND mt.kind NOT IN ('receipt', 'receipt_matched', 'receipt_undone', 'bank_entry', 'payout_reinstated', 'refund_reinstated')
      AND NOT EXISTS (SELECT FROM bank_match m WHERE m.transaction_id = mt.id AND {stands}) AND NOT {taken_back}
      AND {picked}
    GROUP BY mt.id
"""
_NOW = {"stands": "m.undone_at IS NULL", "taken_back": _TAKEN_BACK}
#: Movements of the bank account in the books that no line has shown. What lines themselves booked is none of them, nor is a failure that was taken
#: back, with what took it back, nor a refund that was found and taken back.
OUTSTANDING = _OUTSTANDING.format(**_NOW, picked="true")
#: SQL: whether match ``m`` stood at the end of day ``:as_of``: by the day on which it was booked, or else made.
STOOD = """
    ((m.undone_at IS NULL OR (m.undone_at AT TIME ZONE 'Asia/Shanghai')::date > :as_of)
     AND coalesce((SELECT r.booked_on FROM money_transaction r WHERE r.kind = 'receipt_matched' AND r.origin_id = m.id),
                  (m.matched_at AT TIME ZONE 'Asia/Shanghai')::date) <= :as_of)
"""
#: The same as it was at the end of day ``:as_of``.
OUTSTANDING_THEN = _OUTSTANDING.format(
    stands=STOOD, taken_back=_FAILURE_TAKEN_BACK.format(picked="u.booked_on <= :as_of"), picked="mt.booked_on <= :as_of"
)
_ORDERS = text(
    f"""
    SELECT po.id, po.number, po.buyer_id, buyer.name AS buyer, unit.name AS unit, m.payable - m.paid AS due_fen,
           (SELECT jsonb_agg(jsonb_build_array(p.id, p.amount_fen, p.bank_reference) ORDER BY p.id) FROM payment p
            WHERE p.purchase_order_id = po.id AND p.source = 'announced' AND p.undone_at IS NULL AND p.shown_at IS NULL) AS announced,
           (SELECT array_agg(d.payer) FROM payer_declaration d WHERE d.status = 'approved' AND d.buyer_id = po.buyer_id
            AND (d.purchase_order_id IS NULL OR d.purchase_order_id = po.id)) AS approved
    FROM purchase_order po JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    CROSS JOIN LATERAL ({PAYABLE_AND_PAID_OF.format(order="po.id")}) m
    WHERE po.id = ANY (CAST(:ids AS bigint[])) ORDER BY po.id
    """  # noqa: S608
)
_NUMBERED = text("SELECT id FROM purchase_order WHERE number = ANY (:numbers)")
_ANNOUNCED = text(
    "SELECT purchase_order_id FROM payment WHERE source = 'announced' AND undone_at IS NULL AND shown_at IS NULL"
    " AND upper(regexp_replace(bank_reference, '[^A-Za-z0-9]', '', 'g')) = ANY (:references)"
)
_BUYERS = text("SELECT id, name FROM organisation o WHERE EXISTS (SELECT FROM purchase_order WHERE buyer_id = o.id)")
_DECLARED = text("SELECT DISTINCT buyer_id FROM payer_declaration WHERE status = 'approved' AND payer = ANY (:names)")
#: From which accounts buyers were paid for before, as a person saw it.
_PAID_FROM = text(
    """
    SELECT DISTINCT l.payer_account AS account, po.buyer_id FROM bank_line l
    JOIN bank_match m ON m.line_id = l.id AND m.undone_at IS NULL AND m.purchase_order_id IS NOT NULL AND m.kind IN ('order', 'announced')
    JOIN purchase_order po ON po.id = m.purchase_order_id WHERE l.payer_account = ANY (:accounts) AND l.payer_account <> ''
    """
)
# the newest, and the newest of which anything is due: a payer may have ordered much since
_NEWEST_OF = text(
    """
    SELECT found.id FROM unnest(CAST(:buyers AS bigint[])) b CROSS JOIN LATERAL (
        (SELECT po.id FROM purchase_order po WHERE po.buyer_id = b ORDER BY po.id DESC LIMIT 50)
        UNION (SELECT po.id FROM purchase_order po
               WHERE po.buyer_id = b AND EXISTS (SELECT FROM payment_due d WHERE d.purchase_order_id = po.id AND d.paid_fen < d.amount_fen)
               ORDER BY po.id DESC LIMIT 100)
    ) found
    """
)
#: SQL: whether the books moved the bank account by transaction ``{kind}`` of ``{origin}``, and no line shows it.
NOT_SHOWN = f"""
    EXISTS (SELECT FROM money_transaction mt WHERE mt.kind = '{{kind}}' AND mt.origin_id = {{origin}} AND NOT {_TAKEN_BACK}
            AND EXISTS (SELECT FROM money_posting mp WHERE mp.transaction_id = mt.id AND mp.account = 'bank')
            AND NOT EXISTS (SELECT FROM bank_match m WHERE m.transaction_id = mt.id AND m.undone_at IS NULL))
"""  # noqa: S608
#: SQL: whether a line shows transaction ``{kind}`` of ``{origin}``.
SHOWN = """
    EXISTS (SELECT FROM money_transaction mt JOIN bank_match m ON m.transaction_id = mt.id AND m.undone_at IS NULL
            WHERE mt.kind = '{kind}' AND mt.origin_id = {origin})
"""
_FAILED_ATTEMPT = f"coalesce(a.outcome = 'failed', false) AND NOT {SHOWN.format(kind='payout_failed', origin='a.id')}"
#: SQL: whether payout ``p`` becomes paid by a line that shows release ``a``, which was said to have failed: by the release that stands and no line has
#: shown, or by this one as the last, as long as it is not released again.
_PAYS_BY = f"""
    (NOT {SHOWN.format(kind="payout_paid", origin="a.id")}
     AND CASE WHEN p.status IN ('failed', 'draft', 'approved') THEN a.id = (SELECT max(x.id) FROM payout_attempt x WHERE x.payout_id = p.id)
              ELSE EXISTS (SELECT FROM payout_attempt x WHERE x.payout_id = p.id AND x.method = 'bank'
                           AND (x.outcome IS NULL OR x.outcome = 'paid' AND {NOT_SHOWN.format(kind="payout_paid", origin="x.id")})) END)
"""  # noqa: S608
_FAILED_REFUND = f"r.status = 'failed' AND r.requested_by IS NOT NULL AND NOT {SHOWN.format(kind='refund_failed', origin='r.id')}"
_REFUNDS = text(
    f"""
    SELECT * FROM (
        SELECT r.*, r.status IN ('approved', 'sent') OR {NOT_SHOWN.format(kind="refund_paid", origin="r.id")} AS leaves,
               r.status = 'paid' OR {NOT_SHOWN.format(kind="refund_failed", origin="r.id")} AS returns,
               {_FAILED_REFUND} AS failed, r.status = 'paid' AS stands,
               (r.approved_at AT TIME ZONE 'Asia/Shanghai')::date AS released_on
        FROM refund r WHERE r.method = 'bank_transfer' AND r.status IN ('approved', 'sent', 'paid', 'failed')
          AND (r.amount_fen = ANY (CAST(:amounts AS bigint[])) OR r.number = ANY (CAST(:numbers AS text[])))
    ) r WHERE leaves OR returns OR failed OR number = ANY (CAST(:numbers AS text[])) ORDER BY id
    """  # noqa: S608
)
_PAYOUTS = text(
    f"""
    SELECT * FROM (
        SELECT p.id, a.id AS attempt_id, s.number || '-' || a.id AS number, p.amount_fen, c.holder, c.sealed_number,
               a.outcome IS NULL OR {NOT_SHOWN.format(kind="payout_paid", origin="a.id")} AS leaves,
               coalesce(a.outcome = 'paid', false) OR {NOT_SHOWN.format(kind="payout_failed", origin="a.id")} AS returns,
               {_FAILED_ATTEMPT} AND ({_PAYS_BY} OR {NOT_SHOWN.format(kind="payout_paid", origin="a.id")}) AS failed,
               EXISTS (SELECT FROM payout_attempt x WHERE x.payout_id = p.id AND x.method = 'bank' AND x.outcome = 'paid') AS stands,
               {TWICE.format(of="tw.payout_id = p.id")} >= p.amount_fen AS twice,
               (a.released_at AT TIME ZONE 'Asia/Shanghai')::date AS released_on
        FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN payout_attempt a ON a.payout_id = p.id
        JOIN payout_account c ON c.id = a.account_id
        WHERE a.method = 'bank' AND (p.amount_fen = ANY (CAST(:amounts AS bigint[])) OR a.id = ANY (CAST(:attempts AS bigint[])))
    ) p WHERE leaves OR returns OR failed OR attempt_id = ANY (CAST(:attempts AS bigint[])) ORDER BY attempt_id
    """  # noqa: S608
)
#: SQL: what is on lists of payouts and in files of refunds: whether it has not left, or the books say that it has and no line shows it; and whether it
#: was said to have failed.
LEAVES_OF_LIST = f"""
    SELECT l.payout_file_id AS list_id, a.payout_id, a.id AS attempt_id, p.amount_fen, NULL::bigint AS refund_id, NULL::bigint AS order_id,
           a.outcome IS NULL OR {NOT_SHOWN.format(kind="payout_paid", origin="a.id")} AS leaves, {_FAILED_ATTEMPT} AS failed
    FROM payout_file_line l JOIN payout_attempt a ON a.id = l.attempt_id JOIN payout p ON p.id = a.payout_id WHERE NOT l.void
"""  # noqa: S608
LEAVES_OF_FILE = f"""
    SELECT l.refund_file_id AS list_id, NULL::bigint AS payout_id, NULL::bigint AS attempt_id, r.amount_fen, r.id AS refund_id,
           r.purchase_order_id AS order_id,
           r.status IN ('approved', 'sent') OR {NOT_SHOWN.format(kind="refund_paid", origin="r.id")} AS leaves, {_FAILED_REFUND} AS failed
    FROM refund_file_line l JOIN refund r ON r.id = l.refund_id WHERE NOT l.void
"""  # noqa: S608
# of these amounts, or with something on it that failed, made shortly before one of the lines
_LISTS_OF = """
    SELECT f.id, f.number, (f.made_at AT TIME ZONE 'Asia/Shanghai')::date AS made_on,
           jsonb_agg(jsonb_build_array(l.payout_id, l.attempt_id, l.amount_fen, l.refund_id, l.order_id, l.failed)
                     ORDER BY l.attempt_id, l.refund_id) AS listed
    FROM {lists} f JOIN ({rows}) l ON l.list_id = f.id
    WHERE f.status <> 'void' AND (f.{total} = ANY (CAST(:amounts AS bigint[])) OR f.id IN (
        SELECT w.{lists}_id FROM {lists} n JOIN {lists}_line w ON w.{lists}_id = n.id AND NOT w.void JOIN {failed}
        WHERE n.made_at >= :since AND n.made_at < :until))
    GROUP BY f.id HAVING bool_and(l.leaves OR l.failed) ORDER BY f.id
"""
_LISTS = {
    MatchKind.PAYOUT_FILE: text(
        _LISTS_OF.format(
            lists="payout_file",
            rows=LEAVES_OF_LIST,
            total="amount_fen",
            failed="payout_attempt x ON x.id = w.attempt_id AND x.outcome = 'failed'",
        )
    ),
    MatchKind.REFUND_FILE: text(
        _LISTS_OF.format(
            lists="refund_file",
            rows=LEAVES_OF_FILE,
            total="total_fen",
            failed="refund x ON x.id = w.refund_id AND x.status = 'failed'",
        )
    ),
}
_RECEIPTS = text(
    """
    SELECT m.id AS match_id, l.amount_fen, l.payer_name, l.payer_account, m.purchase_order_id AS order_id
    FROM bank_line l JOIN bank_match m ON m.line_id = l.id AND m.undone_at IS NULL AND m.kind IN ('order', 'announced')
    WHERE l.amount_fen = ANY (CAST(:amounts AS bigint[])) AND NOT l.reversal ORDER BY m.id DESC LIMIT 50
    """
)
#: A movement posts the bank account once: an index finds the few of these amounts, before anything is asked of them.
_OF_AMOUNTS = "mp.amount_fen = ANY (CAST(:amounts AS bigint[])) AND mt.kind NOT IN ('refund_paid', 'refund_failed', 'payout_paid', 'payout_failed')"
_BOOKED = text(f"{_OUTSTANDING.format(**_NOW, picked=_OF_AMOUNTS)} ORDER BY mt.id")
_ADVANCES = text("SELECT id, number, supplier_id FROM advance WHERE id = ANY (CAST(:ids AS bigint[]))")


def facts(session: Session, lines: Sequence[Line], *, wide: bool, order_ids: Collection[int] = ()) -> Facts:
    """What lines may be for. ``wide``: also what only a person may decide on, such as other orders of whoever paid. ``order_ids``: orders that
    are asked about besides."""
    incoming = [line for line in lines if line.amount_fen > 0]
    ids = set(order_ids).union(*(order_ids_in(line.text) for line in incoming))
    ids |= _ids(session, _ANNOUNCED, references=list(set().union(*(bank_references(line) for line in incoming))))
    paid_from: dict[int, set[str]] = {}
    if wide:
        ids |= _ids(session, _NUMBERED, numbers=list(set().union(*(numbers_of_orders(line) for line in incoming))))
        for row in session.execute(_PAID_FROM, {"accounts": [line.payer_account for line in incoming]}):
            paid_from.setdefault(row.buyer_id, set()).add(row.account)
        ids |= _ids(session, _NEWEST_OF, buyers=array(_buyers(session, incoming) | set(paid_from)))
    amounts = array({abs(line.amount_fen) for line in lines})
    signed = array({line.amount_fen for line in lines})
    texts = [line.text for line in lines] if wide else []
    refunds, releases = (set().union(*(numbers_in(each, prefix) for each in texts)) for prefix in ("TK", "JS"))
    attempts = {int(number.rpartition("-")[2]) for number in releases}
    asked = {"amounts": amounts, "numbers": list(refunds), "attempts": array(attempts)}
    sent = [*map(_refund, session.execute(_REFUNDS, asked)), *map(_payout, session.execute(_PAYOUTS, asked))]
    return Facts(
        [_order(row, paid_from) for row in session.execute(_ORDERS, {"ids": array(ids)})],
        [each for each in sent if each.leaves or each.returns or each.failed],
        _booked(session, signed) if wide or any(numbers_in(line.text, "YF") for line in lines) else [],
        _lists(session, lines) if any(line.amount_fen < 0 for line in lines) else [],
        [Receipt(**row._mapping) for row in session.execute(_RECEIPTS, {"amounts": amounts})] if wide else [],
        [each for each in sent if each.number in refunds or each.attempt_id in attempts],
        by_payer=wide,
    )


def _booked(session: Session, amounts: str) -> list[Booked]:
    """Other movements of these amounts (fen); of an advance whose it is."""
    rows = session.execute(_BOOKED, {"amounts": amounts}).all()
    ids = {row.id: row.origin_id for row in rows if row.kind in (Kind.ADVANCE, Kind.ADVANCE_RETURNED)}
    advances = {row.id: row for row in session.execute(_ADVANCES, {"ids": array(ids.values())})} if ids else {}
    known = payees_of(session, {each.supplier_id for each in advances.values()})
    found = []
    for row in rows:
        of = advances.get(ids.get(row.id, 0))
        found.append(Booked(row.id, row.amount_fen, of.number, *known[of.supplier_id]) if of else Booked(row.id, row.amount_fen))
    return found


def _ids(session: Session, statement: Any, **values: Any) -> set[int]:
    return set(session.execute(statement, values).scalars())


def _buyers(session: Session, lines: Iterable[Line]) -> set[int]:
    """Whoever has the payer's name, or one like it, or was approved to be paid for by it."""
    names = {payer_of(line) for line in lines}
    if not names:
        return set()
    found = _ids(session, _DECLARED, names=list(names))
    for row in session.execute(_BUYERS):
        buyer = plain_name(row.name)
        if buyer in names or any(is_like(name, buyer) for name in names):
            found.add(row.id)
    return found


def _order(row: Any, paid_from: dict[int, set[str]]) -> Order:
    return Order(
        row.id,
        row.number,
        row.due_fen,
        buyers=frozenset({plain_name(row.buyer), plain_name(row.unit)}),
        approved=frozenset(row.approved or ()),
        accounts=frozenset(paid_from.get(row.buyer_id, ())),
        announced=tuple(
            Announced(payment_id, row.id, amount_fen, reference) for payment_id, amount_fen, reference in row.announced or ()
        ),
    )


def _refund(row: Any) -> Sent:
    return Sent(
        MatchKind.REFUND,
        row.id,
        row.number,
        row.amount_fen,
        row.payee_name,
        row.payee_account,
        leaves=row.leaves,
        returns=row.returns,
        failed=row.failed,
        stands=row.stands,
        released_on=row.released_on,
        order_id=row.purchase_order_id,
    )


def _payout(row: Any) -> Sent:
    return Sent(
        MatchKind.PAYOUT,
        row.id,
        row.number,
        row.amount_fen,
        row.holder,
        number_of(row),
        leaves=row.leaves,
        returns=row.returns,
        failed=row.failed,
        stands=row.stands,
        twice=row.twice,
        released_on=row.released_on,
        attempt_id=row.attempt_id,
    )


def _lists(session: Session, lines: Sequence[Line]) -> list[SentList]:
    """Lists of payouts and files of refunds, whole and less what was said to have failed, that come to one of the lines."""
    amounts = {-line.amount_fen for line in lines if line.amount_fen < 0}
    asked = {
        "amounts": array(amounts),
        "since": clock.start_of_day(min(line.booked_on for line in lines) - LIST_DAYS),
        "until": clock.end_of_day(max(line.booked_on for line in lines)),
    }
    found = [each for kind, statement in _LISTS.items() for row in session.execute(statement, asked) for each in _list(kind, row)]
    return [each for each in found if each.amount_fen in amounts]


def _list(kind: MatchKind, row: Any) -> Iterator[SentList]:
    listed = tuple(Listed(*each) for each in row.listed)
    live = tuple(each for each in listed if not each.failed)
    failed = len(live) < len(listed)
    yield SentList(row.id, row.number, sum_of(listed), row.made_on, listed, failed, kind=kind)
    if live and failed:
        yield SentList(row.id, row.number, sum_of(live), row.made_on, live, less_failed=True, kind=kind)


def sum_of(listed: Iterable[Listed]) -> int:
    """What is on a list comes to, in fen."""
    return sum(each.amount_fen for each in listed)
