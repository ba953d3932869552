"""What a city has besides its sales: certified products with the households behind them, outlets with what they sold each day, agreements with their
instalments and call-offs, pledges with their orders, reserved shares, campaigns, poor villages with their stations, and reported figures.

Stands on the trade of ``market.world``. Foreign keys and triggers are off while it is written; what triggers would make is made by the rebuild of the
rollups, which takes the sales of call-offs and pledges over with all others. Sums are made up, and those of one order agree with one another.
"""

import os
from datetime import timedelta

from sqlalchemy import text

from catalog.monitoring.actions import recounting
from orders.agreements.actions import recounting as agreements
from orders.pledges.actions import recounting as pledges
from shop.core.db import Database
from tests.bench import certified, ground, market
from tests.factories.identity import make_user

#: ``SHOP_BENCH_SHARE=0.1`` makes a tenth of all but the goods.
SHARE = float(os.environ.get("SHOP_BENCH_SHARE", "1"))
OUTLETS, AGREEMENTS, PLEDGES, UNITS = (int(count * SHARE) for count in (10_000, 3_000, 3_000, 5_000))
PROMOTIONS, VILLAGES, PEOPLE, LINES = 300, 8_000, 200_000, 5
#: A year up to today (outlets sell for two); agreements run for a year each, and the last of them end two months from now.
FIRST = market.LAST - timedelta(days=364)

# Orders have numbers of their own (see ``fill``), so that sales of the market and of the city are of different ones: of an agreement a hundred, of a
# pledge ten. The ids of organisations follow those of the market.

_GROUND = [
    """
    CREATE TEMP TABLE county ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY code) - 1 AS number, code, count(*) OVER () AS all_of FROM region
    WHERE code ~ '^50[0-9]{4}$' AND kind IN ('district', 'county', 'autonomous_county') AND (valid_to IS NULL OR valid_to > :last)
    """,
    # each product in a second pack, so that a supplier has five to agree on
    """
    INSERT INTO sku (id, product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status)
    SELECT id + 12000, id, 'C' || id, '10kg/箱', 'box', 10000, 1, 1, 0, 'active' FROM product
    """,
    *ground.FOR_EACH_PRODUCT,
    """
    UPDATE certificate c SET township_code = p.township_code, village = p.village, annual_capacity_kg = 50000, households = 20, persons = 60
    FROM product p WHERE p.id = c.product_id
    """,
    certified.HOUSEHOLDS,
    """
    CREATE TEMP TABLE offer ON COMMIT DROP AS
    SELECT s.id AS sku_id, p.id AS product_id, p.supplier_id, p.supplier_id - 2001 AS supplier_no, p.district_code, c.id AS certificate_id,
           s.net_grams, s.net_grams * 14 / 10 AS price_fen, row_number() OVER (PARTITION BY p.supplier_id ORDER BY s.id) AS line_no
    FROM sku s JOIN product p ON p.id = s.product_id JOIN certificate c ON c.product_id = p.id
    """,
    "CREATE INDEX ON offer (supplier_no, line_no)",
    """
    INSERT INTO organisation (id, uscc, name, kind, region_code, status, registered_at, path)
    SELECT n + :of_units, 'U' || lpad(n::text, 17, '0'), '预算单位' || n, (ARRAY['school','hospital','agency','public_institution'])[1 + n % 4], c.code,
           'approved', now(), '/' || n + :of_units || '/'
    FROM generate_series(1, :units) n JOIN county c ON c.number = n % c.all_of
    """,
    """
    INSERT INTO organisation_role (organisation_id, role, valid_from)
    SELECT id, 'budget_unit', '2020-01-01' FROM organisation WHERE id > :of_units
    """,
]

_OUTLETS = [
    """
    INSERT INTO organisation (id, uscc, name, kind, region_code, status, registered_at, path)
    SELECT 9000 + n, 'W' || lpad(n::text, 17, '0'), '运营公司' || n, 'enterprise', '500106', 'approved', now(), '/' || 9000 + n || '/'
    FROM generate_series(1, 200) n
    """,
    """
    INSERT INTO outlet (id, number, external_number, kind, online, name, operator_id, region_code, address, venue, opened_on, status, registered_by,
                        registered_at, verified_at)
    SELECT n, 'W-' || n, 'D' || n, CASE WHEN n % 20 = 0 THEN 'hall' WHEN n % 7 = 0 THEN 'zone' ELSE 'cabinet' END, false, '网点' || n, 9001 + n % 200, c.code,
           '某路', (ARRAY['campus','hospital','office','market'])[1 + n % 4], '2020-01-01', 'verified', :user, '2020-01-01', '2020-01-02'
    FROM generate_series(1, :outlets) n JOIN county c ON c.number = n % c.all_of
    """,
    """
    INSERT INTO outlet_device (outlet_id, number, hash, prefix, created_by, created_at)
    SELECT id, '1', sha256(id::text::bytea), 'dev_', :user, now() FROM outlet
    """,
    "INSERT INTO outlet_pulse (outlet_id, seen_at, sold_at, batch_at) SELECT id, now(), now(), now() FROM outlet",
    # of two years, since each stands beside the one before; as days are written: all outlets of one day, then those of the next
    """
    INSERT INTO outlet_day (outlet_id, day, certified_fen, other_fen, resale_fen, grams, lines)
    SELECT o.id, d.day, 2500 * (1 + h.n % 20), 1800 * (h.n / 20 % 20), 0, 1000 * (1 + h.n % 20), 1 + h.n % 40
    FROM (SELECT CAST(:first AS date) + n AS day FROM generate_series(-365, 364) n) d CROSS JOIN outlet o
    CROSS JOIN LATERAL (SELECT hashint8(o.id * 400 + (d.day - CAST(:first AS date))) & 2147483647 AS n) h ORDER BY d.day, o.id
    """,
    """
    INSERT INTO outlet_month (outlet_id, month, certified_fen, other_fen, resale_fen, grams, lines)
    SELECT outlet_id, date_trunc('month', day::timestamp)::date, sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)
    FROM outlet_day GROUP BY 2, 1 ORDER BY 2, 1
    """,
    """
    INSERT INTO outlet_ten_days (outlet_id, ten_days, certified_fen, other_fen, resale_fen, grams, lines)
    SELECT outlet_id, date_trunc('month', day::timestamp)::date + 10 * least((extract(day FROM day)::int - 1) / 10, 2), sum(certified_fen), sum(other_fen),
           sum(resale_fen), sum(grams), sum(lines)
    FROM outlet_day GROUP BY 2, 1 ORDER BY 2, 1
    """,
    """
    INSERT INTO outlet_year (outlet_id, year, certified_fen, other_fen, resale_fen, grams, lines)
    SELECT outlet_id, extract(year FROM month)::int, sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines)
    FROM outlet_month GROUP BY 2, 1 ORDER BY 2, 1
    """,
    *(
        f"""
        INSERT INTO county_{unit} ({unit}, region_code, kind, certified_fen, other_fen, resale_fen, grams, lines, outlets)
        SELECT d.{unit}, o.region_code, o.kind, sum(certified_fen), sum(other_fen), sum(resale_fen), sum(grams), sum(lines), count(*) FILTER (WHERE lines > 0)
        FROM outlet_{unit} d JOIN outlet o ON o.id = d.outlet_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """
        for unit in ("day", "month")
    ),
]

# One delivery a week for a year, from a day of the first two months on; what was due is ordered and accepted, one in fifty was skipped. Prices of all
# three kinds.
_AGREEMENTS = [
    """
    INSERT INTO agreement (id, number, title, buyer_id, supplier_id, fund_source, valid_from, valid_until, tolerance_percent, call_off_lead_days, terms, status,
                           created_by, created_at, proposed_at, buyer_signed_by, buyer_signed_at, supplier_signed_by, supplier_signed_at, terms_document,
                           terms_hash)
    SELECT n, 'AG' || n, '协议' || n, :of_units + 1 + n % :units, 2001 + n % 3000, 'canteen', CAST(:first AS date) + n % 60,
           CAST(:first AS date) + n % 60 + 364, 0, 3, '', 'active', :user, now(), now(), :user, now(), :user, now(), '{}', 'x'
    FROM generate_series(1, :agreements) n
    """,
    """
    INSERT INTO agreement_line (id, agreement_id, line_no, sku_id, price_kind, unit_price_fen, percent_off)
    SELECT (a.id - 1) * :lines + o.line_no, a.id, o.line_no, o.sku_id, k.kind, CASE WHEN k.kind = 'fixed' THEN o.price_fen END,
           CASE WHEN k.kind = 'list_minus' THEN 5 END
    FROM agreement a JOIN offer o ON o.supplier_no = a.supplier_id - 2001 AND o.line_no <= :lines
    CROSS JOIN LATERAL (SELECT CASE o.line_no WHEN 4 THEN 'list_minus' WHEN 5 THEN 'tiers' ELSE 'fixed' END AS kind) k
    """,
    """
    INSERT INTO agreement_price_tier (agreement_line_id, min_quantity, unit_price_fen)
    SELECT id, t.from_quantity, t.fen FROM agreement_line, (VALUES (1, 6990), (100, 6500)) t (from_quantity, fen) WHERE price_kind = 'tiers'
    """,
    "INSERT INTO delivery_place (id, agreement_id, name, address) SELECT id, id, '食堂', '某路' FROM agreement",
    """
    INSERT INTO schedule_entry (id, agreement_line_id, delivery_place_id, weekdays, every_weeks, quantity, starts_on, ends_on, in_term_only,
                                skips_public_holidays)
    SELECT l.id, l.id, a.id, ARRAY[1 + a.id % 5], 1, 10 + l.id % 20, a.valid_from, a.valid_until, false, false
    FROM agreement_line l JOIN agreement a ON a.id = l.agreement_id
    """,
    """
    CREATE TEMP TABLE delivery ON COMMIT DROP AS
    SELECT a.id AS agreement_id, a.buyer_id, a.supplier_id, a.valid_from + 7 * w AS day, :of_agreements + a.id * 100 + w AS order_id,
           a.valid_from + 7 * w <= :last AS due, w
    FROM agreement a CROSS JOIN generate_series(0, 51) w
    """,
    """
    INSERT INTO call_off_draft (id, agreement_id, delivery_place_id, due_on, status, drafted_at, purchase_order_id)
    SELECT order_id, agreement_id, agreement_id, day, 'ordered', now(), order_id FROM delivery WHERE due
    """,
    """
    INSERT INTO instalment (schedule_entry_id, agreement_line_id, delivery_place_id, due_on, planned_quantity, quantity, status, skip_reason,
                            call_off_draft_id, settled)
    SELECT e.id, e.agreement_line_id, e.delivery_place_id, d.day, e.quantity, e.quantity, s.status,
           CASE WHEN s.status = 'skipped' THEN 'closure' END, CASE WHEN s.status = 'ordered' THEN d.order_id END, d.due
    FROM delivery d JOIN schedule_entry e ON e.delivery_place_id = d.agreement_id
    CROSS JOIN LATERAL (SELECT CASE WHEN (e.id + d.w) % 50 = 0 THEN 'skipped' WHEN d.due THEN 'ordered' ELSE 'planned' END AS status) s
    ORDER BY d.day, e.id
    """,
    """
    CREATE TEMP TABLE bought ON COMMIT DROP AS
    SELECT d.order_id, d.order_id AS supplier_order_id, d.buyer_id, 'agreement' AS source_kind, d.agreement_id AS source_id, d.day, o.*,
           l.id AS agreement_line_id, e.quantity
    FROM delivery d JOIN agreement_line l ON l.agreement_id = d.agreement_id JOIN schedule_entry e ON e.id = l.id
    JOIN offer o ON o.sku_id = l.sku_id WHERE d.due AND (e.id + d.w) % 50 <> 0
    """,
]

# Ten orders each over a year, of three packs of one supplier; half of the pledges are for the district that most of it comes from.
_PLEDGES = [
    """
    INSERT INTO pledge (id, number, organisation_id, title, kind, amount_fen, purpose, valid_from, valid_until, fund_source, status, created_by,
                        created_at, opened_at)
    SELECT n, 'YG-' || n, :of_units + :units - n, '认购' || n, CASE WHEN n % 3 = 0 THEN 'buy_to_help' ELSE 'donate_by_purchase' END, 5000000, 'x',
           :first, CAST(:last AS date) + 30, 'union', 'open', :user, now(), now()
    FROM generate_series(1, :pledges) n
    """,
    """
    INSERT INTO pledge_region (pledge_id, region_code)
    SELECT p.id, c.code FROM pledge p JOIN county c ON c.number IN (p.id % all_of, (p.id * 7 + 1) % all_of)
    UNION SELECT p.id, o.district_code FROM pledge p JOIN offer o ON o.supplier_no = p.id % 3000 AND o.line_no = 1 WHERE p.id % 2 = 0
    """,
    """
    INSERT INTO pledge_order (pledge_id, purchase_order_id, added_by, added_at)
    SELECT id, :of_pledges + id * 10 + k, :user, now() FROM pledge, generate_series(0, 9) k
    """,
    """
    INSERT INTO bought
    SELECT :of_pledges + p.id * 10 + k, :of_pledges + p.id * 10 + k, p.organisation_id, 'direct', NULL, CAST(:first AS date) + (p.id % 30)::int + k * 33,
           o.*, NULL, 5 + (p.id + k) % 15
    FROM pledge p CROSS JOIN generate_series(0, 9) k JOIN offer o ON o.supplier_no = p.id % 3000 AND o.line_no <= 3
    """,
    # agreements of those who pledged, where the unit has both
    """
    INSERT INTO pledge_agreement (pledge_id, agreement_id, added_by, added_at)
    SELECT DISTINCT ON (a.id) p.id, a.id, :user, now() FROM pledge p JOIN agreement a ON a.buyer_id = p.organisation_id WHERE p.id % 4 = 0
    """,
]

_BOUGHT = [
    """
    INSERT INTO purchase_order (id, number, buyer_id, ordering_unit_id, placed_by, programme_code, fund_source, platform, delivery_address,
                                source_kind, source_id, line_count, total_fen, total_grams, placed_at)
    SELECT order_id, 'PO' || order_id, min(buyer_id), min(buyer_id), :user, 'chongqing-2021', 'canteen', 'marketplace', '某路', min(source_kind), min(source_id),
           count(*), sum(round(quantity * price_fen)), sum(quantity * net_grams), min(day)::timestamp AT TIME ZONE 'Asia/Shanghai'
    FROM bought GROUP BY order_id ORDER BY min(day), order_id
    """,
    """
    INSERT INTO supplier_order (id, purchase_order_id, supplier_id, status, total_fen, total_grams)
    SELECT supplier_order_id, order_id, min(supplier_id), 'accepted', sum(round(quantity * price_fen)), sum(quantity * net_grams)
    FROM bought GROUP BY 1, 2 ORDER BY min(day), 1
    """,
    """
    INSERT INTO order_line (purchase_order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, agreement_line_id, quantity, unit_price_fen,
                            amount_fen, vat_bp, vat_fen, grams, shipped_quantity, accepted_quantity)
    SELECT order_id, supplier_order_id, line_no, sku_id, product_id, certificate_id, agreement_line_id, quantity, price_fen, round(quantity * price_fen), 0, 0,
           quantity * net_grams, quantity, quantity
    FROM bought ORDER BY day, order_id, line_no
    """,
    """
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id, supplier_order_id, sku_id,
        product_id, kind, category, supplier_id, district_code, township_code, village, certificate_id, certified, reserved_share_eligible, buyer_id,
        buyer_kind, buyer_region_code, fund_source, mode, relation, channel, channel_basis, quantity, grams, amount_fen)
    SELECT 'acceptance_line', l.id, now(), s.day, date_trunc('month', s.day::timestamp)::date, 'chongqing-2021', 'purchase', l.purchase_order_id,
           l.supplier_order_id, l.sku_id, p.id, p.kind, p.category, p.supplier_id, p.district_code, p.township_code, p.village, l.certificate_id, true,
           true, b.id, b.kind, b.region_code, 'canteen', 'policy_procurement', 'none', 'policy_procurement', 'bench', l.quantity, l.grams, l.amount_fen
    FROM order_line l JOIN purchase_order po ON po.id = l.purchase_order_id JOIN organisation b ON b.id = po.buyer_id JOIN product p ON p.id = l.product_id
    CROSS JOIN LATERAL (SELECT (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date AS day) s ORDER BY s.day, l.id
    """,
]

# Nine in ten units have a share that holds, a twentieth of them are exempt or cook with another; the others filed or drafted one.
_SHARES = [
    """
    INSERT INTO reserved_share (id, organisation_id, year, base_fen, percent_bp, reserved_fen, exemption, exemption_reason, shared_with_id, status,
                                number, accepted_number, filed_by, filed_at)
    SELECT n, :of_units + n, :year, b.fen, 1000, CASE WHEN e.exemption IS NULL THEN round(b.fen / 10.0) ELSE 0 END, e.exemption,
           CASE WHEN e.exemption IS NOT NULL THEN 'x' END, CASE WHEN e.exemption = 'shared_canteen' THEN :of_units + n - 1 END,
           CASE WHEN n % 10 > 0 THEN 'accepted' WHEN n % 20 = 0 THEN 'filed' ELSE 'draft' END, (n % 20 <> 10)::int, CASE WHEN n % 10 > 0 THEN 1 END,
           :user, now()
    FROM generate_series(1, :units) n CROSS JOIN LATERAL (SELECT 5000000 + n % 1000 * 10000 AS fen) b
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 40 = 1 THEN 'no_canteen' WHEN n % 40 = 3 THEN 'shared_canteen' END AS exemption) e
    """,
    """
    INSERT INTO reserved_share_revision (reserved_share_id, number, base_fen, percent_bp, reserved_fen, exemption, exemption_reason, shared_with_id,
                                         filed_by, filed_at, decision, decided_by, decided_at)
    SELECT id, number, base_fen, percent_bp, reserved_fen, exemption, exemption_reason, shared_with_id, filed_by, filed_at,
           CASE WHEN status = 'accepted' THEN 'accepted' END, CASE WHEN status = 'accepted' THEN :user END, CASE WHEN status = 'accepted' THEN now() END
    FROM reserved_share WHERE number > 0
    """,
]

_PLACES = [
    """
    INSERT INTO promotion (id, name, region_code, starts_on, ends_on, online_place, status, created_by, created_at, published_at)
    SELECT n, '促销' || n, c.code, CAST(:last AS date) - n, CAST(:last AS date) - n + 13, 'x', 'published', :user, now(), now()
    FROM generate_series(1, :promotions) n JOIN county c ON c.number = n % c.all_of
    """,
    """
    INSERT INTO promotion_line (promotion_id, sku_id, online_fen, offline_fen)
    SELECT n.id, 1 + (n.id * 37 + k * 401) % 12000, 6000, 6000 FROM promotion n, generate_series(1, 10) k
    """,
    """
    INSERT INTO promotion_outlet (promotion_id, outlet_id)
    SELECT n.id, 1 + (n.id * 31 + k * 47) % :outlets FROM promotion n, generate_series(1, 20) k
    """,
    # villages that sell, and as many others as make the city's
    """
    INSERT INTO poor_village (township_code, name, valid_from)
    SELECT township_code, name, '2014-01-01' FROM (
        SELECT DISTINCT township_code, village AS name, 0 AS other FROM product WHERE township_code IS NOT NULL AND village IS NOT NULL
        UNION ALL SELECT code, '邻村' || n, 1 FROM region CROSS JOIN generate_series(1, 400) n WHERE kind = 'township' AND starts_with(code, '50')
    ) v ORDER BY other, hashtext(township_code || name) LIMIT :villages
    """,
    """
    INSERT INTO service_station (kind, name, region_code, address, opened_on, evidence, recorded_by, recorded_at)
    SELECT 'county_centre', '中心', code, '', CAST('2018-01-01' AS date), 'x', CAST(:user AS bigint), now() FROM county
    UNION ALL SELECT DISTINCT 'town_station', '镇站', township_code, '', CAST('2018-01-01' AS date), 'x', CAST(:user AS bigint), now() FROM poor_village
    UNION ALL SELECT 'village_station', name || '站', township_code, '', CAST('2019-01-01' AS date), 'x', CAST(:user AS bigint), now() FROM poor_village WHERE id % 4 < 3
    """,
    """
    INSERT INTO station_village (station_id, village_id, valid_from)
    SELECT s.id, v.id, CAST('2019-01-01' AS date) FROM service_station s JOIN poor_village v ON v.township_code = s.region_code AND s.name = v.name || '站'
    UNION ALL SELECT s.id, v.id, CAST('2019-01-01' AS date) FROM service_station s JOIN poor_village v ON v.township_code = s.region_code
    WHERE s.kind = 'town_station' AND v.id % 3 = 0
    """,
    # the targets are in the reference data; the years and months that two of them are held against were reported
    """
    INSERT INTO reported_value (indicator, region_code, grain, first_on, last_on, status, number, accepted_number)
    SELECT 'rural_online_retail', code, p.grain, p.first_on, (p.first_on + p.long - interval '1 day')::date, 'accepted', 1, 1
    FROM county CROSS JOIN (
        SELECT 'year' AS grain, make_date(:year - n, 1, 1) AS first_on, interval '1 year' AS long FROM generate_series(1, 5) n
        UNION ALL SELECT 'month', (make_date(:year - 1, 1, 1) + make_interval(months => n))::date, interval '1 month' FROM generate_series(0, 21) n
    ) p
    """,
    """
    INSERT INTO reported_value_revision (reported_value_id, number, value, source, method, reported_by, reported_at)
    SELECT id, 1, 1000 + id % 500, 'x', 'x', :user, now() FROM reported_value
    """,
]

_TABLES = (
    *(
        "organisation",
        "organisation_role",
        "product",
        "sku",
        "price_tier",
        "stock",
        "certification_case",
        "certificate",
        "household_member",
    ),
    *("outlet", "outlet_pulse", "outlet_device", "outlet_day", "outlet_ten_days", "outlet_month", "outlet_year"),
    *("county_day", "county_month", "county_pending_day", "county_pending_month"),
    *(
        "agreement",
        "agreement_line",
        "agreement_price_tier",
        "schedule_entry",
        "call_off_draft",
        "instalment",
        "agreement_day",
        "agreement_month",
    ),
    *(
        "pledge",
        "pledge_region",
        "pledge_order",
        "pledge_agreement",
        "pledge_sum",
        "purchase_order",
        "supplier_order",
        "order_line",
    ),
    *(
        "reserved_share",
        "reserved_share_revision",
        "promotion",
        "promotion_line",
        "promotion_outlet",
        "poor_village",
        "service_station",
    ),
    *("station_village", "reported_value", "reported_value_revision", "agreement_touched", "pledge_touched"),
)


def fill(database: Database) -> None:
    """Everything, and what the planner needs to know of it; the sales wait in no queue, for a rebuild of the rollups is to follow."""
    asked = {
        "first": FIRST,
        "last": market.LAST,
        "year": market.LAST.year,
        "lines": LINES,
        "people": PEOPLE,
        "outlets": OUTLETS,
        "agreements": AGREEMENTS,
        "pledges": PLEDGES,
        "units": UNITS,
        "promotions": PROMOTIONS,
        "villages": VILLAGES,
        "of_units": 10_000,
        "of_agreements": 100_000_000,
        "of_pledges": 200_000_000,
    }
    with database.unit_of_work() as session:
        asked["user"] = make_user(session, "monitor").id
        session.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in (*_GROUND, *_OUTLETS, *_AGREEMENTS, *_PLEDGES, *_BOUGHT, *_SHARES, *_PLACES):
            session.execute(text(statement), asked)
        session.execute(text("INSERT INTO pledge_touched (pledge_id) SELECT id FROM pledge"))
        session.execute(text("INSERT INTO agreement_touched (agreement_id) SELECT id FROM agreement"))
    _vacuum(database)
    with database.unit_of_work() as session:
        recounting.rebuild(session)
    for recount in (pledges.recount, agreements.recount):
        counted = 1
        while counted:
            with database.unit_of_work() as session:
                counted = recount(session)
    _vacuum(database)


def _vacuum(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # not the rollups of sales, which are empty yet: a plan for what is known to be empty is a bad one once they are filled
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(_TABLES)}"))
