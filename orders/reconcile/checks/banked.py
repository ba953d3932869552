"""The bank's statements, and what the money ledger says of them."""

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.queries.facts import HELD_ON, OUTSTANDING
from orders.money.names import plain_name
from orders.reconcile.checks.check import Check, Difference, sql

_DECLARED = text(
    """
    SELECT 'payer_declaration ' || id AS subject, 'approved by another person' AS expected,
           format('declared by %s, decided by %s', declared_by, decided_by) AS found
    FROM payer_declaration WHERE decided_by = declared_by OR (status = 'approved' AND decided_by IS NULL) ORDER BY id
    """
)
#: Who paid by lines, where it is not written as the buyer or its unit is; whose the order ever was, and who was approved to pay by then. One that
#: was withdrawn later counted before.
_PAID_BY = text(
    """
    SELECT m.id, l.payer_name, po.number, ARRAY[buyer.name, unit.name] || own.names AS names,
           ARRAY(SELECT d.payer FROM payer_declaration d
                 WHERE d.buyer_id = ANY (own.ids) AND (d.purchase_order_id IS NULL OR d.purchase_order_id = po.id)
                   AND d.status IN ('approved', 'withdrawn') AND d.decided_at <= m.matched_at) AS approved
    FROM bank_match m JOIN bank_line l ON l.id = m.line_id JOIN purchase_order po ON po.id = m.purchase_order_id
    JOIN organisation buyer ON buyer.id = po.buyer_id JOIN organisation unit ON unit.id = po.ordering_unit_id
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(o.name), '{}') AS names, array_append(array_agg(o.id), po.buyer_id) AS ids FROM organisation o
        WHERE o.id IN (SELECT p.party_id FROM money_posting p WHERE p.purchase_order_id = po.id AND p.account = 'receivable')
    ) own
    WHERE m.undone_at IS NULL AND m.kind IN ('order', 'announced') AND l.payer_name NOT IN (buyer.name, unit.name) ORDER BY m.id
    """
)


def _payers(session: Session, keep: int) -> tuple[int, list[Difference]]:
    differ = [Difference(row.subject, row.expected, row.found) for row in session.execute(_DECLARED)]
    for row in session.execute(_PAID_BY):
        payer = plain_name(row.payer_name)  # none: the bank does not tell it, and a person matched the line
        if payer and payer not in {plain_name(name) for name in row.names} and payer not in row.approved:
            differ.append(
                Difference(f"bank_match {row.id}", f"{row.names[0]}, or a declared payer, for {row.number}", row.payer_name)
            )
    return len(differ), differ[:keep]


BANKED = [
    sql(
        "bank_balance",
        "账上银行存款 = 对账单余额 + 银行未达账项",
        "The books' bank account = the last statement, and what no statement has shown yet",
        f"""
        SELECT 'bank' AS subject, (s.held + o.fen)::text AS expected, b.fen::text AS found
        FROM (SELECT coalesce(sum(amount_fen), 0) AS fen FROM money_posting WHERE account = 'bank') b
        CROSS JOIN (SELECT coalesce(sum(last.balance_fen - first.opening_fen), 0) AS held
                    FROM (SELECT DISTINCT ON (account) account, opening_fen FROM bank_statement ORDER BY account, id) first
                    JOIN (SELECT DISTINCT ON (account) account, balance_fen FROM bank_statement ORDER BY account, id DESC) last USING (account)) s
        CROSS JOIN (SELECT coalesce(sum(amount_fen), 0) AS fen FROM ({OUTSTANDING}) m) o
        WHERE b.fen <> s.held + o.fen
        """,  # noqa: S608
    ),
    sql(
        "bank_statements",
        "对账单首尾相接：上期余额 + 新增流水 = 本期余额",
        "Statements follow on one another: the balance before + the new lines = the balance after",
        f"""
        SELECT 'bank_statement ' || s.id AS subject, (s.before + coalesce(l.fen, 0))::text AS expected, s.balance_fen::text AS found
        FROM (SELECT id, balance_fen, new_count, lag(balance_fen, 1, opening_fen) OVER (PARTITION BY account ORDER BY id) AS before
              FROM bank_statement) s
        LEFT JOIN (SELECT statement_id AS id, sum(amount_fen) AS fen, count(*) AS lines FROM bank_line GROUP BY 1) l USING (id)
        WHERE s.balance_fen <> s.before + coalesce(l.fen, 0) OR s.new_count <> coalesce(l.lines, 0)
        UNION ALL
        -- a file that shows something new ends with what the account holds then; one of new lines only also begins with what they leave of that
        SELECT 'file of bank_statement ' || s.id, format('from %s to %s', CASE WHEN s.new_count = s.line_count THEN s.balance_fen - l.fen ELSE s.opening_fen END,
               s.balance_fen), format('from %s to %s', s.opening_fen, s.closing_fen)
        FROM bank_statement s JOIN (SELECT statement_id AS id, sum(amount_fen) AS fen FROM bank_line GROUP BY 1) l USING (id)
        WHERE s.closing_fen <> s.balance_fen OR s.new_count = s.line_count AND s.opening_fen <> s.balance_fen - l.fen
        UNION ALL
        -- one that shows nothing new ends with what the account held once on that day; else a line was taken for another that looks like it
        SELECT 'file of bank_statement ' || s.id, 'to a balance of ' || s.to_on, format('to %s', s.closing_fen)
        FROM bank_statement s WHERE s.new_count = 0 AND s.closing_fen NOT IN (SELECT fen FROM (
            {HELD_ON.format(account="s.account", day="s.to_on", held="s.balance_fen", until="s.id")}) h WHERE fen IS NOT NULL)
        """,  # noqa: S608
    ),
    sql(
        "bank_line_balances",
        "流水余额逐行相接",
        "The balances that lines tell follow on one another",
        # banks list the oldest first or last: the line that holds the closing balance is the newest. Lines between which others had been
        # known before do not follow on one another.
        """
        SELECT 'bank_line ' || id AS subject, coalesce(after, closing_fen)::text AS expected, balance_fen::text AS found
        FROM (SELECT l.id, l.balance_fen, l.closing_fen, lead(l.balance_fen - l.amount_fen) OVER newest_last AS after
              FROM (SELECT l.*, s.closing_fen, CASE WHEN first_value(l.balance_fen) OVER down = s.closing_fen
                           AND last_value(l.balance_fen) OVER down <> s.closing_fen THEN -l.row_no ELSE l.row_no END AS place
                    FROM bank_line l JOIN bank_statement s ON s.id = l.statement_id
                    WHERE l.balance_fen IS NOT NULL AND s.new_count = s.line_count
                    WINDOW down AS (PARTITION BY l.statement_id ORDER BY l.row_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) l
              WINDOW newest_last AS (PARTITION BY l.statement_id ORDER BY l.place)) l
        WHERE balance_fen <> coalesce(after, closing_fen)
        """,
    ),
    sql(
        "refund_files",
        "退款文件合计 = 所列退款之和",
        "Files of refunds = the refunds on them",
        """
        SELECT 'refund_file ' || f.id AS subject, format('%s refunds, %s fen', coalesce(r.n, 0), coalesce(r.fen, 0)) AS expected,
               format('%s refunds, %s fen', f.refund_count, f.total_fen) AS found
        FROM refund_file f
        LEFT JOIN (SELECT l.refund_file_id AS id, count(*) AS n, sum(r.amount_fen) AS fen FROM refund_file_line l JOIN refund r ON r.id = l.refund_id
                   GROUP BY 1) r USING (id)
        WHERE (f.refund_count, f.total_fen) IS DISTINCT FROM (coalesce(r.n, 0), coalesce(r.fen, 0))
        """,
    ),
    sql(
        "unallocated",
        "待认领款 = 未核销流水 + 支付服务商账单中无法对应的款项",
        "Money whose purpose nobody knows = lines of the bank that are not matched, and of the payment provider that nothing explains",
        """
        SELECT 'unallocated' AS subject, l.fen::text AS expected, u.fen::text AS found
        FROM (SELECT (SELECT coalesce(sum(sign(amount_fen) * (abs(amount_fen) - matched_fen)), 0) FROM bank_line)
                   + (SELECT coalesce(sum(amount_fen), 0) FROM provider_entry WHERE unexplained) AS fen) l
        CROSS JOIN (SELECT -coalesce(sum(amount_fen), 0) AS fen FROM money_posting WHERE account = 'unallocated') u WHERE l.fen <> u.fen
        """,
    ),
    sql(
        "bank_lines",
        "流水已核销金额 = 有效核销之和",
        "What is matched of a line = its matches",
        """
        SELECT 'bank_line ' || l.id AS subject, coalesce(m.fen, 0)::text AS expected, l.matched_fen::text AS found
        FROM bank_line l
        LEFT JOIN (SELECT line_id AS id, sum(amount_fen) AS fen FROM bank_match WHERE undone_at IS NULL GROUP BY 1) m USING (id)
        WHERE l.matched_fen <> coalesce(m.fen, 0)
        """,
    ),
    sql(
        "announced_open",
        "登记未到账 = 未撤销、未见于对账单的登记付款",
        "Announced transfers = those not taken back that no line has shown",
        """
        SELECT 'purchase_order ' || coalesce(p.id, a.id) AS subject, coalesce(p.fen, 0)::text AS expected, coalesce(a.fen, 0)::text AS found
        FROM (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM payment
              WHERE source = 'announced' AND undone_at IS NULL AND shown_at IS NULL GROUP BY 1) p
        FULL JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM money_posting WHERE account = 'announced' GROUP BY 1) a USING (id)
        WHERE coalesce(p.fen, 0) <> coalesce(a.fen, 0)
        """,
    ),
    sql(
        "bank_matches",
        "核销与付款、退款、结算付款一致",
        "Matches = the payments, refunds and payouts that they name",
        """
        SELECT 'bank_match ' || m.id AS subject, format('%s fen of order %s', m.amount_fen, m.purchase_order_id) AS expected,
               format('%s fen of order %s%s', coalesce(p.amount_fen, r.amount_fen), coalesce(p.purchase_order_id, r.purchase_order_id),
                      CASE WHEN p.undone_at IS NOT NULL THEN ', undone' WHEN m.kind = 'announced' AND p.shown_at IS NULL THEN ', not shown' END) AS found
        FROM bank_match m LEFT JOIN payment p ON p.id = m.payment_id LEFT JOIN refund r ON r.id = m.refund_id
        WHERE m.undone_at IS NULL AND m.kind IN ('order', 'announced', 'refund', 'refund_returned')
          AND ((m.amount_fen, m.purchase_order_id) IS DISTINCT FROM
               (coalesce(p.amount_fen, r.amount_fen), coalesce(p.purchase_order_id, r.purchase_order_id))
               OR p.undone_at IS NOT NULL OR (m.kind = 'announced' AND p.shown_at IS NULL))
        UNION ALL
        SELECT 'bank_match ' || m.id, format('%s fen, %s', p.amount_fen, CASE m.kind WHEN 'payout' THEN 'payout_paid' ELSE 'payout_failed' END),
               format('%s fen, %s', m.amount_fen, coalesce(t.kind, 'of another payout'))
        FROM bank_match m JOIN payout p ON p.id = m.payout_id
        LEFT JOIN (SELECT t.id, t.kind, a.payout_id FROM money_transaction t JOIN payout_attempt a ON a.id = t.origin_id
                   WHERE t.kind IN ('payout_paid', 'payout_failed')) t ON t.id = m.transaction_id AND t.payout_id = p.id
        WHERE m.undone_at IS NULL AND (m.amount_fen, CASE m.kind WHEN 'payout' THEN 'payout_paid' ELSE 'payout_failed' END)
              IS DISTINCT FROM (p.amount_fen, t.kind)
        UNION ALL
        SELECT 'money_transaction ' || t.id, 'of a line that was written off', 'of none' FROM money_transaction t
        WHERE t.kind = 'bank_entry' AND NOT EXISTS (SELECT FROM bank_match m WHERE m.id = t.origin_id AND m.kind = 'bank_entry')
        UNION ALL
        SELECT 'payment ' || p.id, 'shown by a line', 'shown by none' FROM payment p
        WHERE (p.shown_at IS NOT NULL OR (p.source = 'unallocated' AND p.undone_at IS NULL))
          AND NOT EXISTS (SELECT FROM bank_match m WHERE m.payment_id = p.id AND m.undone_at IS NULL)
        """,
    ),
    sql(
        "bank_write_offs",
        "经批准的流水核销与核销记录一致",
        "What was written off of lines by two persons = the matches that it became",
        """
        SELECT 'bank_write_off ' || w.id AS subject, format('%s fen of line %s as %s', w.amount_fen, w.line_id, w.entry) AS expected,
               format('%s fen of line %s as %s', m.amount_fen, m.line_id, m.entry) AS found
        FROM bank_write_off w JOIN bank_match m ON m.id = w.match_id
        -- a refund that left once more is matched as a refund
        WHERE (w.amount_fen, w.line_id, CASE WHEN w.refund_id IS NULL THEN w.entry END) IS DISTINCT FROM (m.amount_fen, m.line_id, m.entry)
           OR (w.status = 'undone') <> (m.undone_at IS NOT NULL)
        UNION ALL
        SELECT 'bank_write_off ' || w.id, format('at most %s fen', x.fen), format('%s fen', w.amount_fen)
        FROM bank_write_off w LEFT JOIN payout p ON p.id = w.payout_id LEFT JOIN refund r ON r.id = w.refund_id LEFT JOIN advance v ON v.id = w.advance_id
        CROSS JOIN LATERAL (SELECT coalesce(p.amount_fen, r.amount_fen, v.amount_fen) AS fen) x
        WHERE w.status IN ('requested', 'approved') AND w.amount_fen > x.fen
        """,
    ),
    Check(
        "payers",
        "付款人为采购单位或经批准的代付人",
        "Orders are paid by their buyers, or by who was approved by a second person",
        _payers,
    ),
]
