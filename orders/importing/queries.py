"""Reads of uploaded lists, within the caller's branch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.importing.rules import ORDERABLE, Column, RowState, words
from orders.importing.schemas import (
    CandidateOut,
    ColumnOut,
    ImportFault,
    ListRowOut,
    MatchedSku,
    OrderImportOut,
    OrderImportRow,
    RowFaultOut,
    SameFile,
    SampleRow,
    SheetOut,
    UndecidedOut,
)
from orders.importing.states import ORDER_IMPORT, ImportAction, ImportStatus
from orders.purchasing.schemas import SubstituteOut
from shop.core import paging
from shop.core.errors import Language, NotFound
from shop.core.models import StoredFile
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

# The order may be one that was placed when its request had been approved.
_IMPORTS = """
    SELECT i.*, buyer.name AS buyer_name, coalesce(i.purchase_order_id, approved.id) AS placed_order_id
    FROM order_import i
    JOIN organisation home ON home.id = i.organisation_id
    JOIN organisation buyer ON buyer.id = i.buyer_id
    LEFT JOIN purchase_order approved ON approved.purchase_request_id = i.purchase_request_id
    WHERE home.path LIKE CAST(:branch AS text)
"""
_ONE = text(f"{_IMPORTS} AND i.id = :id")
_PAGE = text(
    f"""{_IMPORTS}
    AND (CAST(:status AS text) IS NULL OR i.status = :status) AND (CAST(:buyer_id AS bigint) IS NULL OR i.buyer_id = :buyer_id)
    AND (CAST(:before AS bigint) IS NULL OR i.id < :before)
    ORDER BY i.id DESC LIMIT :rows"""
)
_COUNTS = text(
    """
    SELECT state, count(*) AS rows, coalesce(sum(amount_fen), 0)::bigint AS fen, coalesce(sum(grams), 0)::bigint AS grams
    FROM order_import_row WHERE import_id = :id GROUP BY state
    """
)
_SAME_FILE = text(
    """
    WITH content AS (
        SELECT id, purchase_request_id FROM order_import
        WHERE organisation_id = :organisation_id AND sha256 = :sha256 AND status = 'ordered'
    )
    SELECT c.id AS order_import_id, o.number, o.id AS purchase_order_id, o.purchase_request_id
    FROM content c JOIN purchase_order o ON o.source_kind = 'import' AND o.source_id = c.id
    UNION ALL
    SELECT c.id, r.number, NULL, r.id
    FROM content c JOIN purchase_request r ON r.id = c.purchase_request_id
    WHERE r.status NOT IN ('ordered', 'rejected', 'withdrawn')
    ORDER BY order_import_id, purchase_order_id
    """
)
_ROWS = """
    SELECT r.*, s.code AS sku_code, s.product_id, s.pack AS sku_pack, s.unit AS sku_unit, p.name AS product_name
    FROM order_import_row r
    LEFT JOIN sku s ON s.id = r.sku_id
    LEFT JOIN product p ON p.id = s.product_id
    WHERE r.import_id = :id
"""
_ROWS_PAGE = text(
    f"{_ROWS} AND r.row_no > :after AND (CAST(:state AS text) IS NULL OR r.state = :state) ORDER BY r.row_no LIMIT :rows"
)
_ALL_ROWS = text(f"{_ROWS} ORDER BY r.row_no")
_ONE_ROW = text(f"{_ROWS} AND r.row_no = :row_no")


def _reach(actor: Actor) -> dict[str, Any]:
    return {"branch": f"{actor.organisation_path}%" if actor.organisation_path else None}


def head(session: Session, actor: Actor, import_id: int) -> Row[Any]:
    """The row of an import.

    Raises:
        NotFound: no such import of the own branch.
    """
    row = session.execute(_ONE, {"id": import_id, **_reach(actor)}).first()
    if row is None:
        raise NotFound
    return row


def order_import(session: Session, actor: Actor, import_id: int, language: Language) -> OrderImportOut:
    """One list.

    Raises:
        NotFound: no such import of the own branch.
    """
    row = head(session, actor, import_id)
    counts = {each.state: each for each in session.execute(_COUNTS, {"id": import_id})}
    met = [counts[state] for state in ORDERABLE if state in counts]
    read = {each["at"] for each in row.columns.values()} | {at for places in row.undecided.values() for at in places}
    return OrderImportOut(
        **_brief(row, language),
        sheet=row.sheet,
        sheets=[SheetOut(**each) for each in row.sheets],
        header_row=row.header_row,
        headers=row.headers,
        unused=[name for at, name in enumerate(row.headers) if name.strip() and at not in read],
        columns=[_column(name, each, row.headers) for name, each in sorted(row.columns.items(), key=lambda pair: pair[1]["at"])],
        undecided=[UndecidedOut(field=Column(name), columns=[at + 1 for at in places]) for name, places in row.undecided.items()],
        sample=[SampleRow(row_no=number, cells=cells) for number, cells in enumerate(row.sample, start=1)],
        counts={RowState(state): each.rows for state, each in sorted(counts.items())},
        total=sum(each.fen for each in met),
        total_grams=sum(each.grams for each in met),
        same_file=orders_of_content(session, row.organisation_id, row.sha256),
        possible_actions=ORDER_IMPORT.possible(row.status, moves_of(actor)),
    )


def moves_of(actor: Actor) -> set[ImportAction]:
    """What the actor may do with a list of its branch at all: everything, as who orders."""
    return set(ImportAction) if actor.may(Permission.ORDERS_PLACE) else set()


def orders_of_content(session: Session, organisation_id: int, sha256: str) -> list[SameFile]:
    """The orders that an organisation made from files of the same content, and the requests for one that were not refused."""
    return [
        SameFile(**row._asdict()) for row in session.execute(_SAME_FILE, {"organisation_id": organisation_id, "sha256": sha256})
    ]


def order_imports(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    status: ImportStatus | None,
    buyer_id: int | None,
    limit: int,
    after: str | None,
) -> Page[OrderImportRow]:
    """The lists of the own branch, the newest first."""
    start = paging.position(after, int)
    values = {"status": status, "buyer_id": buyer_id, "before": start[0] if start else None, "rows": limit + 1}
    rows = session.execute(_PAGE, {**_reach(actor), **values}).all()
    return paging.page(rows, limit, lambda row: OrderImportRow(**_brief(row, language)), lambda row: [row.id])


def rows(
    session: Session, actor: Actor, import_id: int, language: Language, *, state: RowState | None, limit: int, after: str | None
) -> Page[ListRowOut]:
    """The rows below the header, as they stand in the list.

    Raises:
        NotFound: no such import of the own branch.
    """
    titles = _titles(head(session, actor, import_id))
    start = paging.position(after, int)
    values = {"id": import_id, "state": state, "after": start[0] if start else 0, "rows": limit + 1}
    page = session.execute(_ROWS_PAGE, values).all()
    return paging.page(page, limit, lambda row: _row(row, titles, language), lambda row: [row.row_no])


def row(session: Session, actor: Actor, import_id: int, row_no: int, language: Language) -> ListRowOut:
    """One row.

    Raises:
        NotFound: no such row, or no such import of the own branch.
    """
    titles = _titles(head(session, actor, import_id))
    one = session.execute(_ONE_ROW, {"id": import_id, "row_no": row_no}).first()
    if one is None:
        raise NotFound
    return _row(one, titles, language)


def all_rows(
    session: Session, actor: Actor, import_id: int, language: Language
) -> tuple[list[str], dict[Column, int], Iterator[ListRowOut]]:
    """The header, where the columns stand that are read (from 0), and every row, to be downloaded.

    Raises:
        NotFound: no such import of the own branch.
    """
    held = head(session, actor, import_id)
    titles = _titles(held)
    places = {Column(name): each["at"] for name, each in held.columns.items()}
    return held.headers, places, (_row(each, titles, language) for each in session.execute(_ALL_ROWS, {"id": import_id}))


def uploaded_file(session: Session, actor: Actor, import_id: int) -> StoredFile:
    """The file as it was uploaded.

    Raises:
        NotFound: no such import of the own branch.
    """
    return session.get_one(StoredFile, head(session, actor, import_id).file_id)


def _brief(row: Row[Any], language: Language) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in OrderImportRow.model_fields if name not in ("fault", "purchase_order_id")}
    return fields | {
        "purchase_order_id": row.placed_order_id,
        "fault": ImportFault(code=row.fault, message=words(row.fault, language)) if row.fault else None,
    }


def _letter(at: int) -> str:
    """27 columns from 0 on: A … Z, AA."""
    return (_letter(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _column(name: str, told: Mapping[str, Any], headers: Sequence[str]) -> ColumnOut:
    at = told["at"]
    header = headers[at] if at < len(headers) else ""
    return ColumnOut(field=Column(name), column=at + 1, letter=_letter(at), header=header, basis=told["basis"])


def _titles(head: Row[Any]) -> dict[str, str]:
    """The headers of the list by what their columns tell."""
    return {name: head.headers[each["at"]] for name, each in head.columns.items() if each["at"] < len(head.headers)}


def _row(row: Row[Any], titles: Mapping[str, str], language: Language) -> ListRowOut:
    told = [(each["warning"], _fault(each, titles, language)) for each in row.faults]
    same = (
        "row_no",
        "kind",
        "state",
        "cells",
        "code",
        "product",
        "district",
        "pack",
        "quantity",
        "ordered_quantity",
        "unit",
        "note",
        "chosen",
    )
    return ListRowOut(
        **{name: getattr(row, name) for name in same},
        listed_price=row.price_fen,
        sku=_sku(row) if row.sku_id else None,
        faults=[fault for warning, fault in told if not warning],
        warnings=[fault for warning, fault in told if warning],
        candidates=[CandidateOut(**each) for each in row.candidates],
        substitutes=[SubstituteOut(**each) for each in row.substitutes],
    )


def _sku(row: Row[Any]) -> MatchedSku:
    return MatchedSku(
        sku_id=row.sku_id,
        sku_code=row.sku_code,
        product_id=row.product_id,
        product_name=row.product_name,
        pack=row.sku_pack,
        unit=row.sku_unit,
        unit_price=row.unit_price_fen,
        amount=row.amount_fen,
        grams=row.grams,
    )


def _fault(kept: Mapping[str, Any], titles: Mapping[str, str], language: Language) -> RowFaultOut:
    return RowFaultOut(
        code=kept["code"],
        message=words(kept["code"], language),
        field=kept["column"],
        column=titles.get(kept["column"]),
        data=kept["data"],
    )
