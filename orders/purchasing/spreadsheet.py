"""Orders from a spreadsheet: the plain template, as XLSX or CSV (UTF-8 or GB18030).

Columns are found by their header: product name, district of origin, pack, quantity; others are ignored. A row names its SKU by product name and
district, and by the pack where a product has several. Nothing is guessed: a row that fits none or more than one SKU is refused with its
row number and column.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.errors import LinesRefused, RowsRefused
from orders.purchasing.schemas import MAX_LINES, MatchedRow
from shop.core import sheets
from shop.core.errors import Fault
from shop.core.quantities import MAX_QUANTITY, storable
from shop.core.sheets import TooManyRows, UnreadableSpreadsheet, fault

COLUMNS = {
    "product_name": ("产品名称", "product"),
    "district": ("产地区县", "district"),
    "pack": ("规格", "pack"),
    "quantity": ("数量", "quantity"),
}


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One row as it was written; ``number`` counts from 1 with the header, as a spreadsheet program shows it."""

    number: int
    product_name: str
    district: str
    pack: str
    quantity: Decimal


def read(content: bytes) -> list[OrderRow]:
    """The rows below the header.

    Raises:
        UnreadableSpreadsheet: no XLSX or CSV, or a column of the template is missing.
        TooManyRows: more than an order may have lines.
        RowsRefused: a quantity is no positive number with at most three places.
    """
    rows = sheets.rows(content)
    columns = sheets.columns(rows[0], COLUMNS, required=("product_name", "district", "quantity"))
    found, faults = [], []
    for number, cells in enumerate(rows[1:], start=2):
        texts = sheets.texts(cells, columns)
        if not any(texts.values()):
            continue
        try:
            quantity = _quantity(texts["quantity"])
            storable("".join(texts.values()))
        except ValueError as error:
            faults.append(fault(number, "数量", "bad_quantity", "数量须为正数，最多三位小数", str(error)))
            continue
        found.append(OrderRow(number, texts["product_name"], texts["district"], texts["pack"], quantity))
    if len(found) > MAX_LINES:
        raise TooManyRows(limit=MAX_LINES)
    if faults:
        raise RowsRefused(count=len(faults), faults=faults)
    if not found:
        raise UnreadableSpreadsheet
    return found


def _quantity(written: str) -> Decimal:
    try:
        quantity = Decimal(written)
    except InvalidOperation:
        raise ValueError("the quantity is not a number") from None
    if not quantity.is_finite() or not 0 < quantity <= MAX_QUANTITY or quantity != round(quantity, 3):
        raise ValueError("the quantity must be positive, with at most three decimal places")
    return round(quantity, 3)


# District names are accepted in full and without their 区 or 县, or 土家族自治县 and its like.
_MATCH = text(
    """
    SELECT w.row::int, count(s.id) AS hits, min(s.id) AS sku_id, min(s.code) AS code, min(s.pack) AS pack
    FROM unnest(CAST(:names AS text[]), CAST(:districts AS text[]), CAST(:packs AS text[])) WITH ORDINALITY AS w (name, district, pack, row)
    LEFT JOIN region r ON r.name_zh = w.district OR r.name_zh = w.district || '区' OR r.name_zh = w.district || '县'
    LEFT JOIN product p ON p.name = w.name AND p.district_code = r.code AND p.status = 'active'
    LEFT JOIN sku s ON s.product_id = p.id AND s.status = 'active' AND (w.pack = '' OR s.pack = w.pack)
    GROUP BY w.row ORDER BY w.row
    """
)


def match(session: Session, rows: list[OrderRow]) -> list[MatchedRow]:
    """The SKU of every row, in one statement.

    Raises:
        RowsRefused: rows that fit no SKU, or more than one.
    """
    hits = session.execute(
        _MATCH,
        {
            "names": [row.product_name for row in rows],
            "districts": [row.district for row in rows],
            "packs": [row.pack for row in rows],
        },
    ).all()
    faults = []
    for row, hit in zip(rows, hits, strict=True):
        if hit.hits == 0:
            faults.append(
                fault(
                    row.number,
                    "产品名称",
                    "unknown_product",
                    "该产地没有此产品或规格",
                    "no such product, pack and district",
                )
            )
        elif hit.hits > 1:
            faults.append(
                fault(
                    row.number,
                    "规格",
                    "ambiguous_product",
                    "有多个规格相符，请注明规格",
                    "several SKUs fit; name the pack",
                )
            )
    if faults:
        raise RowsRefused(count=len(faults), faults=faults)
    return [
        MatchedRow(
            row=row.number,
            product_name=row.product_name,
            sku_id=hit.sku_id,
            sku_code=hit.code,
            pack=hit.pack,
            quantity=row.quantity,
        )
        for row, hit in zip(rows, hits, strict=True)
    ]


def blamed_on_rows(refused: LinesRefused, rows: list[MatchedRow]) -> RowsRefused:
    """The refusal of an order's lines, told by the rows of the spreadsheet that they came from."""
    faults = []
    for each in refused.faults:
        row = rows[int(each.data["line_no"]) - 1]
        data = {**each.data, "row": row.row, "product_name": row.product_name}
        zh, en = f"第 {row.row} 行 {row.product_name}：{each.zh}", f"Row {row.row} {row.product_name}: {each.en}"
        faults.append(Fault(f"row[{row.row}]", each.code, zh, en, data))
    return RowsRefused(count=len(faults), faults=faults)
