"""Serving a stored file so that an interrupted download goes on where it stopped: ``Range``, ``If-Range``, ``ETag`` (RFC 9110)."""

import re
from base64 import b64encode
from collections.abc import Iterable
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from shop.core import edge, storage
from shop.core.errors import NotFound, Problem

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class FileMissing(NotFound):
    code = "file_missing"
    zh, en = "文件内容不在存储中，请联系管理员", "The content is not in the file store; tell the administrator"


class NoSuchRange(Problem):
    status, code = 416, "no_such_range"
    zh, en = "文件没有这一段（共 {size} 字节）", "The file has no such range; it has {size} bytes"


def answers(content_types: Iterable[str]) -> dict[int | str, dict[str, object]]:
    """How a route documents that it answers with a file of one of these types, or a part of one."""
    content: dict[str, object] = {each.partition(";")[0]: {} for each in content_types}
    return {
        200: {"description": "The file", "content": content},
        206: {"description": "The part of the file that `Range` asks for", "content": content},
    }


def wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """Which bytes a ``Range`` header asks for: the first, and the first behind them. None: the whole file, as for every header that is not of one
    simple range.

    Raises:
        NoSuchRange: the range begins behind the end (416).
    """
    found = _RANGE.fullmatch((header or "").strip().replace(" ", ""))
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), size if not last else min(int(last) + 1, size)
        if last and int(last) < start:
            return None
    if start >= size or start == end:
        raise NoSuchRange(size=size)
    return start, end


def served(request: Request, storage_key: str, *, name: str, content_type: str, size: int, sha256: str) -> Response:
    """The file, or the part that is asked for, piece by piece and always to be saved; to HEAD what it is. Its ``ETag`` is the SHA-256 of its content.

    Raises:
        FileMissing: its content is not in the store (404).
    """
    etag = f'"{sha256}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode()}:",
    }
    if request.method == "HEAD":
        return Response(None, 200, {**headers, "Content-Length": str(size)}, content_type)
    asked = request.headers.get("range")
    if request.headers.get("if-range", etag) != etag:
        asked = None  # the part at hand is of another file: the whole is sent
    try:
        part = wanted(asked, size)
    except NoSuchRange as problem:
        refusal = edge.problem_response(request, problem)
        refusal.headers["Content-Range"] = f"bytes */{size}"
        return refusal
    start, end = part or (0, size)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    try:
        pieces = storage.pieces(storage_key, start, end)
    except FileNotFoundError:
        raise FileMissing from None
    return StreamingResponse(pieces, 206 if part else 200, headers, content_type)
