"""What is kept of pledges and agreements, against what their orders, instalments and sales say; not of those that wait to be counted again."""

# ruff: noqa: S608  statements are put together from constants only

from orders.agreements.queries.kept import SUMS, counted
from orders.pledges.queries.counting import totals_of
from orders.reconcile.checks.check import sql

_FACTS = ", ".join(SUMS)
_UNTOUCHED = "agreement_id NOT IN (SELECT agreement_id FROM agreement_touched)"

PROMISED = [
    sql(
        "pledge_sums",
        "认购累计 = 订单与分录之和",
        "Sums of pledges = their orders and entries",
        f"""
        WITH {totals_of("SELECT id FROM pledge EXCEPT SELECT pledge_id FROM pledge_touched")}
        SELECT concat_ws(' ', 'pledge', pledge_id) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT pledge_id, jsonb_build_array(ordered_fen, accepted_fen, grams) AS facts FROM total
              WHERE (ordered_fen, accepted_fen, grams) <> (0, 0, 0)) e
        FULL JOIN (SELECT pledge_id, jsonb_build_array(ordered_fen, accepted_fen, grams) AS facts FROM pledge_sum
                   WHERE (ordered_fen, accepted_fen, grams) <> (0, 0, 0) AND pledge_id NOT IN (SELECT pledge_id FROM pledge_touched)) f USING (pledge_id)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "agreement_days",
        "协议每日约定与交付 = 交货批次与分录之和",
        "Days of agreements = their instalments and entries",
        f"""
        SELECT concat_ws(' ', 'agreement', agreement_id, day, district_code) AS subject, e.facts::text AS expected, f.facts::text AS found
        FROM (SELECT agreement_id, day, district_code, jsonb_build_array({_FACTS}) AS facts
              FROM ({counted("SELECT id FROM agreement EXCEPT SELECT agreement_id FROM agreement_touched")}) c) e
        FULL JOIN (SELECT agreement_id, day, district_code, jsonb_build_array({_FACTS}) AS facts FROM agreement_day WHERE {_UNTOUCHED}) f
             USING (agreement_id, day, district_code)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
    sql(
        "agreement_months",
        "协议每月约定与交付 = 每日之和",
        "Months of agreements = the sum of their days",
        f"""
        SELECT concat_ws(' ', 'agreement', agreement_id, to_char(month, 'YYYY-MM'), district_code) AS subject, e.facts::text AS expected,
               f.facts::text AS found
        FROM (SELECT agreement_id, date_trunc('month', day::timestamp)::date AS month, district_code,
                     jsonb_build_array({", ".join(f"sum({name})" for name in SUMS)}) AS facts FROM agreement_day GROUP BY 1, 2, 3) e
        FULL JOIN (SELECT agreement_id, month, district_code, jsonb_build_array({_FACTS}) AS facts FROM agreement_month) f
             USING (agreement_id, month, district_code)
        WHERE e.facts IS DISTINCT FROM f.facts
        """,
    ),
]
