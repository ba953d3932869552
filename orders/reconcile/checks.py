"""What must agree with what. Each check is one set-based statement, so one snapshot, that yields the rows which do not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.reconcile.returned import RETURNED
from orders.statistics.cubes import CUBES, Cube, Kind, recount
from shop.core import audit


@dataclass(frozen=True)
class Difference:
    """A thing, what it should be, and what it is."""

    subject: str
    expected: str | None
    found: str | None


@dataclass(frozen=True)
class Check:
    name: str
    zh: str
    en: str
    #: The number of differences, and the first of them.
    find: Callable[[Session, int], tuple[int, list[Difference]]]


def _sql(name: str, zh: str, en: str, statement: str) -> Check:
    """A check whose statement yields ``subject``, ``expected`` and ``found`` for every row that differs."""
    counted = text(f"SELECT d.*, count(*) OVER () AS differences FROM ({statement}) AS d ORDER BY d.subject LIMIT :keep")  # noqa: S608

    def find(session: Session, keep: int) -> tuple[int, list[Difference]]:
        rows: list[Any] = list(session.execute(counted, {"keep": max(keep, 1)}))
        first = [Difference(row.subject, row.expected, row.found) for row in rows[:keep]]
        return (rows[0].differences if rows else 0), first

    return Check(name, zh, en, find)


def _audit_chain(session: Session, keep: int) -> tuple[int, list[Difference]]:
    faults = audit.verify(session)
    return len(faults), [Difference("audit_event", None, fault) for fault in faults[:keep]]


ORDERS = [
    _sql(
        "order_totals",
        "采购订单合计 = 各行之和",
        "Order totals = their lines",
        """
        SELECT 'purchase_order ' || o.id AS subject, format('%s fen, %s g, %s lines', l.fen, l.grams, l.lines) AS expected,
               format('%s fen, %s g, %s lines', o.total_fen, o.total_grams, o.line_count) AS found
        FROM purchase_order o
        LEFT JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen, sum(grams) AS grams, count(*) AS lines
                   FROM order_line GROUP BY purchase_order_id) l USING (id)
        WHERE (o.total_fen, o.total_grams, o.line_count) IS DISTINCT FROM (l.fen, l.grams, l.lines)
        """,
    ),
    _sql(
        "supplier_order_totals",
        "供应商订单合计 = 各行之和",
        "Supplier order totals = their lines",
        """
        SELECT 'supplier_order ' || o.id AS subject, format('%s fen, %s g', l.fen, l.grams) AS expected,
               format('%s fen, %s g', o.total_fen, o.total_grams) AS found
        FROM supplier_order o
        LEFT JOIN (SELECT supplier_order_id AS id, sum(amount_fen) AS fen, sum(grams) AS grams
                   FROM order_line GROUP BY supplier_order_id) l USING (id)
        WHERE (o.total_fen, o.total_grams) IS DISTINCT FROM (l.fen, l.grams)
        """,
    ),
    _sql(
        "line_amounts",
        "行金额和税额重算一致",
        "Line amounts and VAT, computed again",
        """
        SELECT 'order_line ' || id AS subject, format('%s fen, VAT %s', amount, vat) AS expected,
               format('%s fen, VAT %s', amount_fen, vat_fen) AS found
        FROM (SELECT id, amount_fen, vat_fen, round(quantity * unit_price_fen) AS amount,
                     round(amount_fen::numeric * vat_bp / (10000 + vat_bp)) AS vat FROM order_line) l
        WHERE (amount_fen, vat_fen) IS DISTINCT FROM (amount, vat)
        """,
    ),
    _sql(
        "line_places",
        "订单行属于正确的订单、供应商和产品",
        "Lines stand in the order of their supplier and product",
        """
        SELECT 'order_line ' || l.id AS subject, format('order %s, supplier %s, product %s', o.purchase_order_id, p.supplier_id, s.product_id)
               AS expected, format('order %s, supplier %s, product %s', l.purchase_order_id, o.supplier_id, l.product_id) AS found
        FROM order_line l JOIN supplier_order o ON o.id = l.supplier_order_id JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id
        WHERE (o.purchase_order_id, p.supplier_id, s.product_id) IS DISTINCT FROM (l.purchase_order_id, o.supplier_id, l.product_id)
        """,
    ),
    _sql(
        "payments",
        "收款不超过订单金额",
        "Payments do not exceed the order with its freight, before what both sides agreed to take off",
        """
        SELECT 'purchase_order ' || o.id AS subject, format('at most %s fen', f.most) AS expected, format('%s fen', p.fen) AS found
        FROM purchase_order o
        JOIN (SELECT purchase_order_id AS id, sum(amount_fen) AS fen FROM payment GROUP BY purchase_order_id) p USING (id)
        CROSS JOIN LATERAL (
            SELECT o.total_fen + sum(so.freight_fen) + coalesce((SELECT -sum(least(a.change_fen, 0)) FROM amendment a
                   JOIN supplier_order s ON s.id = a.supplier_order_id WHERE s.purchase_order_id = o.id), 0) AS most
            FROM supplier_order so WHERE so.purchase_order_id = o.id) f
        WHERE p.fen > f.most
        """,
    ),
]

DELIVERIES = [
    _sql(
        "shipped",
        "已发数量 = 发货行之和",
        "Shipped = shipment lines",
        """
        SELECT 'order_line ' || l.id AS subject, format('shipped %s, closed %s', coalesce(s.quantity, 0), coalesce(s.closed, 0)) AS expected,
               format('shipped %s, closed %s', l.shipped_quantity, l.closed_quantity) AS found
        FROM order_line l
        LEFT JOIN (SELECT order_line_id AS id, sum(quantity) AS quantity, sum(closed_quantity) AS closed
                   FROM shipment_line GROUP BY order_line_id) s USING (id)
        WHERE (l.shipped_quantity, l.closed_quantity) IS DISTINCT FROM (coalesce(s.quantity, 0), coalesce(s.closed, 0))
        """,
    ),
    _sql(
        "accepted",
        "验收、拒收数量和金额 = 验收行之和",
        "Accepted and rejected = acceptance lines",
        """
        SELECT 'order_line ' || l.id AS subject,
               format('accepted %s, rejected %s, missing %s, %s fen', coalesce(a.accepted, 0), coalesce(a.rejected, 0),
                      coalesce(a.difference, 0), round(l.accepted_quantity * l.unit_price_fen)) AS expected,
               format('accepted %s, rejected %s, missing %s, %s fen', l.accepted_quantity, l.rejected_quantity, l.difference_quantity,
                      coalesce(a.fen, 0)) AS found
        FROM order_line l
        LEFT JOIN (SELECT order_line_id AS id, sum(accepted_quantity) AS accepted, sum(rejected_quantity) AS rejected,
                          sum(difference_quantity) AS difference, sum(amount_fen) AS fen
                   FROM acceptance_line GROUP BY order_line_id) a USING (id)
        WHERE (l.accepted_quantity, l.rejected_quantity, l.difference_quantity, round(l.accepted_quantity * l.unit_price_fen))
              IS DISTINCT FROM (coalesce(a.accepted, 0), coalesce(a.rejected, 0), coalesce(a.difference, 0), coalesce(a.fen, 0))
        """,
    ),
    _sql(
        "answered",
        "每批发货逐行验收",
        "Each answered shipment is answered line by line",
        """
        SELECT 'shipment_line ' || coalesce(s.id::text, 'of acceptance_line ' || a.id) AS subject, s.quantity::text AS expected,
               (a.accepted_quantity + a.rejected_quantity + a.difference_quantity)::text AS found
        FROM (SELECT l.id, l.order_line_id, l.quantity, a.id AS acceptance_id
              FROM shipment_line l JOIN acceptance a ON a.shipment_id = l.shipment_id) s
        FULL JOIN acceptance_line a ON a.acceptance_id = s.acceptance_id AND a.order_line_id = s.order_line_id
        WHERE s.quantity IS DISTINCT FROM a.accepted_quantity + a.rejected_quantity + a.difference_quantity
        """,
    ),
    _sql(
        "reserved",
        "订单行预留 − 释放 − 发货 = 未发数量",
        "Reserved − released − shipped = what is open of a line",
        """
        SELECT 'order_line ' || coalesce(l.id, m.id) AS subject, format('reserved %s, shipped %s', l.open, l.shipped) AS expected,
               format('reserved %s, shipped %s', m.reserved, m.shipped) AS found
        FROM (SELECT l.id, l.sku_id, CASE WHEN o.status IN ('rejected', 'cancelled') THEN 0
                          ELSE l.quantity - l.closed_quantity - l.shipped_quantity END AS open,
                     l.shipped_quantity AS shipped
              FROM order_line l JOIN supplier_order o ON o.id = l.supplier_order_id) l
        FULL JOIN (SELECT order_line_id AS id, min(sku_id) AS sku_id, sum(reserved) AS reserved,
                          coalesce(-sum(on_hand) FILTER (WHERE kind NOT IN ('return', 'replace')), 0) AS shipped
                   FROM stock_movement WHERE order_line_id IS NOT NULL GROUP BY order_line_id) m ON m.id = l.id
        WHERE (l.sku_id, l.open, l.shipped) IS DISTINCT FROM (m.sku_id, m.reserved, m.shipped)
        """,
    ),
    _sql(
        "stock",
        "库存 = 库存变动之和",
        "Stock = its movements",
        """
        SELECT 'sku ' || coalesce(s.sku_id, m.sku_id) AS subject, format('on hand %s, reserved %s', m.on_hand, m.reserved) AS expected,
               format('on hand %s, reserved %s', s.on_hand, s.reserved) AS found
        FROM stock s
        FULL JOIN (SELECT sku_id, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock_movement GROUP BY sku_id) m
             ON m.sku_id = s.sku_id
        WHERE (coalesce(s.on_hand, 0), coalesce(s.reserved, 0)) IS DISTINCT FROM (coalesce(m.on_hand, 0), coalesce(m.reserved, 0))
        """,
    ),
]

LEDGER = [
    _sql(
        "sales_of_acceptances",
        "验收行与销售分录一一对应，分、克、数量一致",
        "Acceptance lines and sale entries, one to one",
        """
        SELECT 'acceptance_line ' || coalesce(a.id, e.origin_id) AS subject, a.facts::text AS expected, e.facts::text AS found
        FROM (SELECT a.id, jsonb_build_object('fen', a.amount_fen, 'grams', a.accepted_grams, 'quantity', a.accepted_quantity,
                     'sku', l.sku_id, 'product', l.product_id, 'supplier_order', l.supplier_order_id, 'order', l.purchase_order_id,
                     'supplier', so.supplier_id, 'buyer', po.buyer_id, 'fund_source', po.fund_source,
                     'on', (h.accepted_at AT TIME ZONE 'Asia/Shanghai')::date) AS facts
              FROM acceptance_line a JOIN acceptance h ON h.id = a.acceptance_id JOIN order_line l ON l.id = a.order_line_id
              JOIN supplier_order so ON so.id = l.supplier_order_id JOIN purchase_order po ON po.id = so.purchase_order_id
              WHERE a.accepted_quantity > 0) a
        FULL JOIN (SELECT origin_id, jsonb_build_object('fen', amount_fen, 'grams', grams, 'quantity', quantity, 'sku', sku_id,
                          'product', product_id, 'supplier_order', supplier_order_id, 'order', order_id, 'supplier', supplier_id,
                          'buyer', buyer_id, 'fund_source', fund_source, 'on', sold_on) AS facts
                   FROM sale_entry WHERE origin_kind = 'acceptance_line') e ON e.origin_id = a.id
        WHERE a.facts IS DISTINCT FROM e.facts
        """,
    ),
    _sql(
        "corrections",
        "冲销不超过原分录",
        "Corrections take back no more than there was",
        """
        SELECT 'sale_entry ' || r.id AS subject, format('at most %s, %s g, %s fen', e.quantity, e.grams, e.amount_fen) AS expected,
               format('%s, %s g, %s fen', r.quantity, r.grams, r.fen) AS found
        FROM (SELECT reverses_id AS id, -sum(quantity) AS quantity, -sum(grams) AS grams, -sum(amount_fen) AS fen
              FROM sale_entry WHERE reverses_id IS NOT NULL GROUP BY reverses_id) r
        LEFT JOIN sale_entry e ON e.id = r.id
        WHERE e.id IS NULL OR e.reverses_id IS NOT NULL OR r.quantity > e.quantity
           OR r.grams <> round(e.grams * r.quantity / e.quantity) OR r.fen <> round(e.amount_fen * r.quantity / e.quantity)
        """,
    ),
    _sql(
        "waiting",
        "待汇总的分录存在",
        "Waiting entries exist",
        """
        SELECT 'sale_entry ' || p.entry_id AS subject, 'an entry' AS expected, NULL AS found
        FROM sale_entry_pending p LEFT JOIN sale_entry e ON e.id = p.entry_id WHERE e.id IS NULL
        """,
    ),
]


#: Entries that every rollup holds: all but those that wait.
_TAKEN = "(SELECT e.* FROM sale_entry e WHERE NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)) AS taken"


def _figures(cube: Cube) -> Check:
    """A rollup against a recount of the ledger without the waiting entries; rows missing on either side differ too.

    Figures are rollups + waiting entries, so with this the figures equal the ledger.
    """
    key = ", ".join(cube.keys)
    shown = "nullif(concat_ws(' | ', {0}.amount_fen, {0}.grams, {0}.quantity, {0}.entries), '')"
    held = cube.table
    if cube.kind is Kind.PRESENCE:
        shown = "bit_count({0}.bits)::text"
    elif cube.kind is Kind.ORDERS:
        # a set of cells that the last order has left stays as a row with nobody in it
        shown, held = "{0}.orders::text", f"(SELECT * FROM {cube.table} WHERE orders <> 0)"  # noqa: S608
    return _sql(
        cube.table,
        f"统计表 {cube.table} + 待汇总 = 分录",
        f"{cube.table} + waiting entries = the ledger",
        f"""
        SELECT concat_ws(' ', '{cube.table}', {key}) AS subject, {shown.format("expected")} AS expected, {shown.format("found")} AS found
        FROM ({recount(cube, _TAKEN)}) AS expected FULL JOIN {held} AS found USING ({key})
        WHERE ({", ".join(f"expected.{name}" for name in cube.values)}) IS DISTINCT FROM ({", ".join(f"found.{name}" for name in cube.values)})
        """,  # noqa: S608
    )


CERTIFICATES = [
    _sql(
        "orders_certified",
        "下单时证书均有效",
        "Orders were placed under certificates in force",
        # What the certificate's row says, and what its history says: a measure lasts until its end or the next event of its kind. Papers only
        # ever get more time, so the row's last day of them is right for the past as well.
        """
        WITH stop AS (
            SELECT * FROM (
                SELECT certificate_id, kind, at AS since, least(until, lead(at) OVER (PARTITION BY certificate_id, measure ORDER BY id)) AS ended
                FROM (SELECT *, CASE WHEN kind IN ('held', 'released') THEN 'hold' WHEN kind = 'revoked' THEN 'revocation' ELSE 'suspension' END
                             AS measure
                      FROM certificate_event
                      WHERE kind IN ('held', 'released', 'revoked', 'suspended', 'suspension_changed', 'reinstated')) e) m
            WHERE kind NOT IN ('released', 'reinstated')
        ), line AS (
            SELECT *, (placed_at AT TIME ZONE 'Asia/Shanghai')::date AS day
            FROM (SELECT l.id, l.product_id, l.certificate_id, coalesce(l.agreed_at, o.placed_at) AS placed_at
                  FROM order_line l JOIN purchase_order o ON o.id = l.purchase_order_id) p
        ), wrong AS (
            SELECT l.* FROM line l JOIN certificate f ON f.id = l.certificate_id
            WHERE f.product_id <> l.product_id OR l.day NOT BETWEEN f.valid_from AND f.valid_until OR f.papers_valid_until < l.day
               OR f.revoked_at < l.placed_at OR f.held_at < l.placed_at
               OR f.suspended_at < l.placed_at AND (f.suspended_until IS NULL OR f.suspended_until > l.placed_at)
            UNION
            SELECT l.* FROM line l JOIN stop s USING (certificate_id)
            WHERE s.since < l.placed_at AND (s.ended IS NULL OR s.ended > l.placed_at)
        )
        SELECT 'order_line ' || id AS subject, format('certificate %s in force at %s', certificate_id, placed_at) AS expected,
               'not in force' AS found FROM wrong
        """,
    ),
    _sql(
        "certificates_of_cases",
        "认定申请与证书一一对应",
        "Approved applications and certificates, one to one",
        """
        SELECT 'certification_case ' || coalesce(k.id, f.case_id) AS subject, CASE WHEN k.id IS NULL THEN 'none' ELSE 'a certificate' END AS expected,
               coalesce(f.number, 'none') AS found
        FROM (SELECT id FROM certification_case WHERE status = 'approved' AND kind IN ('initial', 'renewal')) k
        FULL JOIN certificate f ON f.case_id = k.id
        WHERE k.id IS NULL OR f.id IS NULL
        """,
    ),
    _sql(
        "batches",
        "已发布批次的证书齐全",
        "Published batches have their certificates",
        """
        SELECT 'certification_case ' || coalesce(k.id, f.case_id) AS subject, 'batch ' || k.batch_id AS expected, 'batch ' || f.batch_id AS found
        FROM (SELECT k.id, k.batch_id FROM certification_case k JOIN catalogue_batch b ON b.id = k.batch_id
              WHERE b.status = 'published' OR k.status = 'approved') k
        FULL JOIN (SELECT case_id, batch_id FROM certificate WHERE batch_id IS NOT NULL) f ON f.case_id = k.id
        WHERE k.batch_id IS DISTINCT FROM f.batch_id
        UNION ALL
        SELECT 'catalogue_batch ' || b.id, 'certificates', 'none' FROM catalogue_batch b
        WHERE b.status = 'published' AND NOT EXISTS (SELECT FROM certificate f WHERE f.batch_id = b.id)
        """,
    ),
    _sql(
        "households",
        "户数人数与名单一致",
        "Stated households and persons = the list",
        # what is still written, or was given up, need not agree
        """
        SELECT 'certification_case ' || k.id AS subject, format('%s households, %s persons', m.households, m.persons) AS expected,
               format('%s households, %s persons, certificate %s, %s', k.households, k.persons, f.households, f.persons) AS found
        FROM certification_case k
        JOIN (SELECT case_id AS id, count(DISTINCT household_hash) AS households, count(*) AS persons
              FROM household_member GROUP BY case_id) m USING (id)
        LEFT JOIN certificate f ON f.case_id = k.id
        WHERE k.status NOT IN ('draft', 'returned', 'withdrawn')
          AND ((k.households, k.persons) IS DISTINCT FROM (m.households, m.persons)
               OR f.id IS NOT NULL AND (f.households, f.persons) IS DISTINCT FROM (m.households, m.persons))
        """,
    ),
]

RECORDS = [
    _sql(
        "contracts",
        "合同（含补充协议）与订单金额、运费一致",
        "Contracts with their supplements = the orders",
        """
        SELECT 'supplier_order ' || o.id AS subject, format('%s and freight %s fen', o.total_fen, o.freight_fen) AS expected,
               coalesce(format('%s and freight %s yuan', c.goods, c.freight), 'no contract') AS found FROM supplier_order o
        LEFT JOIN LATERAL (SELECT (content ->> 'goods')::numeric AS goods, (content ->> 'freight')::numeric AS freight FROM contract
                           WHERE supplier_order_id = o.id ORDER BY supplement_no DESC LIMIT 1) c ON true
        WHERE o.confirmed_at IS NOT NULL AND (c.goods * 100, c.freight * 100) IS DISTINCT FROM (o.total_fen::numeric, o.freight_fen::numeric)
        """,
    ),
    _sql(
        "contract_numbers",
        "合同编号连续无缺",
        "Contract numbers have no gaps",
        """
        SELECT coalesce(c.series, n.series) AS subject, format('1 to %s', n.last) AS expected, format('%s in all', c.made) AS found
        FROM (SELECT format('contract:%s:%s', substr(split_part(number, '-', 1), 3), split_part(number, '-', 2)::bigint) AS series,
                     count(*) AS made, max(split_part(number, '-', 3)::bigint) AS latest
              FROM contract WHERE supplement_no = 0 GROUP BY 1) c
        FULL JOIN (SELECT * FROM number_series WHERE starts_with(series, 'contract:')) n ON n.series = c.series
        WHERE (c.made, c.latest) IS DISTINCT FROM (n.last::bigint, n.last::bigint)
        """,
    ),
    _sql(
        "certificate_numbers",
        "证书编号连续无缺",
        "Certificate numbers have no gaps",
        """
        SELECT 'certificate ' || coalesce(c.series, n.series) AS subject, format('1 to %s', n.last) AS expected,
               format('%s to %s, %s in all', c.first, c.latest, c.issued) AS found
        FROM (SELECT 'certificate:' || split_part(number, '-', 2) || ':' || split_part(number, '-', 3) AS series, count(*) AS issued,
                     min(split_part(number, '-', 4)::bigint) AS first, max(split_part(number, '-', 4)::bigint) AS latest
              FROM certificate WHERE number ~ '^CQ-[0-9]{4}-[0-9]{6}-[0-9]{1,15}$' GROUP BY 1) c
        FULL JOIN (SELECT * FROM number_series WHERE starts_with(series, 'certificate:')) n ON n.series = c.series
        WHERE (c.first, c.latest, c.issued) IS DISTINCT FROM (1, n.last, n.last)
        """,
    ),
    Check("audit_chain", "审计记录未被改动", "The audit trail is whole", _audit_chain),
    _sql(
        "parked_events",
        "没有处理失败的事件",
        "No event was given up",
        """
        SELECT 'outbox_event ' || id AS subject, name AS expected, coalesce(last_error, 'parked') AS found
        FROM outbox_event WHERE parked_at IS NOT NULL
        """,
    ),
]

CHECKS: list[Check] = [
    *ORDERS,
    *DELIVERIES,
    *LEDGER,
    *(_sql(*each) for each in RETURNED),
    *(_figures(cube) for cube in CUBES),
    *CERTIFICATES,
    *RECORDS,
]
