"""Reading an uploaded list: header, columns, rows. Whatever its content, the import ends as ``checking`` or as ``failed`` with a code."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.importing import rules
from orders.importing.actions.uploading import keep, locked
from orders.importing.cells import plain_text, storable, tidy
from orders.importing.models import OrderImport
from orders.importing.rules import Basis, Column, ReadRow, RowFault, RowKind, RowState, Step
from orders.importing.states import ORDER_IMPORT, ImportAction, ImportStatus
from orders.purchasing.schemas import MAX_LINES
from shop.core import clock, outbox, storage, workbooks
from shop.core.errors import Problem
from shop.core.models import StoredFile
from shop.core.sheet_reader import MAX_ROWS
from shop.core.workbooks import Sheet

_SAVED = text(
    "SELECT fingerprint, columns FROM column_mapping WHERE organisation_id = :organisation_id AND fingerprint = ANY (:fingerprints)"
)
_SAVE = text(
    """
    INSERT INTO column_mapping (organisation_id, fingerprint, columns, saved_by, saved_at)
    VALUES (:organisation_id, :fingerprint, CAST(:columns AS jsonb), :user_id, :now)
    ON CONFLICT (organisation_id, fingerprint)
    DO UPDATE SET columns = excluded.columns, saved_by = excluded.saved_by, saved_at = excluded.saved_at
    """
)
_FORGET = text("DELETE FROM order_import_row WHERE import_id = :import_id")
_WRITE = text(
    """
    INSERT INTO order_import_row (import_id, row_no, kind, cells, code, product, district, pack, unit, note, quantity, price_fen, chosen,
        skipped, state, faults, candidates, substitutes)
    SELECT :import_id, u.row_no, u.kind, u.cells, u.code, u.product, u.district, u.pack, u.unit, u.note, u.quantity, u.price_fen, false,
        false, u.state, u.faults, '[]', '[]'
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS u (row_no int, kind text, cells jsonb, code text, product text, district text,
        pack text, unit text, note text, quantity numeric, price_fen bigint, state text, faults jsonb)
    """
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the header stands (from 0) and what its columns are, with why."""

    row: int
    columns: dict[Column, int]
    basis: Basis
    undecided: dict[Column, list[int]]


class _Unreadable(Exception):
    """Why a list cannot be read, by its code."""


def read(session: Session, import_id: int) -> None:
    """Read the file of an import that waits for it. Safe to run twice: what was read already is left alone."""
    held = locked(session, None, import_id)
    if held.status != ImportStatus.READING:
        return
    try:
        book = _book(session, held)
        heads = {name: _tidied(each.rows[: rules.HEADER_WITHIN]) for name, each in book.items()}
        layouts = _layouts(session, held, heads)
        sheet = _sheet(held, book, layouts)
        held.sheet, held.sample = sheet or None, heads[sheet]
        rows = _tidied(book[sheet].rows)
        # the reader stops there, so more of them may have been left out
        if len(rows) >= MAX_ROWS:
            raise _Unreadable("too_many_rows")
        layout = _taken(held, rows, _said(held) or layouts[sheet])
        texts, codes = ({layout.columns[each] for each in kind if each in layout.columns} for kind in (rules.TEXTS, rules.CODES))
        rows = _tidied(book[sheet].shown(texts, codes))
        found = _lines(rows, layout)
    except _Unreadable as reason:
        held.status, held.fault = ORDER_IMPORT.after(held.status, ImportAction.FAIL).value, str(reason)
        session.execute(_FORGET, {"import_id": import_id})
        keep(session, held)
        return
    if held.keep_columns and layout.basis is Basis.USER:
        _save(session, held)
    session.execute(_FORGET, {"import_id": import_id})
    _write(session, import_id, rows, found)
    held.status = ORDER_IMPORT.after(held.status, ImportAction.READ).value
    held.rows_total, held.rows_done = len(found), 0
    keep(session, held)
    outbox.publish(session, "order_import.read", order_import_id=import_id)


def _book(session: Session, held: OrderImport) -> dict[str, Sheet]:
    try:
        book = workbooks.book(storage.get(session.get_one(StoredFile, held.file_id).storage_key))
    except FileNotFoundError:
        raise _Unreadable("file_missing") from None
    except Problem as problem:
        raise _Unreadable(problem.code) from None
    return {storable(name): each for name, each in book.items()}


def _tidied(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    tidied = [tidy(cells) for cells in rows]
    while tidied and not tidied[-1]:
        tidied.pop()
    return tidied


def _layouts(session: Session, held: OrderImport, heads: Mapping[str, list[list[str]]]) -> dict[str, _Layout | None]:
    """How each sheet seems to be laid out: what the organisation said of the same header before, or what the header itself tells."""
    prints = {
        name: {_fingerprint(cells): row for row, cells in reversed(list(enumerate(rows))) if cells} for name, rows in heads.items()
    }
    values = {"organisation_id": held.organisation_id, "fingerprints": [each for known in prints.values() for each in known]}
    saved = {row.fingerprint: row.columns for row in session.execute(_SAVED, values)}
    return {name: _saved(saved, prints[name]) or _detected(rows) for name, rows in heads.items()}


def _sheet(held: OrderImport, book: Mapping[str, Sheet], layouts: Mapping[str, _Layout | None]) -> str:
    """The sheet that a user named, else the first that has a header; the others are kept with the import, to be seen."""
    shown = {name: layout and layout.row + 1 for name, layout in layouts.items() if name}
    held.sheets = [{"name": name, "rows": len(book[name].rows), "header_row": row} for name, row in shown.items()]
    names = list(book)
    if held.sheet is not None:
        names = [name for name in names if plain_text(name) == plain_text(held.sheet)]
        if not names:
            held.sheet = None  # the next attempt may name none
            raise _Unreadable("no_such_sheet")
    elif _said(held) is None:
        names = [name for name in names if layouts[name]] or names
    return names[0]


def _taken(held: OrderImport, rows: Sequence[Sequence[str]], layout: _Layout | None) -> _Layout:
    """The layout by which the rows are read, kept with the import."""
    if layout is None or layout.row >= len(rows):
        raise _Unreadable("header_not_found")
    held.header_row, held.headers = layout.row + 1, list(rows[layout.row])
    held.columns = {column: {"at": at, "basis": layout.basis} for column, at in layout.columns.items()}
    held.undecided = {column: list(places) for column, places in layout.undecided.items()}
    if not rules.complete(layout.columns):
        raise _Unreadable("columns_undecided")
    return layout


def _said(held: OrderImport) -> _Layout | None:
    if held.header_row is None or any(each["basis"] != Basis.USER for each in held.columns.values()):
        return None
    return _Layout(held.header_row - 1, {Column(name): each["at"] for name, each in held.columns.items()}, Basis.USER, {})


def _saved(saved: Mapping[str, Mapping[str, int]], prints: Mapping[str, int]) -> _Layout | None:
    known = [(row, each) for each, row in prints.items() if each in saved]
    if not known:
        return None
    row, fingerprint = min(known)
    return _Layout(row, {Column(name): at for name, at in saved[fingerprint].items()}, Basis.SAVED, {})


def _detected(rows: Sequence[Sequence[str]]) -> _Layout | None:
    header = rules.header_of(rows)
    return _Layout(header.row, header.columns, Basis.HEADER, header.twice) if header else None


def _save(session: Session, held: OrderImport) -> None:
    session.execute(
        _SAVE,
        {
            "organisation_id": held.organisation_id,
            "fingerprint": _fingerprint(held.headers),
            "columns": json.dumps({name: each["at"] for name, each in held.columns.items()}),
            "user_id": held.uploaded_by,
            "now": clock.now(),
        },
    )


def _fingerprint(cells: Sequence[str]) -> str:
    return hashlib.sha256(rules.fingerprint(cells).encode()).hexdigest()


def _lines(rows: Sequence[Sequence[str]], layout: _Layout) -> list[ReadRow]:
    found = list(rules.read(rows, layout.row, layout.columns))
    lines = sum(row.kind is RowKind.LINE for row in found)
    if lines > MAX_LINES:
        raise _Unreadable("too_many_rows")
    if not lines:
        raise _Unreadable("no_lines")
    return found


def _write(session: Session, import_id: int, rows: Sequence[Sequence[str]], found: Sequence[ReadRow]) -> None:
    written = [
        {
            "row_no": row.row_no,
            "kind": row.kind,
            "cells": rows[row.row_no - 1],
            "code": row.code,
            "product": row.product,
            "district": row.district,
            "pack": row.pack,
            "unit": row.unit,
            "note": row.note,
            "quantity": None if row.quantity is None else str(row.quantity),
            "price_fen": row.price_fen,
            "state": RowState.WAITING if row.kind is RowKind.LINE else RowState.NOT_A_LINE,
            "faults": _faults(row),
        }
        for row in found
    ]
    session.execute(_WRITE, {"import_id": import_id, "rows": json.dumps(written, ensure_ascii=False)})


def _faults(row: ReadRow) -> list[dict[str, Any]]:
    found = list(row.unread)
    if row.fault is not None:
        found.append((Column.UNIT if row.fault == "units_differ" else Column.QUANTITY, row.fault))
    return [RowFault(Step.READ, column, code, warning=column is Column.PRICE).kept() for column, code in found]
