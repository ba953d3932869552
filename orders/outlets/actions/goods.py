"""What outlets offer, as operators and devices report it by the public field list; matched to the catalogue. And what they are to hold."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.products.models import plain_name_sql
from orders.outlets import queries, sheets
from orders.outlets.errors import RowsRefused
from orders.outlets.rules import CHANNEL_TYPES
from orders.outlets.schemas.outlets import GoodsImportedOut, GoodsIn, GoodsNoteOut, GoodsRowNoteOut, GoodsTakenOut, PlanIn
from orders.outlets.sheets import GOODS_COLUMNS, NO_OUTLET, SEVERAL_OUTLETS
from orders.outlets.states import OutletStatus
from shop.core import audit, clock
from shop.core.errors import Fault, Invalid, Language
from shop.core.sheets import by_row
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_OF_DEVICE = text("SELECT id, number, normalize(external_number, NFKC) AS external_number, kind FROM outlet WHERE id = :id")
#: What goods are in the catalogue: the supplier by its code, of its packs the one with the reported barcode; else of its products the one of that
#: name, and of the packs of that the one with the reported SKU, or the only one on sale.
_MATCH = f"""
    LEFT JOIN LATERAL (
        SELECT c.id, c.product_id FROM sku c JOIN organisation s ON s.id = c.barcode_of
        WHERE {{g}}.certified AND s.uscc = {{g}}.supplier_uscc AND c.barcode = {{g}}.barcode
    ) b ON true
    LEFT JOIN LATERAL (
        SELECT p.id, p.kind FROM product p WHERE p.id = b.product_id
        UNION ALL
        (SELECT p.id, p.kind FROM product p JOIN organisation s ON s.id = p.supplier_id
        WHERE b.id IS NULL AND {{g}}.certified AND s.uscc = {{g}}.supplier_uscc AND {plain_name_sql("p.name")} = {plain_name_sql("{g}.certified_name")}
        ORDER BY p.name = {{g}}.certified_name DESC, p.id LIMIT 1)
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(b.id, min(k.id) FILTER (WHERE k.code = {{g}}.sku),
                        CASE WHEN count(*) FILTER (WHERE k.status = 'active') = 1 THEN min(k.id) FILTER (WHERE k.status = 'active') END) AS id
        FROM sku k WHERE k.product_id = p.id
    ) k ON true
"""  # noqa: S608
_FIELDS = (
    "outlet_id bigint, goods_id text, name text, certified boolean, certified_name text, supplier_name text, supplier_uscc text,"
    " price_fen bigint, barcode text, sku text, spu text, brand text, category_codes text, invoice boolean, on_shelf boolean"
)
_NAMES = ", ".join(field.split()[0] for field in _FIELDS.split(", "))
# what the last line returns of the goods before is as the statement found it: a row that it writes is not there yet
_SET = ", ".join(f"{name} = excluded.{name}" for name in _NAMES.split(", ")[2:])
_TAKE = text(
    f"""
    INSERT INTO outlet_goods ({_NAMES}, product_id, sku_id, changed_at)
    SELECT {", ".join(f"g.{name}" for name in _NAMES.split(", "))}, p.id, k.id, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g ({_FIELDS}) {_MATCH.format(g="g")}
    ON CONFLICT (outlet_id, goods_id) DO UPDATE
    SET {_SET}, product_id = excluded.product_id, sku_id = excluded.sku_id, changed_at = excluded.changed_at, deleted_at = NULL
    RETURNING outlet_id, goods_id, certified, product_id, sku_id, (SELECT kind FROM product WHERE id = product_id) AS kind,
              EXISTS (SELECT FROM organisation s WHERE s.uscc = supplier_uscc) AS supplier_known,
              EXISTS (SELECT FROM outlet_goods before WHERE before.outlet_id = outlet_goods.outlet_id AND before.goods_id = outlet_goods.goods_id
                      AND before.deleted_at IS NULL) AS replaced
    """  # noqa: S608
)
_DELETE = text(
    """
    UPDATE outlet_goods g SET deleted_at = :now, changed_at = :now
    FROM unnest(CAST(:outlets AS bigint[]), CAST(:goods AS text[])) AS told (outlet_id, goods_id)
    WHERE g.outlet_id = told.outlet_id AND g.goods_id = told.goods_id AND g.deleted_at IS NULL RETURNING g.outlet_id, g.goods_id
    """
)
_MATCH_AGAIN = text(
    f"""
    UPDATE outlet_goods o SET product_id = found.product_id, sku_id = found.sku_id
    FROM (SELECT g.id, p.id AS product_id, k.id AS sku_id FROM outlet_goods g {_MATCH.format(g="g")}
          WHERE g.certified AND g.deleted_at IS NULL AND (g.product_id IS NULL OR g.sku_id IS NULL)) found
    WHERE found.id = o.id AND (found.product_id, found.sku_id) IS DISTINCT FROM (o.product_id, o.sku_id)
    """  # noqa: S608
)
_CLEAR_PLAN = text("DELETE FROM outlet_plan_line WHERE outlet_id = :outlet")
_WRITE_PLAN = text(
    """
    INSERT INTO outlet_plan_line (outlet_id, sku_id, planned_quantity)
    SELECT :outlet, s.id, given.planned FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) AS given (sku_id, planned)
    JOIN sku s ON s.id = given.sku_id ORDER BY s.id
    """
)

_NOTES: dict[str, tuple[str, str]] = {
    "supplier_unknown": ("目录中没有该供应商，销售按非认定商品统计", "no supplier of this code is on the list; sales of it count as other goods"),
    "product_unknown": ("该供应商没有此名称的产品，销售按非认定商品统计", "the supplier has no product of this name; sales of it count as other goods"),
    "pack_unknown": ("未能对应规格，销售不计重量；请在 SKU 中填写规格编码", "its pack is not known, so its sales have no weight; put the SKU's code into sku"),
    "goods_unknown": ("没有此商品", "there are no such goods"),
    "goods_created": ("没有此编号的商品，已按本次内容新增", "no goods of this number were there; what is told now is new"),
    "goods_replaced": ("该编号的商品已存在，已按本次内容更新", "goods of this number were there already; what is told now stands in their place"),
}  # fmt: skip
#: What became of goods that was another thing than they were told for: by the action, and whether they stood already.
_OTHERWISE = {("create", True): "goods_replaced", ("modify", False): "goods_created"}
#: As many of these goods, and of rows with notes, as the answer to a file names.
MOST_NAMED = 200
#: Goods of an outlet, by its id and their number, and what is to be said of them.
_Note = tuple[tuple[int, str], str]


def take(session: Session, actor: Actor, given: Sequence[GoodsIn], language: Language) -> GoodsTakenOut:
    """Take goods as they are reported: by a device for its outlet, by an operator for any of its outlets.

    Raises:
        Invalid: an outlet is not the caller's, or is of another kind (422).
    """
    outlets = _outlets(session, actor, given)
    faults = [
        Fault(f"goods[{place}].{field}", code, zh, en)
        for place, each in enumerate(given)
        for field, code, zh, en in _place_faults(actor, each, outlets)
    ]
    if faults:
        raise Invalid(faults=faults[: sheets.MOST_FAULTS])
    kept, notes = _keep(session, [(_outlet_of(actor, each, outlets), each) for each in given])
    told = [GoodsNoteOut(goods_id=goods_id, code=code, message=_said(code, language)) for (_, goods_id), code in notes]
    return GoodsTakenOut(taken=len(given), notes=told, **kept)


def import_file(
    session: Session, actor: Actor, content: bytes, sheet: str | None, language: Language, *, dry_run: bool
) -> GoodsImportedOut:
    """The same from a file with the headings of the public field list: all of it or nothing.

    Raises:
        UnreadableSpreadsheet, TooManyRows, RowsRefused: see there (422); every fault by row and column.
    """
    rows, faults, ignored = sheets.read_goods(content, sheet)
    outlets = _outlets(session, actor, [row.body for row in rows])
    faults += [fault for row in rows for fault in row.faults(GOODS_COLUMNS, _place_faults(actor, row.body, outlets))]
    if faults := by_row(faults):
        raise RowsRefused(count=len(faults), faults=faults[: sheets.MOST_FAULTS])
    places = {(_outlet_of(actor, row.body, outlets), row.body.goods_id): row.number for row in rows}
    with session.begin_nested() as trial:
        kept, notes = _keep(session, [(_outlet_of(actor, row.body, outlets), row.body) for row in rows])
        if dry_run:
            trial.rollback()
    unmatched = sum(code in ("supplier_unknown", "product_unknown") for _, code in notes)
    if not dry_run:
        audit.record(session, actor, "outlet_goods.imported", "organisation", actor.organisation, rows=len(rows))
    named = {
        name: [goods_id for (_, goods_id), each in notes if each == code][:MOST_NAMED]
        for name, code in (("created_goods", "goods_created"), ("replaced_goods", "goods_replaced"))
    }
    told = [
        GoodsRowNoteOut(row=places[key], goods_id=key[1], code=code, message=_said(code, language))
        for key, code in sorted(notes, key=lambda note: places[note[0]])
        if code not in _OTHERWISE.values()
    ]
    shown = {"unmatched": unmatched, "notes": told[:MOST_NAMED], "ignored_columns": ignored}
    return GoodsImportedOut(rows=len(rows), dry_run=dry_run, **shown, **named, **kept)


def match_again(session: Session) -> int:
    """Look up goods once more that were on no list when they were reported; returns how many were found."""
    return int(session.execute(_MATCH_AGAIN).rowcount)  # type: ignore[attr-defined]


def plan(session: Session, actor: Actor, outlet_id: int, body: PlanIn) -> None:
    """What an outlet is to hold, in place of what was said before. Raises NotFound (404); Invalid: an unknown SKU (422)."""
    queries.row_within(session, actor, outlet_id, Permission.OUTLETS_MANAGE)
    session.execute(text("SELECT FROM outlet WHERE id = :id FOR UPDATE"), {"id": outlet_id})
    session.execute(_CLEAR_PLAN, {"outlet": outlet_id})
    skus, quantities = [line.sku_id for line in body.lines], [line.planned_quantity for line in body.lines]
    written = session.execute(_WRITE_PLAN, {"outlet": outlet_id, "skus": skus, "quantities": quantities})
    if written.rowcount < len(skus):  # type: ignore[attr-defined]
        raise Invalid.one("lines", "unknown_sku", "有规格不存在", "A SKU is not known")
    audit.record(session, actor, "outlet_plan.set", "outlet", outlet_id, lines=len(skus))


def _outlets(session: Session, actor: Actor, given: Sequence[GoodsIn]) -> dict[str, list[Row[Any]]]:
    """The outlets that still sell, by what they are called."""
    if actor.device:
        row = session.execute(_OF_DEVICE, {"id": actor.device.outlet_id}).one()
        return {row.number: [row], row.external_number: [row]}
    numbers = sorted({each.device_id for each in given if each.device_id})
    called = queries.called(session, actor, Permission.OUTLET_SALES_REPORT, numbers)
    return {name: [row for row in rows if row.status != OutletStatus.CLOSED] for name, rows in called.items()}


def _outlet_of(actor: Actor, each: GoodsIn, outlets: Mapping[str, Sequence[Row[Any]]]) -> int:
    return int(actor.device.outlet_id if actor.device else outlets[each.device_id or ""][0].id)


def _place_faults(actor: Actor, each: GoodsIn, outlets: Mapping[str, Sequence[Row[Any]]]) -> list[tuple[str, str, str, str]]:
    if each.device_id is None:
        return [] if actor.device else [("device_id", "missing", "缺少必填项", "the outlet's number is needed")]
    found = outlets.get(each.device_id, [])
    if len(found) != 1:
        return [("device_id", *(SEVERAL_OUTLETS if found else NO_OUTLET))]
    if each.channel_type and CHANNEL_TYPES[each.channel_type] != found[0].kind:
        return [("channel_type", "other_kind", "与网点登记的类型不同", "the outlet is registered as another kind")]
    return []


def _keep(session: Session, given: Sequence[tuple[int, GoodsIn]]) -> tuple[dict[str, int], list[_Note]]:
    """Write what is offered and take away what is not any more, the last word on each; returns how many were new, replaced and taken away, and notes by
    the goods' numbers."""
    last = {(outlet_id, each.goods_id): each for outlet_id, each in given}
    kept = {key: each for key, each in last.items() if each.action != "delete"}
    gone = sorted(key for key, each in last.items() if each.action == "delete")
    now, counts = clock.now(), dict.fromkeys(("created", "replaced", "deleted"), 0)
    notes: list[_Note] = []
    if kept:
        rows = [_row(outlet_id, each) for (outlet_id, _), each in sorted(kept.items(), key=lambda pair: pair[0])]
        for row in session.execute(_TAKE, {"rows": json.dumps(rows), "now": now}):
            counts["replaced" if row.replaced else "created"] += 1
            key = (row.outlet_id, row.goods_id)
            if code := _OTHERWISE.get((kept[key].action, row.replaced)):
                notes.append((key, code))
            if row.certified and row.product_id is None:
                notes.append((key, "product_unknown" if row.supplier_known else "supplier_unknown"))
            elif row.certified and row.sku_id is None and row.kind == "goods":
                notes.append((key, "pack_unknown"))
    if gone:
        values = {"outlets": [key[0] for key in gone], "goods": [key[1] for key in gone], "now": now}
        done = {tuple(row) for row in session.execute(_DELETE, values)}
        counts["deleted"] = len(done)
        notes += [(key, "goods_unknown") for key in gone if key not in done]
    return counts, sorted(notes, key=lambda note: (note[0][1], note[1]))


def _said(code: str, language: Language) -> str:
    return _NOTES[code][0 if language == "zh" else 1]


def _row(outlet_id: int, each: GoodsIn) -> dict[str, Any]:
    certified = each.is_poverty_goods == "1"
    return {
        **each.model_dump(
            mode="json", exclude={"device_id", "channel_type", "action", "is_poverty_goods", "poverty_goods_name", "price"}
        ),
        "outlet_id": outlet_id,
        "certified": certified,
        "certified_name": each.poverty_goods_name,
        "price_fen": each.price,
    }
