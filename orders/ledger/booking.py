"""The statements that book sales: what ``rules.py`` says, for any number of lines at once."""

# ruff: noqa: S608  statements are put together from constants only

from sqlalchemy import text

from orders.ledger.rules import EAST_PARTNER, POLICY_ROLES, REGIONAL_RELATIONS, SOCIAL_NETWORK, SaleRelation
from orders.ledger.selection import DISTRICT_CODE


def in_force(table: str, on: str) -> str:
    """SQL: whether what ``table`` says was in force on a day; ``valid_to`` is the first day after the period."""
    return f"({table}.valid_from IS NULL OR {table}.valid_from <= {on}) AND ({table}.valid_to IS NULL OR {on} < {table}.valid_to)"


def parent(entry: str) -> str:
    """SQL: the id of what stands above an entry: what it takes back; what it books again, or for another buyer, or as it was accepted in truth. None:
    it is a sale of its own. What is accepted in truth after a correction to nothing, or after all of it was given back, stands below what took back the
    last of its line."""
    return f"""
    coalesce({entry}.reverses_id, CASE {entry}.origin_kind WHEN 'release' THEN {entry}.origin_id WHEN 'reassignment' THEN {entry}.origin_id
             WHEN 'acceptance_correction' THEN (
                SELECT coalesce(t.reversal_id, greatest(
                    (SELECT max(b.reversal_id) FROM acceptance_correction_line b
                     WHERE b.acceptance_line_id = t.acceptance_line_id AND b.reversal_id < {entry}.id),
                    (SELECT max(g.reversal_id) FROM goods_return_line g
                     WHERE g.acceptance_line_id = t.acceptance_line_id AND g.reversal_id < {entry}.id)))
                FROM acceptance_correction_line t WHERE t.id = {entry}.origin_id) END)
    """


def accepted_line(entry: str) -> str:
    """SQL: the id of the acceptance line that an entry was booked for, by the acceptance itself or a correction of it. None: by nothing of the kind."""
    return f"""
    CASE {entry}.origin_kind WHEN 'acceptance_line' THEN {entry}.origin_id WHEN 'acceptance_correction' THEN
         (SELECT t.acceptance_line_id FROM acceptance_correction_line t WHERE t.id = {entry}.origin_id) END
    """


#: SQL: certificate ``f`` was in force at the moment ``{at}``.
CERTIFIED = """({at} AT TIME ZONE 'Asia/Shanghai')::date BETWEEN f.valid_from AND f.valid_until
     AND (f.revoked_at IS NULL OR f.revoked_at > {at}) AND (f.held_at IS NULL OR f.held_at > {at})
     AND (f.suspended_at IS NULL OR f.suspended_at > {at} OR f.suspended_until <= {at})"""
#: Columns of an entry: what was sold, and to whom it is credited. A reversal keeps them.
_GOODS = (
    "order_id, supplier_order_id, outlet_id, sku_id, product_id, kind, category, supplier_id, district_code, township_code, village"
)
_CREDIT = "buyer_id, buyer_kind, buyer_region_code, fund_source, mode, relation, relation_id, channel, channel_basis"
_SNAPSHOT = f"programme_code, source, direction, counted, {_GOODS}, certificate_id, certified, reserved_share_eligible, {_CREDIT}"
#: SQL: whoever buys is an operator of outlets, which sells the goods on to the last buyer.
_OPERATOR = (
    "EXISTS (SELECT FROM organisation_role o WHERE o.organisation_id = d.buyer AND o.role = 'outlet_operator' AND {in_force})"
)
_POLICY = ", ".join(f"'{role}'" for role in POLICY_ROLES)
#: SQL: the kinds of relations that hold for every buyer of a region.
REGIONAL = ", ".join(f"'{kind}'" for kind in sorted(REGIONAL_RELATIONS))

# A line is a sale; a deal is what sales have in common for attribution, so that the relations are looked up once for a delivery of many
# lines from one place. Nothing in this text comes from outside; every value is bound.
_OF_LINE = """
    SELECT al.id AS origin_id, {recorded} AS recorded_at, {on} AS occurred, {on} AS sold_on, 'platform' AS source, NULL::bigint AS outlet_id,
           'purchase' AS direction, '' AS given_kind, '' AS given_region, po.id AS order_id, so.id AS supplier_order_id, l.sku_id, l.product_id, p.kind, p.category, so.supplier_id,
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
# What was just taken back from one buyer, for the one to which the order belongs by now. What is said of the goods stays as it was booked.
_TAKEN_BACK = """
    SELECT c.id AS origin_id, CAST(:now AS timestamptz) AS recorded_at, c.sold_on AS occurred, c.sold_on, 'platform' AS source,
           NULL::bigint AS outlet_id, c.direction, '' AS given_kind, '' AS given_region, po.id AS order_id, c.supplier_order_id, c.sku_id, c.product_id, c.kind, c.category, c.supplier_id,
           c.district_code, c.township_code, c.village, coalesce(c.township_code, c.district_code) AS place,
           c.certificate_id, c.certified, c.reserved_share_eligible, po.placed_at, po.buyer_id, po.fund_source, po.platform, coalesce(po.declared_relation_id, 0) AS declared,
           -c.quantity AS quantity, -c.grams AS grams, -c.amount_fen AS amount_fen
    FROM sale_entry c JOIN purchase_order po ON po.id = c.order_id
    WHERE c.id = ANY (CAST(:correction_ids AS bigint[]))
"""

#: SQL: a day, or if its month is closed by now the first day that is open.
_OPEN = "greatest({day}, (SELECT (max(month) + interval '1 month')::date FROM closed_month))"

# What was sold elsewhere. A sale in a month that is closed by now counts on the first day that is open.
_CLAIMED = f"""
    SELECT l.id AS origin_id, CAST(:now AS timestamptz) AS recorded_at, {{occurred}} AS occurred, {_OPEN.format(day="{occurred}")} AS sold_on, {{claim}},
           NULL::bigint AS order_id, NULL::bigint AS supplier_order_id, l.sku_id, l.product_id, p.kind, p.category, p.supplier_id,
           p.district_code, p.township_code, p.village, coalesce(p.township_code, p.district_code) AS place,
           (SELECT f.id FROM certificate f WHERE f.product_id = l.product_id AND {{certified}} ORDER BY f.id DESC LIMIT 1) AS certificate_id,
           {{at}} AS placed_at, l.quantity, l.grams, l.amount_fen
    FROM {{lines}} JOIN product p ON p.id = l.product_id
    WHERE l.id = ANY (CAST(:line_ids AS bigint[]))
"""
#: SQL: the moment at which line ``l`` of batch ``b`` of an outlet is taken to have been sold: not after it was told, whatever the till's clock says. It
#: counts on that day.
SOLD_AT = "least(l.sold_at, b.received_at)"
_AT_OUTLETS = _CLAIMED.format(
    occurred="l.sold_on",
    at=SOLD_AT,
    certified=CERTIFIED.format(at=SOLD_AT),
    claim="""'outlet' AS source, l.outlet_id, 'purchase' AS direction, 'consumer' AS given_kind, o.region_code AS given_region,
           NULL::bigint AS buyer_id, 'other' AS fund_source, 'marketplace' AS platform, 0::bigint AS declared""",
    lines="sales_batch_line l JOIN sales_batch b ON b.id = l.batch_id JOIN outlet o ON o.id = l.outlet_id",
)
#: SQL: the moment at which external sale ``x`` is taken to have been made, of which only the day is known.
NOON = "(x.sold_on + time '12:00') AT TIME ZONE 'Asia/Shanghai'"
_ELSEWHERE = _CLAIMED.format(
    occurred="x.sold_on",
    at=NOON,
    certified=CERTIFIED.format(at=NOON),
    claim="""'external' AS source, NULL::bigint AS outlet_id, x.direction, x.buyer_kind AS given_kind, x.buyer_region_code AS given_region,
           x.buyer_id, x.fund_source, x.platform, coalesce(x.declared_relation_id, 0) AS declared""",
    lines="external_sale_line l JOIN external_sale x ON x.id = l.sale_id",
)

#: Whether the goods are certified and fill reserved shares: by what was in force, or as it was booked before.
_JUDGED = "f.id, f.id IS NOT NULL, l.kind = 'goods' AND e.county_counts"
_AS_BOOKED = "l.certificate_id, l.certified, l.reserved_share_eligible"
_BOOK = f"""
WITH line AS MATERIALIZED ({{lines}}), deal AS MATERIALIZED (
    SELECT d.*, coalesce(b.kind, d.given_kind) AS buyer_kind, pr.code AS programme_code, pr.priority, pr.reserved_designation,
           CASE WHEN r.valid_to <= d.occurred THEN coalesce(r.successor_code, r.code) ELSE r.code END AS buyer_region,
           (SELECT o.role FROM organisation_role o
            WHERE o.organisation_id = d.buyer AND o.role IN ({_POLICY}) AND {in_force("o", "d.occurred")}
            ORDER BY array_position(ARRAY[{_POLICY}], o.role) LIMIT 1) AS policy_role,
           pr.counted_sale = 'final_sale' AND {_OPERATOR.format(in_force=in_force("o", "d.occurred"))} AS sold_on_later,
           EXISTS (SELECT FROM organisation_role o
            WHERE o.organisation_id = d.buyer AND o.role = '{EAST_PARTNER}' AND {in_force("o", "d.occurred")}) AS east_partner,
           ARRAY(SELECT o.supporter_id FROM organisation_role o
            WHERE o.organisation_id = d.buyer AND o.supporter_id IS NOT NULL AND {in_force("o", "d.occurred")}) AS supporters
    FROM (SELECT DISTINCT coalesce(buyer_id, 0) AS buyer, given_kind, given_region, occurred, place, platform, declared FROM line) d
    LEFT JOIN organisation b ON b.id = d.buyer
    -- a buyer may be registered in a township; figures know its district. None: the entry is refused
    LEFT JOIN region r ON r.code = left(coalesce(b.region_code, d.given_region), {DISTRICT_CODE})
    LEFT JOIN LATERAL (
        SELECT p.code, ARRAY(SELECT jsonb_array_elements_text(p.config -> 'channel_priority')) AS priority,
               p.config -> 'reserved_share' ->> 'eligible_designation' AS reserved_designation,
               p.config -> 'counting' ->> 'counted_sale' AS counted_sale
        FROM programme p WHERE {in_force("p", "d.occurred")}
    ) pr ON true
), related AS MATERIALIZED (
    SELECT d.*, s.id AS relation_id, s.kind AS relation,
           CASE WHEN d.platform = '{SOCIAL_NETWORK}' THEN 'social_network'
                WHEN d.policy_role IS NOT NULL THEN 'policy_procurement'
                WHEN d.east_partner OR EXISTS (
                    SELECT FROM support_relation e JOIN supporter u ON u.id = e.supporter_id
                    WHERE e.kind = 'east_west' AND {in_force("e", "d.occurred")} AND starts_with(d.place, e.region_code)
                      AND starts_with(d.buyer_region, u.region_code)) THEN 'east_west'
                ELSE 'market' END AS mode
    FROM deal d
    LEFT JOIN LATERAL (
        SELECT s.id, s.kind
        FROM support_relation s JOIN supporter u ON u.id = s.supporter_id
        WHERE {in_force("s", "d.occurred")} AND starts_with(d.place, s.region_code)
          AND (s.supporter_id = ANY (d.supporters)
               OR s.kind IN ({REGIONAL}) AND starts_with(d.buyer_region, u.region_code))
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
    SELECT s.supplier_id, s.occurred, c.reserved_designation, EXISTS (
               SELECT FROM region_designation g
               WHERE g.region_code IN (o.region_code, left(o.region_code, 6)) AND g.designation = c.reserved_designation
                 AND {in_force("g", "s.occurred")}) AS county_counts
    FROM (SELECT DISTINCT supplier_id, occurred FROM line) s
    JOIN organisation o ON o.id = s.supplier_id
    JOIN (SELECT DISTINCT occurred, reserved_designation FROM deal) c ON c.occurred = s.occurred
)
INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, occurred_on, programme_code, source, direction, counted, {_GOODS}, certificate_id,
    certified, reserved_share_eligible, {_CREDIT}, quantity, grams, amount_fen)
SELECT '{{origin_kind}}', l.origin_id, l.recorded_at, l.sold_on, date_trunc('month', l.sold_on::timestamp)::date, nullif(l.occurred, l.sold_on),
       c.programme_code, l.source, l.direction, NOT coalesce(c.sold_on_later AND l.source = 'platform', false), l.order_id, l.supplier_order_id, l.outlet_id, l.sku_id, l.product_id, l.kind, l.category,
       l.supplier_id, l.district_code, l.township_code, l.village, {{goods}},
       l.buyer_id, c.buyer_kind, c.buyer_region, l.fund_source, c.mode, coalesce(c.relation, '{SaleRelation.NONE}'), c.relation_id, c.channel,
       c.channel_basis, l.quantity, l.grams, l.amount_fen
FROM line l
JOIN credited c ON c.buyer = coalesce(l.buyer_id, 0) AND c.given_kind = l.given_kind AND c.given_region = l.given_region
     AND c.occurred = l.occurred AND c.place = l.place AND c.platform = l.platform AND c.declared = l.declared
JOIN eligible e ON e.supplier_id = l.supplier_id AND e.occurred = l.occurred
LEFT JOIN certificate f ON f.id = l.certificate_id AND {CERTIFIED.format(at="l.placed_at")}
ORDER BY l.origin_id
"""

#: Books what acceptances accepted.
BOOK = text(_BOOK.format(lines=_ACCEPTED, origin_kind="acceptance_line", goods=_JUDGED))
#: Books what corrections say was accepted of lines without a sale.
BOOK_AFTER_ALL = text(
    _BOOK.format(lines=_ACCEPTED_AFTER_ALL, origin_kind="acceptance_correction", goods=_JUDGED)
    + "RETURNING id, origin_id, quantity, grams, amount_fen"
)
#: Books what was sold at outlets, and what was claimed to have been sold elsewhere.
BOOK_OUTLET_LINES = text(_BOOK.format(lines=_AT_OUTLETS, origin_kind="outlet_line", goods=_JUDGED))
BOOK_EXTERNAL_LINES = text(_BOOK.format(lines=_ELSEWHERE, origin_kind="external_line", goods=_JUDGED))
#: Books sales that were taken back from the wrong buyer.
BOOK_REASSIGNED = text(_BOOK.format(lines=_TAKEN_BACK, origin_kind="reassignment", goods=_AS_BOOKED))

_KEPT = ", ".join(f"e.{column}" for column in _SNAPSHOT.split(", "))
_BOOKED = "CAST(:now AS timestamptz), {day}, date_trunc('month', CAST({day} AS timestamp))::date"
_TODAY = _BOOKED.format(day="CAST(:on AS date)")
#: Where an entry stands itself, so that nothing is left of it on any day.
_ITS_DAY = _BOOKED.format(day=_OPEN.format(day="e.sold_on"))
_COLUMNS = f"id, origin_kind, origin_id, reverses_id, recorded_at, sold_on, month, {_SNAPSHOT}, quantity, grams, amount_fen"
_REVERSE = f"INSERT INTO sale_entry ({_COLUMNS}) SELECT n.id, 'correction', n.id, e.id, {{booked}}, {_KEPT}, {{taken}}\n"
_NEXT = "(SELECT nextval(pg_get_serial_sequence('sale_entry', 'id')) AS id {for_each}) n"

#: The opposite of a part of an entry, booked on another day with the same snapshot.
REVERSE = text(
    _REVERSE.format(booked=_TODAY, taken="-CAST(:quantity AS numeric), -CAST(:grams AS bigint), -CAST(:amount_fen AS bigint)")
    + f"FROM sale_entry e, {_NEXT.format(for_each='')} WHERE e.id = :entry_id RETURNING id"
)
#: The opposite of everything that entries still hold; they are locked before (by id), against returns.
LOCK_ORDER = text(
    "SELECT lock_sale_entries(array_agg(id)) FROM sale_entry WHERE order_id = :order_id AND reverses_id IS NULL HAVING count(*) > 0"
)
_REVERSE_ALL = (
    _REVERSE.format(booked="{booked}", taken="-e.quantity - r.quantity, -e.grams - r.grams, -e.amount_fen - r.amount_fen")
    + f"""
    FROM {{entries}}
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(grams), 0)::bigint AS grams,
               coalesce(sum(amount_fen), 0)::bigint AS amount_fen
        FROM sale_entry WHERE reverses_id = e.id
    ) r
    CROSS JOIN LATERAL {_NEXT.format(for_each="WHERE e.id > 0")}
    WHERE e.reverses_id IS NULL AND e.quantity + r.quantity > 0
    RETURNING id
    """
)
REVERSE_ORDER = text(_REVERSE_ALL.format(entries="(SELECT * FROM sale_entry WHERE order_id = :order_id) e", booked=_TODAY))
#: SQL: ``chain``, every entry of lines that were claimed (those for which ``{of}`` holds), first booked or booked again after a hold or in the place of
#: what was given back after all, with the day on which the line counted first.
CHAIN = """
    WITH RECURSIVE chain AS (
        SELECT id, origin_id AS line_id, sold_on AS day FROM sale_entry WHERE {of}
        UNION ALL
        SELECT again.id, chain.line_id, chain.day FROM chain JOIN sale_entry c ON c.reverses_id = chain.id
        JOIN sale_entry again ON again.origin_kind = 'release' AND again.origin_id = c.id
    )
"""
_CHAIN = CHAIN.format(of="origin_kind = :claim AND origin_id = ANY (CAST(:line_ids AS bigint[]))")
OF_CLAIMS = text(f"{_CHAIN} SELECT id FROM chain ORDER BY id")
#: The opposite of everything that claimed lines still hold, as if they had never been: on the days on which they counted first, also of what was booked
#: again on the day of a refund that is none any more. They are locked before (by id).
UNDO_CLAIMS = text(
    _CHAIN
    + _REVERSE_ALL.format(
        entries="chain JOIN sale_entry e ON e.id = chain.id", booked=_BOOKED.format(day=_OPEN.format(day="chain.day"))
    )
)
#: What was taken back of claimed lines and not booked again.
TAKEN_BACK = text(
    f"""
    {_CHAIN}
    SELECT c.id FROM chain JOIN sale_entry c ON c.reverses_id = chain.id
    WHERE NOT EXISTS (SELECT FROM sale_entry again WHERE again.origin_kind = 'release' AND again.origin_id = c.id) ORDER BY c.id
    """
)
#: What the entries of claimed lines still hold, the oldest first.
LEFT_OF_CLAIMS = text(
    f"""
    {_CHAIN}
    SELECT chain.line_id, e.id, e.quantity + r.quantity AS left
    FROM chain JOIN sale_entry e ON e.id = chain.id
    CROSS JOIN LATERAL (SELECT coalesce(sum(quantity), 0) AS quantity FROM sale_entry WHERE reverses_id = e.id) r
    WHERE e.quantity + r.quantity > 0 ORDER BY e.id
    """
)
#: What was taken back while it was held, or given back, once more, on the day on which that was.
RELEASE = text(
    f"""
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, {_SNAPSHOT}, quantity, grams, amount_fen)
    SELECT 'release', e.id, {_ITS_DAY}, {_KEPT}, -e.quantity, -e.grams, -e.amount_fen
    FROM sale_entry e WHERE e.id = ANY (CAST(:reversal_ids AS bigint[])) AND e.reverses_id IS NOT NULL ORDER BY e.id
    RETURNING id
    """
)
#: The opposite of parts of many entries: what ``part_to_reverse`` says, in SQL. The entries are locked before (by id), so that ``done`` is
#: what the transactions before this one left. A part of more than there is left is no row.
LOCK = text("SELECT lock_sale_entries(CAST(:entry_ids AS bigint[]))")
REVERSE_PARTS = text(
    _REVERSE.format(
        booked=_TODAY,
        taken="-n.quantity, done.grams - round(e.grams * (done.quantity + n.quantity) / e.quantity),"
        " done.amount_fen - round(e.amount_fen * (done.quantity + n.quantity) / e.quantity)",
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
REBOOK = text(
    f"""
    INSERT INTO sale_entry (origin_kind, origin_id, recorded_at, sold_on, month, {_SNAPSHOT}, quantity, grams, amount_fen)
    SELECT 'acceptance_correction', n.origin_id, {_TODAY}, {_KEPT}, n.quantity, n.grams, n.amount_fen
    FROM unnest(CAST(:entry_ids AS bigint[]), CAST(:origin_ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:grams AS bigint[]),
                CAST(:amounts AS bigint[])) AS n (entry_id, origin_id, quantity, grams, amount_fen)
    JOIN sale_entry e ON e.id = n.entry_id
    RETURNING id, origin_id
    """
)
