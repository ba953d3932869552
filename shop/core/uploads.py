"""Files that somebody uploaded: what they are is decided by their content, what they are called is made safe, and nothing is unpacked."""

import unicodedata
from typing import Any
from urllib.parse import quote

from fastapi.responses import Response
from sqlmodel import Session

from shop.core import clock, storage
from shop.core.errors import Invalid, NotFound, TooLarge
from shop.core.models import StoredFile
from shop.core.settings import settings

PDF = "application/pdf"
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XLS = "application/vnd.ms-excel"
XML = "application/xml"
TEXT = "text/plain"
_BEGINNINGS = {b"%PDF-": PDF, b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
#: The part that every file of the kind holds. An archive keeps the names of its parts as they are, so nothing need be unpacked, or listed.
_OFFICE = {
    b"word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/workbook.xml": XLSX,
}
EXTENSIONS = {
    PDF: ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    _OFFICE[b"word/document.xml"]: ".docx",
    XLSX: ".xlsx",
    XLS: ".xls",
    CSV: ".csv",
    XML: ".xml",
    TEXT: ".txt",
}
#: Other endings of plain text that a file may keep: statements as SWIFT writes them.
_TEXT_ENDINGS = frozenset({".sta", ".940", ".mt940"})
LONGEST_NAME = 120
#: The end of an archive lies in its last bytes; a comment may follow it.
_LONGEST_ARCHIVE_END = 66_000

#: How a route documents that it answers with a file.
FILE_ANSWER: dict[int | str, Any] = {
    200: {"description": "The file as it was uploaded", "content": {"application/octet-stream": {}}}
}


class UnreadableFile(Invalid):
    code = "file_type_not_accepted"
    zh = "仅接受 PDF、PNG、JPEG、DOCX 和 XLSX 文件"
    en = "Only PDF, PNG, JPEG, DOCX and XLSX files are accepted"


class FileMissing(NotFound):
    code = "file_missing"
    zh = "文件内容不在存储中，请联系管理员"
    en = "The content is not in the file store; tell the administrator"


def content_type(content: bytes) -> str:
    """What a file is, by its first bytes or, for office files, by the parts of its archive.

    Raises:
        UnreadableFile: none of the kinds that are accepted (422).
    """
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK\x03\x04") and b"PK\x05\x06" in content[-_LONGEST_ARCHIVE_END:]:
        for part, kind in _OFFICE.items():
            if part in content:
                return kind
    raise UnreadableFile


def safe_name(given: str | None, kind: str) -> str:
    """The last part of the name given, without what a file system or a header could take amiss, with the ending of its kind."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*%;')
    stem, _, ending = kept.rpartition(".")
    stem = (stem or kept).strip(" .")[:LONGEST_NAME] or "document"
    told = f".{ending}".lower()
    return stem + (told if kind == TEXT and told in _TEXT_ENDINGS else EXTENSIONS[kind])


def keep(session: Session, user_id: int | None, name: str | None, content: bytes, kind: str | None = None) -> StoredFile:
    """Store an uploaded file; the same content is kept once however often it is sent. ``user_id``: who sent it; None: somebody of the public.
    ``kind``: what it is, where the caller's own reader decides; text such as CSV cannot be told by its first bytes.

    Raises:
        TooLarge (413), UnreadableFile (422): see there.
    """
    if len(content) > settings().max_file_bytes:
        raise TooLarge(limit=settings().max_file_bytes)
    kind = kind or content_type(content)
    storage_key, sha256 = storage.put(content)
    file = StoredFile(
        storage_key=storage_key,
        name=safe_name(name, kind),
        content_type=kind,
        size=len(content),
        sha256=sha256,
        uploaded_by=user_id or 0,
        uploaded_at=clock.now(),
    )
    session.add(file)
    session.flush()
    return file


def served(file: Any) -> Response:
    """The answer that holds a stored file (``storage_key``, ``name``, ``content_type``): always to be saved, never shown in place.

    Raises:
        FileMissing: its content is not in the store (404).
    """
    try:
        content = storage.get(file.storage_key)
    except FileNotFoundError:
        raise FileMissing from None
    disposition = f"attachment; filename*=UTF-8''{quote(file.name)}"
    return Response(content, media_type=file.content_type, headers={"Content-Disposition": disposition})
