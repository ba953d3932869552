"""Many claims from one sheet: drafts, all of them or none."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from catalog.products.models import plain_name_sql
from orders.external_sales import checking, sheets
from orders.external_sales.actions.drafting import MOST_PAPERS, write
from orders.external_sales.errors import RowsRefused, TooManyPapers
from orders.external_sales.rules import Claim, Line, Paper, PaperKind, Platform, Side
from orders.external_sales.schemas import MOST_LINES, ImportOut
from orders.external_sales.sheets import Row
from shop.core.errors import Fault
from shop.core.sheets import besides, by_row
from shop.identity.actor import Actor

#: As many faults as are told at once.
MOST_FAULTS = 200

_ORGANISATIONS = text("SELECT id, uscc FROM organisation WHERE uscc = ANY (CAST(:usccs AS text[])) AND status = 'approved'")
#: By names as they are compared, the one of just that name last.
_PRODUCTS = text(
    f"""
    SELECT p.id, p.supplier_id, told.name FROM unnest(CAST(:names AS text[])) AS told (name)
    JOIN product p ON {plain_name_sql("p.name")} = {plain_name_sql("told.name")} AND p.supplier_id = ANY (CAST(:suppliers AS bigint[]))
    ORDER BY p.name = told.name, p.id DESC
    """  # noqa: S608
)
_SKUS = text("SELECT id, code FROM sku WHERE code = ANY (CAST(:codes AS text[]))")
#: The column that a fault of a field is told by.
_COLUMN = {
    "supplier_id": "supplier_uscc",
    "buyer_id": "buyer_uscc",
    "buyer_name": "buyer_name",
    "buyer_kind": "buyer_kind",
    "buyer_region_code": "buyer_region",
    "sold_on": "sold_on",
    "declared_relation_id": "relation",
    "product_id": "product",
    "sku_id": "sku",
    "unit": "unit",
    "grams": "kilograms",
}
_PAPER_COLUMNS = {PaperKind.INVOICE: "invoice", PaperKind.BANK_RECEIPT: "receipt", PaperKind.WAYBILL: "waybill"}
#: What is said of a sale is the same in each of its rows.
_SHARED = (
    "platform",
    "supplier_uscc",
    "buyer_uscc",
    "buyer_name",
    "buyer_kind",
    "buyer_region",
    "sold_on",
    "fund_source",
    "relation",
    "order_number",
)


def take_over(session: Session, actor: Actor, side: Side, content: bytes, sheet: str | None, *, dry_run: bool) -> ImportOut:
    """Write the sales of a sheet as drafts of the own organisation.

    Raises:
        UnreadableSpreadsheet, TooManyRows, RowsRefused: see there (422); every fault by row and column.
    """
    _ = actor.organisation
    rows, faults, ignored = sheets.read(content, sheet)
    amiss = {fault.field for fault in faults}
    names = _names(session, rows)
    faults = besides(faults, (fault for group in _groups(rows) for fault in (*_differing(group, amiss), *_too_much(group))))
    faults = besides(faults, (fault for row in rows for fault in _unknown(row, names)))
    # rows in which nothing is wrong yet are looked at as claims, whatever is wrong with others: nobody is to send a file once more to hear of it
    wrong_rows = {fault.data["row"] for fault in faults}
    groups = _groups(row for row in rows if row.number not in wrong_rows)
    claims = [_claim(side, group, names) for group in groups]
    checked, wrong = checking.check(session, actor, claims)
    faults += [_told(fault, groups[n], claims[n]) for n, found in wrong.items() for fault in found]
    if faults := by_row(faults):
        raise RowsRefused(count=len(faults), faults=faults[:MOST_FAULTS])
    ids = [] if dry_run or not checked else write(session, actor, checked)
    total = sum(each.total_fen for each in checked)
    return ImportOut(rows=len(rows), claims=len(groups), total=total, dry_run=dry_run, ids=ids, ignored_columns=ignored)


def _groups(rows: Iterable[Row]) -> list[list[Row]]:
    """Rows of one sale together."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return list(groups.values())


def _names(session: Session, rows: Sequence[Row]) -> Mapping[str, Mapping[Any, int]]:
    """The ids of what the rows name."""
    usccs = sorted({code for row in rows for code in (row.supplier_uscc, row.buyer_uscc) if code})
    organisations = {row.uscc: row.id for row in session.execute(_ORGANISATIONS, {"usccs": usccs})}
    asked = {"suppliers": sorted(set(organisations.values())), "names": sorted({row.product for row in rows if row.product})}
    products = {(row.supplier_id, row.name): row.id for row in session.execute(_PRODUCTS, asked)}
    codes = {row.sku for row in rows if row.sku}
    by_code = {row.code: row.id for row in session.execute(_SKUS, {"codes": sorted(codes | {code.upper() for code in codes})})}
    skus = {code: found for code in codes if (found := by_code.get(code) or by_code.get(code.upper()))}
    return {"organisations": organisations, "products": products, "skus": skus}


def _unknown(row: Row, names: Mapping[str, Mapping[Any, int]]) -> list[Fault]:
    organisations = names["organisations"]
    faults = []
    if row.supplier_uscc not in organisations:
        faults.append(
            sheets.fault(row.number, "supplier_uscc", "unknown_supplier", "没有这家供应单位", "there is no such supplier")
        )
    elif (organisations[row.supplier_uscc], row.product) not in names["products"]:
        zh, en = "该供应单位没有这个产品", "the supplier has no such product"
        faults.append(sheets.fault(row.number, "product", "unknown_product", zh, en))
    if row.buyer_uscc and row.buyer_uscc not in organisations:
        faults.append(sheets.fault(row.number, "buyer_uscc", "unknown_buyer", "没有这家采购单位", "there is no such buyer"))
    if row.sku and row.sku not in names["skus"]:
        faults.append(sheets.fault(row.number, "sku", "unknown_sku", "没有这个规格", "there is no such SKU"))
    return faults


def _differing(group: Sequence[Row], amiss: Set[str]) -> list[Fault]:
    """What rows say otherwise than the first of their sale, whose own cell can be read."""
    first = group[0]
    zh, en = f"与第 {first.number} 行不一致", f"differs from row {first.number}"
    return [
        sheets.fault(row.number, name, "differs", zh, en)
        for row in group[1:]
        for name in _SHARED
        if getattr(row, name) != getattr(first, name) and sheets.fault(first.number, name, "", "", "").field not in amiss
    ]


def _too_much(group: Sequence[Row]) -> list[Fault]:
    """As for a claim that is written down by itself."""
    faults = []
    if len(group) > MOST_LINES:
        zh, en = f"每笔申报最多 {MOST_LINES} 行", f"a claim has at most {MOST_LINES} lines"
        faults.append(sheets.fault(group[MOST_LINES].number, "group", "too_many_lines", zh, en))
    if len(_papers(group)) > MOST_PAPERS:
        zh, en = TooManyPapers.zh.format(most=MOST_PAPERS), TooManyPapers.en.format(most=MOST_PAPERS)
        faults.append(sheets.fault(group[0].number, "group", TooManyPapers.code, zh, en))
    return faults


def _claim(side: Side, group: Sequence[Row], names: Mapping[str, Mapping[Any, int]]) -> Claim:
    first, organisations = group[0], names["organisations"]
    supplier_id = organisations[first.supplier_uscc]
    return Claim(
        side=side,
        platform=Platform(first.platform),
        supplier_id=supplier_id,
        sold_on=first.sold_on,
        buyer_id=organisations.get(first.buyer_uscc),
        buyer_name=first.buyer_name or None,
        buyer_kind=first.buyer_kind or None,
        buyer_region_code=first.buyer_region or None,
        order_number=first.order_number or None,
        fund_source=first.fund_source,
        declared_relation_id=first.relation,
        lines=[
            Line(
                names["products"][supplier_id, row.product],
                row.quantity,
                row.amount_fen,
                names["skus"].get(row.sku),
                row.unit or None,
                row.grams,
            )
            for row in group
        ],
        papers=_papers(group),
    )


def _papers(group: Sequence[Row]) -> list[Paper]:
    """The papers that the rows name, each once."""
    named = {
        paper
        for row in group
        for paper in (
            Paper(PaperKind.INVOICE, row.invoice, amount_fen=row.invoice_fen),
            Paper(PaperKind.BANK_RECEIPT, row.receipt),
            Paper(PaperKind.WAYBILL, row.waybill, row.carrier or None),
        )
        if paper.number
    }
    return sorted(named, key=lambda paper: (paper.kind, paper.number or ""))


def _told(fault: Fault, group: Sequence[Row], claim: Claim) -> Fault:
    """A fault of a field as one of a cell."""
    place, _, name = fault.field.rpartition(".")
    row = group[0]
    if place.startswith("lines["):
        row = group[int(place[6:-1])]
    if place.startswith("documents["):
        paper = claim.papers[int(place[10:-1])]
        name = "carrier" if name == "issuer" else _PAPER_COLUMNS[paper.kind]
        row = next((each for each in group if getattr(each, _PAPER_COLUMNS[paper.kind]) == paper.number), row)
        return sheets.fault(row.number, name, fault.code, fault.zh, fault.en)
    return sheets.fault(row.number, _COLUMN.get(name, "product"), fault.code, fault.zh, fault.en)
