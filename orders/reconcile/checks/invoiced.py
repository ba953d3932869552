"""What must agree about invoices, credit notes and the register of tax invoices."""

# ruff: noqa: S608  statements are put together from constants only

from orders.invoices.positions import FREIGHT, LEFT, LIVE_LINES
from orders.money.queries import ALLOWED_OF_PART
from orders.reconcile.checks.check import sql

_REDUCED_PARTS = "(SELECT DISTINCT supplier_order_id AS id FROM invoice_line WHERE reduced_fen > 0)"
_LIVE_LINES = LIVE_LINES.replace(":id", "p.id")

INVOICED = [
    sql(
        "invoice_lines",
        "发票行余额 = 验收 − 退货（更正后），已提示冲红的除外",
        "Lines of invoices less credit notes = accepted less returned, or a credit note is due",
        # a line that is taken back whole says nothing of its entry any more
        f"""
        SELECT 'invoice_line ' || l.id AS subject, format('%s, %s fen', n.quantity, n.amount_fen) AS expected,
               format('%s, %s fen', l.quantity - l.returned_quantity, l.amount_fen - l.returned_fen) AS found
        FROM invoice_line l
        JOIN sale_entry e ON e.id = l.sale_entry_id
        CROSS JOIN {LEFT} n
        WHERE l.returned_fen < l.amount_fen
          AND (l.amount_fen - l.returned_fen < n.amount_fen OR l.quantity - l.returned_quantity < n.quantity)
        """,
    ),
    sql(
        "invoice_prices",
        "发票单价 = 订单约定单价",
        "Prices in invoices = those that were agreed",
        """
        SELECT 'invoice_line ' || l.id AS subject, coalesce(o.unit_price_fen, l.amount_fen)::text AS expected, l.unit_price_fen::text AS found
        FROM invoice_line l LEFT JOIN order_line o ON o.id = l.order_line_id
        WHERE l.unit_price_fen <> coalesce(o.unit_price_fen, l.amount_fen)
        """,
    ),
    sql(
        "invoiced_once",
        "每笔验收只开票一次",
        "What was accepted is in one invoice at most",
        """
        SELECT what AS subject, '1' AS expected, count(*)::text AS found
        FROM (SELECT coalesce('sale_entry ' || sale_entry_id, 'freight of supplier_order ' || supplier_order_id) AS what FROM invoice_line
              WHERE returned_fen < amount_fen) l
        GROUP BY what HAVING count(*) > 1
        """,
    ),
    sql(
        "invoice_credits",
        "发票行的冲红 = 红字发票行之和",
        "What lines of invoices say was credited = lines of credit notes",
        """
        SELECT 'invoice_line ' || l.id AS subject,
               format('%s, %s + %s fen', coalesce(c.quantity, 0), coalesce(c.returned, 0), coalesce(c.reduced, 0)) AS expected,
               format('%s, %s + %s fen', l.returned_quantity, l.returned_fen, l.reduced_fen) AS found
        FROM invoice_line l
        LEFT JOIN (SELECT invoice_line_id AS id, sum(quantity) AS quantity, sum(returned_fen) AS returned, sum(reduced_fen) AS reduced
                   FROM credit_note_line GROUP BY 1) c ON c.id = l.id
        WHERE (l.returned_quantity, l.returned_fen, l.reduced_fen)
              IS DISTINCT FROM (coalesce(c.quantity, 0), coalesce(c.returned, 0), coalesce(c.reduced, 0))
        """,
    ),
    sql(
        "invoice_totals",
        "发票合计 = 各行之和",
        "Totals of invoices = their lines",
        """
        SELECT 'invoice ' || i.id AS subject, format('%s lines, %s fen, VAT %s, credited %s', l.n, l.gross, l.vat, l.credited) AS expected,
               format('%s lines, %s fen, VAT %s, credited %s', i.line_count, i.gross_fen, i.vat_fen, i.credited_fen) AS found
        FROM invoice i
        LEFT JOIN (SELECT invoice_id AS id, count(*) AS n, sum(amount_fen) AS gross, sum(vat_fen) AS vat, sum(returned_fen + reduced_fen) AS credited
                   FROM invoice_line GROUP BY 1) l USING (id)
        WHERE (i.line_count, i.gross_fen, i.vat_fen, i.credited_fen) IS DISTINCT FROM (l.n, l.gross, l.vat, l.credited)
        """,
    ),
    sql(
        "credit_note_totals",
        "红字发票合计 = 各行之和",
        "Totals of credit notes = their lines",
        """
        SELECT 'credit_note ' || c.id AS subject, format('%s lines, %s fen, VAT %s', l.n, l.gross, l.vat) AS expected,
               format('%s lines, %s fen, VAT %s', c.line_count, c.gross_fen, c.vat_fen) AS found
        FROM credit_note c
        LEFT JOIN (SELECT credit_note_id AS id, count(*) AS n, sum(amount_fen) AS gross, sum(vat_fen) AS vat FROM credit_note_line GROUP BY 1) l
          USING (id)
        WHERE (c.line_count, c.gross_fen, c.vat_fen) IS DISTINCT FROM (l.n, l.gross, l.vat)
        """,
    ),
    sql(
        "invoice_vat",
        "发票行税额 − 冲红税额 = 余额所含税额",
        "VAT of lines less that of credits = the VAT in what is held",
        """
        SELECT 'invoice_line ' || l.id AS subject, round(h.held * l.vat_bp / (10000 + l.vat_bp))::text AS expected,
               (l.vat_fen - coalesce(c.vat, 0))::text AS found
        FROM invoice_line l
        CROSS JOIN LATERAL (SELECT (l.amount_fen - l.returned_fen - l.reduced_fen)::numeric AS held) h
        LEFT JOIN (SELECT invoice_line_id AS id, sum(vat_fen) AS vat FROM credit_note_line GROUP BY 1) c ON c.id = l.id
        WHERE l.vat_fen - coalesce(c.vat, 0) <> round(h.held * l.vat_bp / (10000 + l.vat_bp))
        """,
    ),
    sql(
        "invoice_reductions",
        "发票折让不超过争议退款",
        "Reductions in credit notes are at most what disputes gave back",
        # what goes back takes its reduction along, also before its own credit note says so
        f"""
        SELECT 'supplier_order ' || p.id AS subject, a.allowed::text AS expected, l.reduced::text AS found
        FROM {_REDUCED_PARTS} p
        CROSS JOIN LATERAL (SELECT sum(greatest(reduced_fen - greatest(amount_fen - returned_fen - sold_fen, 0), 0)) AS reduced
                            FROM ({_LIVE_LINES}) l) l
        CROSS JOIN LATERAL (SELECT {ALLOWED_OF_PART.format(id="p.id")} AS allowed) a
        WHERE l.reduced > a.allowed
        """,
    ),
    sql(
        "invoice_shares",
        "争议退款按同一比例折让到各发票行",
        "What disputes gave back is borne by all lines of invoices at one rate",
        # to the fen next to it; where nothing is due any more, and nothing was invoiced after the first credit note
        f"""
        SELECT 'supplier_order ' || p.id AS subject, format('at most %s', round(l.lowest, 6)) AS expected, format('%s', round(l.highest, 6)) AS found
        FROM {_REDUCED_PARTS} p
        CROSS JOIN LATERAL (
            SELECT max((reduced_fen - 1.5) / sold_fen) AS highest, min((reduced_fen + 1.5) / sold_fen) AS lowest,
                   sum(amount_fen - returned_fen - reduced_fen) AS held, sum(sold_fen) AS sold
            FROM ({_LIVE_LINES}) l WHERE sold_fen > 0
        ) l
        WHERE l.highest > l.lowest AND l.held <= l.sold - {ALLOWED_OF_PART.format(id="p.id")}
          AND NOT EXISTS (
            SELECT FROM invoice i JOIN credit_note c ON c.invoice_id IN (SELECT id FROM invoice WHERE supplier_order_id = p.id)
            WHERE i.supplier_order_id = p.id AND i.issued_at > c.issued_at)
        """,
    ),
    sql(
        "invoiced_freight",
        "发票运费 = 账面运费",
        "Freight in invoices = freight that was booked",
        f"""
        SELECT 'invoice_line ' || l.id AS subject, f.fen::text AS expected, l.amount_fen::text AS found
        FROM invoice_line l CROSS JOIN LATERAL (SELECT {FREIGHT.format(part="l.supplier_order_id")} AS fen) f
        WHERE l.kind = 'freight' AND l.amount_fen IS DISTINCT FROM f.fen
        """,
    ),
    sql(
        "red_letters",
        "红字税务发票不超过其蓝字发票",
        "Red-letter tax invoices take back at most the one they name",
        """
        SELECT 'tax_invoice ' || b.id AS subject, b.gross_fen::text AS expected, r.fen::text AS found
        FROM tax_invoice b JOIN (SELECT red_letter_of_id AS id, sum(gross_fen) AS fen FROM tax_invoice
                                 WHERE status IN ('registered', 'held', 'cleared') GROUP BY 1) r USING (id)
        WHERE r.fen > b.gross_fen OR b.red
        """,
    ),
    sql(
        "invoice_numbers",
        "发票与红字发票编号连续",
        "Numbers of invoices and credit notes have no gaps",
        """
        SELECT format('%s of seller %s in %s', kind, seller_id, year) AS subject, format('1 to %s', s.last) AS expected,
               format('%s from %s to %s', count, first, last_serial) AS found
        FROM (
            SELECT kind, seller_id, year, count(DISTINCT serial), min(serial) AS first, max(serial) AS last_serial,
                   bool_and(number = format('%s%s-%s-%s', prefix, year, to_char(seller_id, 'FM000000'), to_char(serial, 'FM000000'))) AS named
            FROM (SELECT 'invoice' AS kind, 'FP' AS prefix, seller_id, year, serial, number FROM invoice
                  UNION ALL SELECT 'credit_note', 'HC', seller_id, year, serial, number FROM credit_note) n
            GROUP BY kind, seller_id, year
        ) n
        FULL JOIN (SELECT * FROM number_series WHERE last > 0 AND (series LIKE 'invoice:%' OR series LIKE 'credit\\_note:%')) s
          ON s.series = format('%s:%s:%s', n.kind, n.seller_id, n.year)
        WHERE (n.count, n.first, n.last_serial, n.named) IS DISTINCT FROM (s.last, 1, s.last, true)
        """,
    ),
]
