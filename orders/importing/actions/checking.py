"""What the rows of a list mean and whether they can be ordered: a constant number of statements for all rows."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql
from catalog.products.models import plain_name_sql
from orders.importing import matching
from orders.importing.actions.uploading import keep, locked
from orders.importing.matching import Candidate, Match, Nearest, Places
from orders.importing.models import OrderImport
from orders.importing.rules import NAMING, OF_QUANTITY, Column, RowFault, Step, column_of, state_of
from orders.importing.states import ORDER_IMPORT, ImportAction, ImportStatus
from orders.purchasing import checking
from orders.purchasing.checking import CheckedLine
from orders.purchasing.rules import WantedLine
from orders.purchasing.schemas import SubstituteOut
from shop.core import audit, clock, outbox
from shop.core.errors import IfMatch
from shop.core.money import yuan_from_fen
from shop.core.sheets import plain_code
from shop.identity.actor import Actor

_ROWS = """
    SELECT r.row_no, r.code, r.product, r.district, r.pack, r.unit, r.quantity, r.ordered_quantity, r.price_fen, r.sku_id, r.chosen, r.skipped,
           nullif(r.faults, '[]') AS faults, nullif(r.candidates, '[]') AS candidates, s.unit AS sku_unit, s.pack AS sku_pack,
           s.net_grams AS sku_grams, coalesce(r.cells ->> CAST(m.columns #>> '{found,at}' AS int), '') <> '' AS decided
    FROM order_import_row r JOIN order_import m ON m.id = r.import_id LEFT JOIN sku s ON s.id = r.sku_id
    WHERE r.import_id = :import_id AND r.kind = 'line'
"""
_ALL_ROWS = text(f"{_ROWS} ORDER BY r.row_no")
_SOME_ROWS = text(
    f"{_ROWS} AND (r.row_no = ANY (CAST(:row_nos AS int[])) OR r.sku_id = ANY (CAST(:skus AS bigint[]))) ORDER BY r.row_no"
)

_SKUS = f"""
    SELECT s.id AS sku_id, s.code AS sku_code, s.pack, s.unit, s.net_grams, p.id AS product_id, p.name AS product_name, p.district_code,
           d.name_zh AS district_name, o.name AS supplier_name,
           (s.status = 'active' AND p.status = 'active' AND o.status = 'approved') AS on_sale,
           EXISTS (SELECT FROM certificate c WHERE c.product_id = p.id AND c.supplier_id = p.supplier_id AND {in_force_sql("c")}) AS certified, w.key
    FROM {{wanted}}
    JOIN region d ON d.code = p.district_code
    JOIN organisation o ON o.id = p.supplier_id
    ORDER BY s.id
"""  # noqa: S608
_BY_CODE = text(
    _SKUS.format(
        wanted="unnest(CAST(:keys AS text[])) AS w (key) JOIN sku s ON s.code = w.key JOIN product p ON p.id = s.product_id"
    )
)
_BY_NAME = text(
    _SKUS.format(
        wanted=f"unnest(CAST(:keys AS text[])) AS w (key) JOIN product p ON {plain_name_sql('p.name')} = {plain_name_sql('w.key')}"
        " JOIN sku s ON s.product_id = p.id"
    )
)
_BY_PRODUCT = text(
    _SKUS.format(
        wanted="unnest(CAST(:keys AS bigint[])) AS w (key) JOIN product p ON p.id = w.key"
        " JOIN sku s ON s.product_id = p.id AND s.status = 'active'"
    )
)
_DISTRICTS = text(
    "SELECT code, name_zh, successor_code FROM region WHERE length(code) = 6 AND code LIKE '50%' AND code <> '500000'"
)
_NAMES = text(
    "SELECT p.id, p.name FROM product p JOIN organisation o ON o.id = p.supplier_id AND o.status = 'approved' WHERE p.status = 'active'"
)

_WRITE = text(
    """
    UPDATE order_import_row r
    SET sku_id = u.sku_id, ordered_quantity = u.ordered_quantity, state = u.state, faults = u.faults, candidates = u.candidates, substitutes = u.substitutes,
        unit_price_fen = u.unit_price_fen, amount_fen = u.amount_fen, grams = u.grams
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u (row_no int, sku_id bigint, ordered_quantity numeric, state text, faults jsonb, candidates jsonb,
        substitutes jsonb, unit_price_fen bigint, amount_fen bigint, grams bigint)
    WHERE r.import_id = :import_id AND r.row_no = u.row_no
    """
)


def check(session: Session, import_id: int) -> None:
    """Match and check all rows of a list that was read. Safe to run twice: what was checked already is left alone."""
    held = locked(session, None, import_id)
    if held.status != ImportStatus.CHECKING:
        return
    check_all(session, held)
    held.status = ORDER_IMPORT.after(held.status, ImportAction.CHECK).value
    held.rows_done = held.rows_total
    keep(session, held)


def refresh(session: Session, import_id: int) -> None:
    """Match and check a list again that is ready, without telling anybody: an order of it has just found something changed."""
    held = locked(session, None, import_id)
    if held.status == ImportStatus.READY:
        check_all(session, held)
        keep(session, held)


def check_again(session: Session, actor: Actor, import_id: int, if_match: IfMatch) -> None:
    """Have the rows matched and checked again, after stock came or a certificate was reinstated. What a user chose stays.

    Raises:
        NotFound: no such import of the own branch (404). IllegalMove: it was not read, or is ordered (409). Changed: see there (412).
    """
    held = locked(session, actor, import_id)
    if_match(held.version)
    held.status = ORDER_IMPORT.after(held.status, ImportAction.CHECK_AGAIN).value
    held.rows_done = 0
    keep(session, held)
    audit.record(session, actor, "order_import.checked_again", "order_import", import_id)
    outbox.publish(session, "order_import.read", order_import_id=import_id)


def check_all(session: Session, held: OrderImport) -> None:
    """Match and check every line."""
    rows = session.execute(_ALL_ROWS, {"import_id": held.id}).all()
    _check(session, held, rows, _matched(session, [row for row in rows if not row.chosen]))


def recheck(session: Session, held: OrderImport, row_nos: Sequence[int], skus: Sequence[int]) -> None:
    """Check these rows, and all that want the same goods; what they mean is not asked again."""
    rows = session.execute(_SOME_ROWS, {"import_id": held.id, "row_nos": list(row_nos), "skus": list(skus)}).all()
    _check(session, held, rows, {})


def _matched(session: Session, rows: Sequence[Row[Any]]) -> dict[int, Match]:
    """Which SKU each row means, by row number."""
    codes = {plain_code(row.code) for row in rows if row.code}
    by_code = {each.sku_code: each for _, each in _candidates(session, _BY_CODE, codes | {code.upper() for code in codes})}
    by_name: dict[str, list[Candidate]] = {}
    for name, candidate in _candidates(session, _BY_NAME, {row.product for row in rows if row.product}):
        by_name.setdefault(name, []).append(candidate)
    places = Places(tuple(row) for row in session.execute(_DISTRICTS))
    codes_of = {district: places.codes(district) for district in {row.district for row in rows}}
    matches = {
        row.row_no: matching.match(
            row,
            by_code.get(code := plain_code(row.code)) or by_code.get(code.upper()),
            by_name.get(row.product, []),
            codes_of[row.district] if row.district else None,
            decided=row.decided,
        )
        for row in rows
    }
    return matches | _with_nearest(session, rows, matches)


def _candidates(session: Session, statement: Any, keys: set[Any]) -> list[tuple[Any, Candidate]]:
    if not keys:
        return []
    found = session.execute(statement, {"keys": sorted(keys), **clock.present()}).all()
    return [(row[-1], Candidate(*row[:-1])) for row in found]


def _with_nearest(session: Session, rows: Sequence[Row[Any]], matches: Mapping[int, Match]) -> dict[int, Match]:
    """Rows whose product is unknown, with products of similar names to choose from."""
    unknown = [row for row in rows if any(fault.code == "unknown_product" for fault in matches[row.row_no].faults)]
    names = list(dict.fromkeys(row.product for row in unknown))[: matching.MOST_LOOKED_UP]
    if not names:
        return {}
    nearest = Nearest({row.id: row.name for row in session.execute(_NAMES)})
    alike = {name: nearest.to(name) for name in names}
    offered: dict[int, list[Candidate]] = {}
    for product_id, candidate in _candidates(session, _BY_PRODUCT, {each for found in alike.values() for each in found}):
        offered.setdefault(product_id, []).append(candidate)
    return {
        row.row_no: Match(
            None,
            matches[row.row_no].faults,
            tuple(
                # what cannot be ordered comes last
                sorted(
                    (each for product_id in alike.get(row.product, []) for each in offered.get(product_id, [])),
                    key=lambda each: not each.certified,
                )
            )[: matching.MOST_CANDIDATES],
        )
        for row in unknown
    }


def _check(session: Session, held: OrderImport, rows: Sequence[Row[Any]], matches: Mapping[int, Match]) -> None:
    skus = {row.row_no: matches[row.row_no].sku_id if row.row_no in matches else row.sku_id for row in rows}
    quantities, before = {}, {}
    for row in rows:
        quantities[row.row_no], before[row.row_no] = _before(row, matches.get(row.row_no))
    # goods whose quantity nobody can tell are looked at all the same: they may not be for sale, whatever is wanted of them
    wanted = [row for row in rows if skus[row.row_no] and not row.skipped]
    lines = [WantedLine(skus[row.row_no] or 0, quantities[row.row_no] or Decimal(0)) for row in wanted]
    unclear = {at for at, row in enumerate(wanted) if any(not each["warning"] for each in before[row.row_no])}
    checked = dict(zip([row.row_no for row in wanted], checking.check(session, held.buyer_id, lines, unclear), strict=True))
    instead = checking.substitutes(session, held.buyer_id, [line for line in checked.values() if line.facts.quantity])
    written = [
        _outcome(
            row,
            skus[row.row_no],
            quantities[row.row_no],
            matches.get(row.row_no),
            before[row.row_no],
            checked.get(row.row_no),
            instead,
        )
        for row in rows
    ]
    session.execute(_WRITE, {"import_id": held.id, "rows": json.dumps(written, ensure_ascii=False)})


def _before(row: Row[Any], match: Match | None) -> tuple[Decimal | None, list[dict[str, Any]]]:
    """How much of its SKU a row asks for, and what reading and matching found."""
    read = [each for each in row.faults or () if each["step"] == Step.READ and not _said_since(row, each["column"])]
    if match:
        unread = {each["column"] for each in read}
        return match.quantity, [*read, *(each.kept() for each in match.faults if each.column not in unread)]
    if row.chosen:
        quantity, found = matching.measured(row, row.sku_unit, row.sku_pack, row.sku_grams)
        return quantity, [*read, *(each.kept() for each in found)]
    return row.ordered_quantity, [*read, *(each for each in row.faults or () if each["step"] == Step.MATCH)]


def _said_since(row: Row[Any], column: str) -> bool:
    """Whether what a cell that cannot be read had to tell was said by the one who chose."""
    if column in (Column.QUANTITY, Column.UNIT):
        return row.quantity is not None
    return row.chosen and column in NAMING


def _outcome(
    row: Row[Any],
    sku_id: int | None,
    quantity: Decimal | None,
    match: Match | None,
    before: list[dict[str, Any]],
    line: CheckedLine | None,
    instead: Mapping[checking.Lacking, list[SubstituteOut]],
) -> dict[str, Any]:
    """What is written of a row."""
    faults = [*before, *(each.kept() for each in _found(row, line, quantity))] if line else before
    met = line if line and line.reason is None else None
    return {
        "row_no": row.row_no,
        "sku_id": sku_id,
        "ordered_quantity": None if quantity is None or sku_id is None else str(quantity),
        "state": state_of("line", row.skipped, faults),
        "faults": faults,
        "candidates": [each.kept() for each in match.candidates] if match else row.candidates or [],
        "substitutes": [_kept(each) for each in instead.get((line.facts.sku_id, line.facts.quantity), [])] if line else [],
        "unit_price_fen": line.facts.unit_price_fen if line else None,
        "amount_fen": met.amount_fen if met else None,
        "grams": met.grams if met else None,
    }


def _found(row: Row[Any], line: CheckedLine, quantity: Decimal | None) -> list[RowFault]:
    found = []
    if line.reason and line.fault and (quantity or line.reason not in OF_QUANTITY):
        data = {name: value for name, value in line.fault.data.items() if name not in ("line_no", "sku_id", "quantity")}
        found.append(RowFault(Step.CHECK, column_of(line.reason, row.product), line.reason, data=data))
    price = line.facts.unit_price_fen
    if price and row.price_fen and price != row.price_fen:
        told = {"listed": yuan_from_fen(row.price_fen), "unit_price": yuan_from_fen(price)}
        found.append(RowFault(Step.CHECK, Column.PRICE, "price_differs", warning=True, data=told))
    return found


def _kept(substitute: SubstituteOut) -> dict[str, Any]:
    """With the price in fen and the quantity as text, as it is read again."""
    return {**substitute.model_dump(), "available": str(substitute.available)}
