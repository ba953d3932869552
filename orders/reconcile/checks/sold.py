"""The ledger, and the figures that are made of it."""

from orders.reconcile.checks.check import Check, sql
from orders.statistics.cubes import CUBES, Cube, Kind, recount

LEDGER = [
    sql(
        "sales_of_acceptances",
        "验收行与销售分录一一对应，分、克、数量一致",
        "Acceptance lines and sale entries, one to one",
        """
        SELECT 'acceptance_line ' || coalesce(a.id, e.origin_id) AS subject, a.facts::text AS expected, e.facts::text AS found
        FROM (SELECT a.id, jsonb_build_object('fen', a.amount_fen, 'grams', a.accepted_grams, 'quantity', a.accepted_quantity,
                     'sku', l.sku_id, 'product', l.product_id, 'supplier_order', l.supplier_order_id, 'order', l.purchase_order_id,
                     'supplier', so.supplier_id, 'fund_source', po.fund_source,
                     -- the unit that the order belonged to then: that before the first move which came later
                     'buyer', coalesce((SELECT b.from_unit_id FROM budget_unit_application b
                                        WHERE b.purchase_order_id = po.id AND b.status = 'approved' AND b.decided_at > h.accepted_at
                                        ORDER BY b.decided_at LIMIT 1), po.buyer_id),
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
    sql(
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
    sql(
        "days_of_entries",
        "分录日期不晚于入账日",
        "No entry counts on a day after that on which it was recorded",
        """
        SELECT 'sale_entry ' || id AS subject, format('on %s or before', (recorded_at AT TIME ZONE 'Asia/Shanghai')::date) AS expected,
               sold_on::text AS found
        FROM sale_entry WHERE sold_on > (recorded_at AT TIME ZONE 'Asia/Shanghai')::date
        """,
    ),
    sql(
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
_TAKEN = "(SELECT e.* FROM sale_entry e WHERE e.counted AND NOT EXISTS (SELECT FROM sale_entry_pending p WHERE p.entry_id = e.id)) AS taken"


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
    return sql(
        cube.table,
        f"统计表 {cube.table} + 待汇总 = 分录",
        f"{cube.table} + waiting entries = the ledger",
        f"""
        SELECT concat_ws(' ', '{cube.table}', {key}) AS subject, {shown.format("expected")} AS expected, {shown.format("found")} AS found
        FROM ({recount(cube, _TAKEN)}) AS expected FULL JOIN {held} AS found USING ({key})
        WHERE ({", ".join(f"expected.{name}" for name in cube.values)}) IS DISTINCT FROM ({", ".join(f"found.{name}" for name in cube.values)})
        """,  # noqa: S608
    )


FIGURES = [_figures(cube) for cube in CUBES]
