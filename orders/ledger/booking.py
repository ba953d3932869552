"""The statements that book sales: what ``rules.py`` says, for any number of lines at once."""

# ruff: noqa: S608  statements are put together from constants only

from sqlalchemy import text

from orders.ledger.rules import EAST_PARTNER, POLICY_ROLES, REGIONAL_RELATIONS, SOCIAL_NETWORK, SaleRelation


def _in_force(table: str, on: str) -> str:
    """SQL: ``valid_to`` is the first day after the period."""
    return f"({table}.valid_from IS NULL OR {table}.valid_from <= {on}) AND ({table}.valid_to IS NULL OR {on} < {table}.valid_to)"


_POLICY = ", ".join(f"'{role}'" for role in POLICY_ROLES)
_REGIONAL = ", ".join(f"'{kind}'" for kind in sorted(REGIONAL_RELATIONS))

# A line is a sale; a deal is what sales have in common for attribution, so that the relations are looked up once for a delivery of many
# lines from one place. Nothing in this text comes from outside; every value is bound.
_OF_LINE = """
    SELECT al.id AS origin_id, {recorded} AS recorded_at, {on} AS sold_on,
           po.id AS order_id, so.id AS supplier_order_id, l.sku_id, l.product_id, p.kind, p.category, so.supplier_id,
           p.district_code, p.township_code, p.village, coalesce(p.township_code, p.district_code) AS place,
           l.certificate_id, coalesce(l.agreed_at, po.placed_at) AS placed_at, po.buyer_id, po.fund_source, po.platform, coalesce(po.declared_relation_id, 0) AS declared,
           {accepted}
    FROM {accepted_lines}
    JOIN order_line l ON l.id = al.order_line_id
    JOIN supplier_order so ON so.id = l.supplier_order_id
    JOIN purchase_order po ON po.id = so.purchase_order_id
    JOIN product p ON p.id = l.product_id
"""
_ACCEPTED = _OF_LINE.format(
    recorded="a.accepted_at",
    on="(a.accepted_at AT TIME ZONE 'Asia/Shanghai')::date",
    accepted="al.accepted_quantity AS quantity, al.accepted_grams AS grams, al.amount_fen",
    accepted_lines="acceptance a JOIN acceptance_line al ON al.acceptance_id = a.id AND al.accepted_quantity > 0"
    " AND a.id = ANY (CAST(:acceptance_ids AS bigint[]))",
)
# What was accepted in truth of lines of which nothing had been.
_ACCEPTED_AFTER_ALL = _OF_LINE.format(
    recorded="CAST(:now AS timestamptz)",
    on="CAST(:on AS date)",
    accepted="al.accepted_quantity AS quantity, al.accepted_grams AS grams, round(al.accepted_quantity * l.unit_price_fen)::bigint AS amount_fen",
    accepted_lines="(SELECT * FROM acceptance_correction_line WHERE id = ANY (CAST(:correction_line_ids AS bigint[]))) al",
)
# What was just taken back from one buyer, for the one to which the order belongs by now; the snapshot of the goods stays.
_TAKEN_BACK = """
    SELECT c.id AS origin_id, CAST(:now AS timestamptz) AS recorded_at, c.sold_on, po.id AS order_id, c.supplier_order_id, c.sku_id, c.product_id, c.kind, c.category, c.supplier_id,
           c.district_code, c.township_code, c.village, coalesce(c.township_code, c.district_code) AS place,
           c.certificate_id, po.placed_at, po.buyer_id, po.fund_source, po.platform, coalesce(po.declared_relation_id, 0) AS declared,
           -c.quantity AS quantity, -c.grams AS grams, -c.amount_fen AS amount_fen
    FROM sale_entry c JOIN purchase_order po ON po.id = c.order_id
    WHERE c.id = ANY (CAST(:correction_ids AS bigint[]))
"""

_BOOK = f"""
WITH line AS MATERIALIZED ({{lines}}), deal AS MATERIALIZED (
    SELECT d.*, b.kind AS buyer_kind, pr.code AS programme_code, pr.priority, pr.reserved_designation,
           CASE WHEN r.valid_to <= d.sold_on THEN coalesce(r.successor_code, r.code) ELSE r.code END AS buyer_region,
           (SELECT o.role FROM organisation_role o
            WHERE o.organisation_id = d.buyer_id AND o.role IN ({_POLICY}) AND {_in_force("o", "d.sold_on")}
            ORDER BY array_position(ARRAY[{_POLICY}], o.role) LIMIT 1) AS policy_role,
           EXISTS (SELECT FROM organisation_role o
            WHERE o.organisation_id = d.buyer_id AND o.role = '{EAST_PARTNER}' AND {_in_force("o", "d.sold_on")}) AS east_partner,
           ARRAY(SELECT o.supporter_id FROM organisation_role o
            WHERE o.organisation_id = d.buyer_id AND o.supporter_id IS NOT NULL AND {_in_force("o", "d.sold_on")}) AS supporters
    FROM (SELECT DISTINCT buyer_id, sold_on, place, platform, declared FROM line) d
    JOIN organisation b ON b.id = d.buyer_id
    JOIN region r ON r.code = b.region_code
    LEFT JOIN LATERAL (
        SELECT p.code, ARRAY(SELECT jsonb_array_elements_text(p.config -> 'channel_priority')) AS priority,
               p.config -> 'reserved_share' ->> 'eligible_designation' AS reserved_designation
        FROM programme p WHERE {_in_force("p", "d.sold_on")}
    ) pr ON true
), related AS MATERIALIZED (
    SELECT d.*, s.id AS relation_id, s.kind AS relation,
           CASE WHEN d.platform = '{SOCIAL_NETWORK}' THEN 'social_network'
                WHEN d.policy_role IS NOT NULL THEN 'policy_procurement'
                WHEN d.east_partner OR EXISTS (
                    SELECT FROM support_relation e JOIN supporter u ON u.id = e.supporter_id
                    WHERE e.kind = 'east_west' AND {_in_force("e", "d.sold_on")} AND starts_with(d.place, e.region_code)
                      AND starts_with(d.buyer_region, u.region_code)) THEN 'east_west'
                ELSE 'market' END AS mode
    FROM deal d
    LEFT JOIN LATERAL (
        SELECT s.id, s.kind
        FROM support_relation s JOIN supporter u ON u.id = s.supporter_id
        WHERE {_in_force("s", "d.sold_on")} AND starts_with(d.place, s.region_code)
          AND (s.supporter_id = ANY (d.supporters)
               OR s.kind IN ({_REGIONAL}) AND starts_with(d.buyer_region, u.region_code))
        ORDER BY s.id = d.declared DESC, array_position(d.priority, s.kind), length(s.region_code) DESC, s.id LIMIT 1
    ) s ON true
), credited AS MATERIALIZED (
    SELECT r.*, c.channel,
           CASE WHEN c.channel = r.relation THEN CASE WHEN r.relation_id = r.declared THEN 'declared:' ELSE 'relation:' END || r.relation_id
                WHEN c.channel = 'east_west' THEN '{EAST_PARTNER}'
                WHEN c.channel = 'policy_procurement' THEN r.policy_role
                WHEN c.channel = 'social_network' THEN 'platform'
                ELSE 'default' END AS channel_basis
    FROM related r
    LEFT JOIN LATERAL (
        SELECT p.channel FROM unnest(r.priority) WITH ORDINALITY AS p (channel, place)
        WHERE p.channel = r.relation
           OR p.channel = 'east_west' AND r.east_partner
           OR p.channel = 'policy_procurement' AND r.policy_role IS NOT NULL
           OR p.channel = 'social_network' AND r.platform = '{SOCIAL_NETWORK}'
           OR p.channel = 'market'
        ORDER BY p.place LIMIT 1
    ) c ON true
), eligible AS MATERIALIZED (
    SELECT s.supplier_id, s.sold_on, c.reserved_designation, EXISTS (
               SELECT FROM region_designation g
               WHERE g.region_code IN (o.region_code, left(o.region_code, 6)) AND g.designation = c.reserved_designation
                 AND {_in_force("g", "s.sold_on")}) AS county_counts
    FROM (SELECT DISTINCT supplier_id, sold_on FROM line) s
    JOIN organisation o ON o.id = s.supplier_id
    JOIN (SELECT DISTINCT sold_on, reserved_designation FROM deal) c ON c.sold_on = s.sold_on
)
INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id, supplier_order_id, sku_id,
    product_id, kind, category, supplier_id, district_code, township_code, village, certificate_id, certified, reserved_share_eligible,
    buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation, relation_id, channel, channel_basis, quantity, grams, amount_fen)
SELECT '{{origin_kind}}', l.origin_id, l.recorded_at, l.sold_on, date_trunc('month', l.sold_on::timestamp)::date, c.programme_code, 'purchase',
       l.order_id, l.supplier_order_id, l.sku_id, l.product_id, l.kind, l.category, l.supplier_id, l.district_code, l.township_code, l.village,
       f.id, f.id IS NOT NULL, l.kind = 'goods' AND e.county_counts,
       l.buyer_id, c.buyer_kind, c.buyer_region, l.fund_source, c.mode, coalesce(c.relation, '{SaleRelation.NONE}'), c.relation_id, c.channel,
       c.channel_basis, l.quantity, l.grams, l.amount_fen
FROM line l
JOIN credited c USING (buyer_id, sold_on, place, platform, declared)
JOIN eligible e USING (supplier_id, sold_on)
LEFT JOIN certificate f ON f.id = l.certificate_id
     AND (l.placed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN f.valid_from AND f.valid_until
     AND (f.revoked_at IS NULL OR f.revoked_at > l.placed_at) AND (f.held_at IS NULL OR f.held_at > l.placed_at)
     AND (f.suspended_at IS NULL OR f.suspended_at > l.placed_at OR f.suspended_until <= l.placed_at)
ORDER BY l.origin_id
"""

#: Books what acceptances accepted.
BOOK = text(_BOOK.format(lines=_ACCEPTED, origin_kind="acceptance_line"))
#: Books what corrections say was accepted of lines without a sale.
BOOK_AFTER_ALL = text(
    _BOOK.format(lines=_ACCEPTED_AFTER_ALL, origin_kind="acceptance_correction")
    + "RETURNING id, origin_id, quantity, grams, amount_fen"
)
#: Books sales that were taken back from the wrong buyer.
BOOK_REASSIGNED = text(_BOOK.format(lines=_TAKEN_BACK, origin_kind="reassignment"))

_REVERSE = """
INSERT INTO sale_entry (id, origin_kind, origin_id, reverses_id, recorded_at, sold_on, month, programme_code, direction, order_id,
    supplier_order_id, sku_id, product_id, kind, category, supplier_id, district_code, township_code, village, certificate_id, certified,
    reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation, relation_id, channel, channel_basis,
    quantity, grams, amount_fen)
SELECT n.id, 'correction', n.id, e.id, :now, CAST(:on AS date), date_trunc('month', CAST(:on AS timestamp))::date, e.programme_code,
       e.direction, e.order_id, e.supplier_order_id, e.sku_id, e.product_id, e.kind, e.category, e.supplier_id, e.district_code,
       e.township_code, e.village, e.certificate_id, e.certified, e.reserved_share_eligible, e.buyer_id, e.buyer_kind, e.buyer_region_code,
       e.fund_source, e.mode, e.relation, e.relation_id, e.channel, e.channel_basis, {taken}
"""
_NEXT = "(SELECT nextval(pg_get_serial_sequence('sale_entry', 'id')) AS id {for_each}) n"

#: The opposite of a part of an entry, booked on another day with the same snapshot.
REVERSE = text(
    _REVERSE.format(taken="-CAST(:quantity AS numeric), -CAST(:grams AS bigint), -CAST(:amount_fen AS bigint)")
    + f"FROM sale_entry e, {_NEXT.format(for_each='')} WHERE e.id = :entry_id RETURNING id"
)
#: The opposite of everything that the entries of an order still hold; they are locked before (by id), against returns.
LOCK_ORDER = text(
    "SELECT lock_sale_entries(array_agg(id)) FROM sale_entry WHERE order_id = :order_id AND reverses_id IS NULL HAVING count(*) > 0"
)
REVERSE_ORDER = text(
    _REVERSE.format(taken="-e.quantity - r.quantity, -e.grams - r.grams, -e.amount_fen - r.amount_fen")
    + f"""
    FROM sale_entry e
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(grams), 0)::bigint AS grams,
               coalesce(sum(amount_fen), 0)::bigint AS amount_fen
        FROM sale_entry WHERE reverses_id = e.id
    ) r
    CROSS JOIN LATERAL {_NEXT.format(for_each="WHERE e.id > 0")}
    WHERE e.order_id = :order_id AND e.reverses_id IS NULL AND e.quantity + r.quantity > 0
    RETURNING id
    """
)
#: The opposite of parts of many entries: what ``part_to_reverse`` says, in SQL. The entries are locked before (by id), so that ``done`` is
#: what the transactions before this one left. A part of more than there is left is no row.
LOCK = text("SELECT lock_sale_entries(CAST(:entry_ids AS bigint[]))")
REVERSE_PARTS = text(
    _REVERSE.format(
        taken="-n.quantity, done.grams - round(e.grams * (done.quantity + n.quantity) / e.quantity),"
        " done.amount_fen - round(e.amount_fen * (done.quantity + n.quantity) / e.quantity)"
    )
    + """
    FROM (SELECT nextval(pg_get_serial_sequence('sale_entry', 'id')) AS id, asked.* FROM unnest(CAST(:entry_ids AS bigint[]),
          CAST(:quantities AS numeric[])) AS asked (entry_id, quantity)) n
    JOIN sale_entry e ON e.id = n.entry_id AND e.reverses_id IS NULL
    CROSS JOIN LATERAL (
        SELECT -coalesce(sum(r.quantity), 0) AS quantity, -coalesce(sum(r.grams), 0) AS grams, -coalesce(sum(r.amount_fen), 0) AS amount_fen
        FROM sale_entry r WHERE r.reverses_id = e.id
    ) done
    WHERE n.quantity > 0 AND done.quantity + n.quantity <= e.quantity
    RETURNING id, reverses_id, -quantity AS quantity, -grams AS grams, -amount_fen AS amount_fen
    """
)

#: What was accepted in truth, with the snapshot of the entry that it takes the place of.
REBOOK = text("""
INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, programme_code, direction, order_id,
    supplier_order_id, sku_id, product_id, kind, category, supplier_id, district_code, township_code, village, certificate_id, certified,
    reserved_share_eligible, buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation, relation_id, channel, channel_basis,
    quantity, grams, amount_fen)
SELECT 'acceptance_correction', n.origin_id, :now, CAST(:on AS date), date_trunc('month', CAST(:on AS timestamp))::date, e.programme_code,
       e.direction, e.order_id, e.supplier_order_id, e.sku_id, e.product_id, e.kind, e.category, e.supplier_id, e.district_code,
       e.township_code, e.village, e.certificate_id, e.certified, e.reserved_share_eligible, e.buyer_id, e.buyer_kind, e.buyer_region_code,
       e.fund_source, e.mode, e.relation, e.relation_id, e.channel, e.channel_basis, n.quantity, n.grams, n.amount_fen
FROM unnest(CAST(:entry_ids AS bigint[]), CAST(:origin_ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[]),
            CAST(:amounts AS bigint[])) AS n (entry_id, origin_id, quantity, grams, amount_fen)
JOIN sale_entry e ON e.id = n.entry_id
RETURNING id, origin_id
""")
