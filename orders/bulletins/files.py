"""The files of a bulletin, each made from its content alone: the same content gives the same bytes, whenever it is made."""

import re
from datetime import date
from html import escape
from pathlib import Path as File
from typing import Annotated, Any, Literal, cast

from fastapi import Path
from fastapi.responses import Response

from orders.bulletins import content as frozen
from orders.bulletins import tables
from orders.bulletins.tables import Table
from shop.core import exports, printing
from shop.core.errors import NotFound
from shop.core.exports import Worksheet

Format = Literal["json", "html", "pdf", "xlsx"]
MEDIA: dict[str, str] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": exports.XLSX,
}
#: A format as a path names it; :func:`kind_of` says whether there is such a one.
Named = Annotated[str, Path(alias="format", max_length=10, examples=list(MEDIA))]
#: How a route of such a file documents what it answers.
_BYTES = {"type": "string", "format": "binary"}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA["json"]: {"schema": {"$ref": f"#/components/schemas/{frozen.Content.__name__}"}},
            "text/html": {"schema": {"type": "string"}},
            MEDIA["pdf"]: {"schema": _BYTES},
            MEDIA["xlsx"]: {"schema": _BYTES},
        }
    }
}
_TEMPLATE = File(__file__).with_name("bulletin.typ")
_STYLE = """
body { font: 15px/1.6 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; color: #1f2328; }
h1 { font-size: 1.4rem; margin: .5rem 0; } h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; } small { color: #57606a; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; } td.n { text-align: right; white-space: nowrap; }
"""
#: A sheet's name has 31 characters at most, and none of these; what stands in brackets is in the sheet itself.
_IN_BRACKETS = re.compile(r"（[^）]*）| \([^)]*\)")
_NOT_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", " "))


def kind_of(named: str) -> Format:
    """A format by its name.

    Raises:
        NotFound: there is none (404).
    """
    if named not in MEDIA:
        raise NotFound
    return cast(Format, named)


def made_of(content: bytes) -> dict[str, bytes]:
    """Page, PDF and workbook of a frozen content."""
    said = frozen.read(content)
    found = tables.tables(said)
    heading = tables.heading(said)
    return {
        "html": _page(heading, found, frozen.digest(content)),
        "pdf": _pdf(heading, found, frozen.digest(content)),
        "xlsx": _workbook(heading, found, date.fromisoformat(said.issued_on or said.last)),
    }


def _page(heading: tuple[str, str, str], found: list[Table], sha256: str) -> bytes:
    """A page that loads nothing and runs nothing."""
    zh, en, below = map(escape, heading)
    parts = [
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{zh}</title><style>{_STYLE}</style></head><body>\n<h1>{zh}<br><small>{en}</small></h1>\n<p>{below}</p>\n"
    ]
    for table in found:
        head = "".join(f"<th>{escape(name)}</th>" for name in table.header)
        rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in table.rows)
        note = f"<p><small>{escape(table.note)}</small></p>\n" if table.note else ""
        parts.append(f'<h2>{escape(table.title)}</h2>\n<div class="wide"><table><tr>{head}</tr>\n{rows}</table></div>\n{note}')
    parts.append(f"<p><small>SHA-256 {sha256}</small></p>\n</body></html>\n")
    return "".join(parts).encode()


def _is_figure(cell: exports.Cell) -> bool:
    """Figures, and the dash in place of one, stand on the right."""
    return not isinstance(cell, str)


def _cell(cell: exports.Cell) -> str:
    number = ' class="n"' if _is_figure(cell) else ""
    return f"<td{number}>{escape(tables.plain(cell))}</td>"


def _pdf(heading: tuple[str, str, str], found: list[Table], sha256: str) -> bytes:
    shown = {
        "heading": heading,
        "sha256": sha256,
        "tables": [
            {
                "title": table.title,
                "header": table.header,
                "rows": [[{"text": tables.plain(cell), "figure": _is_figure(cell)} for cell in row] for row in table.rows],
                "note": table.note,
            }
            for table in found
        ],
    }
    return printing.pdf(_TEMPLATE, shown)


def _workbook(heading: tuple[str, str, str], found: list[Table], made_on: date) -> bytes:
    head = [[line] for line in heading]
    sheets = [
        Worksheet(
            f"{n} {_IN_BRACKETS.sub('', table.title)}".translate(_NOT_IN_NAMES)[:31],
            table.header,
            table.rows,
            head=[*head, [table.title], *([[table.note]] if table.note else [])],
        )
        for n, table in enumerate(found, 1)
    ]
    return exports.as_workbook(sheets, made_on)


def answer(name: str, kind: Format, content: bytes, sha256: str) -> Response:
    """The answer that holds a file of a bulletin. Pages are shown, all else is saved."""
    headers = {"ETag": f'"{sha256}"'}
    if kind == "html":
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    else:
        headers["Content-Disposition"] = f'attachment; filename="bulletin_{name}.{kind}"'
    return Response(content, media_type=MEDIA[kind], headers=headers)
