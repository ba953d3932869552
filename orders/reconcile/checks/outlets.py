"""Sales at outlets: their days, ten days, months and years, those of their counties, their lines, and the ledger."""

from orders.ledger.booking import CHAIN
from orders.reconcile.checks.check import sql

_SUMS = "sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)"


def _of_counties(unit: str, label: str) -> str:
    return f"""
        SELECT concat_ws(' ', region_code, kind, {label}) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT o.region_code, o.kind, {unit}, jsonb_build_array({_SUMS}, count(*) FILTER (WHERE lines > 0)) AS facts
              FROM outlet_{unit} d JOIN outlet o ON o.id = d.outlet_id GROUP BY 1, 2, 3) e
        FULL JOIN (SELECT region_code, kind, {unit}, jsonb_build_array({_SUMS}, sum(outlets)) AS facts
                   FROM (SELECT region_code, kind, {unit}, certified_fen, other_fen, resale_fen, grams, lines, outlets FROM county_{unit}
                         -- what waits to be added
                         UNION ALL SELECT region_code, kind, {unit}, certified_fen, other_fen, resale_fen, grams, lines, outlets FROM county_pending_{unit}) s
                   GROUP BY 1, 2, 3) f USING (region_code, kind, {unit})
        WHERE e.facts IS DISTINCT FROM f.facts
        """  # noqa: S608


OUTLETS = [
    sql(
        "outlet_days",
        "网点日销售 = 批次明细之和",
        "Days of outlets = the sum of their lines",
        """
        SELECT concat_ws(' ', 'outlet', outlet_id, day) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT outlet_id, sold_on AS day, jsonb_build_object(
                     'certified', coalesce(sum(sign * amount_fen) FILTER (WHERE status = 'counted'), 0),
                     'other', coalesce(sum(sign * amount_fen) FILTER (WHERE status = 'other'), 0),
                     'resale', coalesce(sum(sign * amount_fen) FILTER (WHERE status = 'resale'), 0),
                     'grams', coalesce(sum(sign * grams) FILTER (WHERE status = 'counted'), 0), 'lines', count(*) FILTER (WHERE sign = 1)) AS facts
              FROM (SELECT *, CASE WHEN refunds_line_id IS NULL THEN 1 ELSE -1 END AS sign FROM sales_batch_line
                    WHERE status IN ('counted', 'other', 'resale')) l GROUP BY outlet_id, sold_on) e
        FULL JOIN (SELECT outlet_id, day, jsonb_build_object('certified', certified_fen, 'other', other_fen, 'resale', resale_fen, 'grams', grams,
                          'lines', lines) AS facts
                   FROM outlet_day
                   -- a day whose sales were all corrected away stays, with nothing in it
                   WHERE (certified_fen, other_fen, resale_fen, grams, lines) <> (0, 0, 0, 0, 0)) f USING (outlet_id, day)
        WHERE e.facts IS DISTINCT FROM f.facts AND (f.facts IS NOT NULL OR e.facts <> jsonb_build_object('certified', 0, 'other', 0, 'resale', 0,
              'grams', 0, 'lines', 0))
        """,
    ),
    sql(
        "outlet_ten_days",
        "网点旬销售 = 日销售之和",
        "Ten days of outlets = the sum of their days",
        """
        SELECT concat_ws(' ', 'outlet', outlet_id, ten_days) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT outlet_id, date_trunc('month', day::timestamp)::date
                     + CASE WHEN extract(day FROM day) > 20 THEN 20 WHEN extract(day FROM day) > 10 THEN 10 ELSE 0 END AS ten_days,
                     jsonb_build_array(sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)) AS facts FROM outlet_day GROUP BY 1, 2) e
        FULL JOIN (SELECT outlet_id, ten_days, jsonb_build_array(certified_fen, other_fen, resale_fen, grams, lines) AS facts FROM outlet_ten_days) f
             USING (outlet_id, ten_days)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "outlet_months",
        "网点月销售 = 日销售之和",
        "Months of outlets = the sum of their days",
        """
        SELECT concat_ws(' ', 'outlet', outlet_id, to_char(month, 'YYYY-MM')) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT outlet_id, date_trunc('month', day::timestamp)::date AS month, jsonb_build_array(sum(certified_fen), sum(other_fen), sum(resale_fen),
                     sum(grams), sum(lines)) AS facts FROM outlet_day GROUP BY 1, 2) e
        FULL JOIN (SELECT outlet_id, month, jsonb_build_array(certified_fen, other_fen, resale_fen, grams, lines) AS facts FROM outlet_month) f
             USING (outlet_id, month)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "outlet_years",
        "网点年销售 = 月销售之和",
        "Years of outlets = the sum of their months",
        """
        SELECT concat_ws(' ', 'outlet', outlet_id, year) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT outlet_id, extract(year FROM month)::int AS year, jsonb_build_array(sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams),
                     sum(lines)) AS facts FROM outlet_month GROUP BY 1, 2) e
        FULL JOIN (SELECT outlet_id, year, jsonb_build_array(certified_fen, other_fen, resale_fen, grams, lines) AS facts FROM outlet_year) f
             USING (outlet_id, year)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "county_days",
        "区县网点日销售 = 网点日销售之和",
        "Days of counties = the sum of their outlets' days",
        _of_counties("day", "day"),
    ),
    sql(
        "county_months",
        "区县网点月销售 = 网点月销售之和",
        "Months of counties = the sum of their outlets' months",
        _of_counties("month", "to_char(month, 'YYYY-MM')"),
    ),
    sql(
        "sales_of_outlets",
        "计入的网点销售行与分录一一对应，退货后余额一致",
        "Counted lines of outlets and sale entries, one to one, with the same left after refunds",
        f"""
        {CHAIN.format(of="origin_kind = 'outlet_line'")}, booked AS (
            SELECT chain.line_id, sum(e.quantity) AS quantity, sum(e.grams)::bigint AS grams, sum(e.amount_fen)::bigint AS fen,
                   min(e.outlet_id) AS outlet_id, min(e.product_id) AS product_id
            FROM chain JOIN sale_entry e ON e.id = chain.id OR e.reverses_id = chain.id GROUP BY chain.line_id
        ), counted AS (
            SELECT l.id AS line_id, l.quantity - coalesce(sum(r.quantity), 0) AS quantity, l.grams - coalesce(sum(r.grams), 0)::bigint AS grams,
                   l.amount_fen - coalesce(sum(r.amount_fen), 0)::bigint AS fen, l.outlet_id, l.product_id
            FROM sales_batch_line l LEFT JOIN sales_batch_line r ON r.refunded_id = l.id AND r.status = 'counted'
            WHERE l.status = 'counted' AND l.refunds_line_id IS NULL GROUP BY l.id
        )
        SELECT 'sales_batch_line ' || line_id AS subject, c.facts::text AS expected, b.facts::text AS found
        FROM (SELECT line_id, to_jsonb(counted) AS facts FROM counted) c
        FULL JOIN (SELECT line_id, to_jsonb(booked) AS facts FROM booked) b USING (line_id)
        -- what counts no more was taken back to nothing
        WHERE c.facts IS DISTINCT FROM b.facts
          AND NOT (c.facts IS NULL AND (b.facts ->> 'quantity')::numeric = 0 AND (b.facts ->> 'fen')::bigint = 0 AND (b.facts ->> 'grams')::bigint = 0)
        """,  # noqa: S608
    ),
    sql(
        "sales_taken_back",
        "不再计入的网点销售在任何一天都没有余额",
        "Sales at outlets that count no more leave nothing on any day",
        f"""
        {CHAIN.format(of="origin_kind = 'outlet_line'")}, day AS (
            SELECT chain.line_id, e.sold_on, sum(e.amount_fen)::bigint AS fen, sum(e.grams)::bigint AS grams
            FROM chain JOIN sales_batch_line l ON l.id = chain.line_id AND l.status <> 'counted'
            JOIN sale_entry e ON e.id = chain.id OR e.reverses_id = chain.id GROUP BY 1, 2
        )
        SELECT format('sales_batch_line %s on %s', line_id, sold_on) AS subject, '0 fen, 0 grams' AS expected, format('%s fen, %s grams', fen, grams) AS found
        FROM day WHERE (fen, grams) <> (0, 0)
          -- what is taken back of a closed month leaves the first open day
          AND NOT EXISTS (SELECT FROM day closed JOIN closed_month m ON m.month = date_trunc('month', closed.sold_on::timestamp)::date
                          WHERE closed.line_id = day.line_id)
        """,  # noqa: S608
    ),
    sql(
        "chains_of_devices",
        "设备批次链没有缺口，可取的批次都已取",
        "Chains of devices have no gap, and nothing waits that could be taken",
        """
        SELECT 'outlet_device ' || d.id AS subject, format('%s batches, end %s, next has not come', d.last_sequence, d.last_hash) AS expected,
               format('%s batches, end %s%s', b.taken, b.hash, CASE WHEN b.next THEN ', next waits' END) AS found
        FROM outlet_device d
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE s.status <> 'waiting') AS taken, max(s.hash) FILTER (WHERE s.sequence = d.last_sequence) AS hash,
                   coalesce(bool_or(s.status = 'waiting' AND s.sequence <= d.last_sequence + 1), false) AS next
            FROM sales_batch s WHERE s.device_id = d.id AND s.in_chain
        ) b
        WHERE b.taken <> d.last_sequence OR b.hash IS DISTINCT FROM d.last_hash
           -- a long chain is taken in pieces, of which the next is on its way
           OR b.next AND NOT EXISTS (SELECT FROM outbox_event o WHERE o.name = 'sales_chain.open' AND o.done_at IS NULL
                                     AND (o.payload ->> 'device_id')::bigint = d.id)
        """,
    ),
]
