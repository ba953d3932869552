"""Files that somebody uploaded: what they are is decided by their content, what they are called is made safe, and nothing is unpacked."""

import re
import unicodedata
from typing import Any
from urllib.parse import quote

from fastapi.responses import Response
from sqlmodel import Session

from shop.core import clock, pdf_contents, storage
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
#: The entry of a part in the list of an archive, and how long it is without the names that follow (APPNOTE 4.3.12).
_PART, _PART_LENGTH = b"PK\x01\x02", 46
#: Honest office files hold some megabytes of text, and pictures that no packing makes much smaller.
_MOST_UNPACKED = 100 * 2**20
#: The end of a PDF names where its list of objects begins (ISO 32000-1 §7.5.5); signs may follow it, as readers allow.
_PDF_END, _LONGEST_PDF_END = re.compile(rb"startxref\s+[0-9]{1,10}\s+%%EOF"), 1_100
#: What comes with the list: a trailer behind a table, or the type of an object that is the list (§7.5.5, §7.5.8).
_PDF_LISTS = (b"trailer", b"/XRef")

#: How a route documents that it answers with a file.
FILE_ANSWER: dict[int | str, Any] = {
    200: {"description": "The file as it was uploaded", "content": {"application/octet-stream": {}}}
}


#: What every form calls the file that it takes.
FIELD = "file"


class UnreadableFile(Invalid):
    code = "file_type_not_accepted"
    zh = "仅接受 PDF、PNG、JPEG、DOCX 和 XLSX 文件"
    en = "Only PDF, PNG, JPEG, DOCX and XLSX files are accepted"


class EmptyFile(Invalid):
    code = "file_empty"
    zh = "文件是空的"
    en = "The file is empty"


class BrokenPicture(Invalid):
    code = "broken_picture"
    zh = "图片不完整，无法打开，请重新拍摄或导出"
    en = "The picture is broken and cannot be opened; take or export it again"


class BrokenPdf(Invalid):
    code = "broken_pdf"
    zh = "PDF 不完整，无法打开，请重新扫描或导出"
    en = "The PDF is broken and cannot be opened; scan or export it again"


class ScriptedPdf(Invalid):
    code = "pdf_with_script"
    zh = "PDF 含有脚本或会启动程序，请打印为新的 PDF 或扫描后上传"
    en = "The PDF runs scripts or starts programs; print it to a new PDF, or scan it"


class PdfWithFiles(Invalid):
    code = "pdf_with_files"
    zh = "PDF 内嵌有其他文件，请取出后单独上传（电子凭证自带的 XML、XBRL 数据除外）"
    en = "Other files are attached within the PDF; take them out and upload them by themselves (the XML or XBRL of an electronic voucher may stay)"


class UnpacksTooLarge(Invalid):
    code = "file_unpacks_too_large"
    zh = "文件解压后超过 {limit} 字节，请删去多余内容后另存"
    en = "The file unpacks to more than {limit} bytes; take out what is not needed and save it again"


class FileMissing(NotFound):
    code = "file_missing"
    zh = "文件内容不在存储中，请联系管理员"
    en = "The content is not in the file store; tell the administrator"


def _png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG by its header; nothing, where it has none."""
    if content[12:16] != b"IHDR":
        return 0, 0
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height of a JPEG: those of its frame, before which segments of known lengths stand; nothing, where no frame comes."""
    at = 2
    while content[at : at + 1] == b"\xff" and at + 9 <= len(content):
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        # a marker may be filled up with 0xFF
        at += 1 if marker == 0xFF else 2 + length
    return 0, 0


_SIZES = {"image/png": _png_size, "image/jpeg": _jpeg_size}


def _opens_as_pdf(content: bytes) -> bool:
    """Whether a PDF is there to its end, and has a list of its objects; where the list begins many programs say wrongly, and readers look for it."""
    return bool(_PDF_END.search(content[-_LONGEST_PDF_END:])) and any(mark in content for mark in _PDF_LISTS)


def _require_plain(content: bytes) -> None:
    """Refuse a PDF that does something to whoever opens it."""
    try:
        pieces = pdf_contents.pieces_of(content)
    except pdf_contents.TooMuchPacked:
        raise UnpacksTooLarge.at(FIELD, limit=pdf_contents.MOST_UNPACKED) from None
    except pdf_contents.UnknownPacking:
        raise BrokenPdf.at(FIELD) from None
    if pdf_contents.runs_something(pieces):
        raise ScriptedPdf.at(FIELD)
    if pdf_contents.carries_files(pieces):
        raise PdfWithFiles.at(FIELD)


def _unpacked(content: bytes) -> int:
    """How many bytes the parts of an archive take once they are unpacked, by its own list, which ends where the archive's end begins."""
    end = content.rfind(b"PK\x05\x06")
    at = end - int.from_bytes(content[end + 12 : end + 16], "little")
    size = 0
    while at >= 0 and content.startswith(_PART, at):
        size += int.from_bytes(content[at + 24 : at + 28], "little")
        at += _PART_LENGTH + sum(int.from_bytes(content[at + place : at + place + 2], "little") for place in (28, 30, 32))
    return size


def content_type(content: bytes) -> str:
    """What a file is, by its first bytes or, for office files, by the parts of its archive.

    Raises:
        EmptyFile: there is nothing in it (422). UnreadableFile: none of the kinds that are accepted (422). BrokenPicture, BrokenPdf: it only
            begins like one (422). ScriptedPdf, PdfWithFiles: it does more than to be read (422). UnpacksTooLarge: it fills the memory of
            whoever opens it (422).
    """
    if not content:
        raise EmptyFile.at(FIELD)
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            if kind in _SIZES and not all(_SIZES[kind](content)):
                raise BrokenPicture.at(FIELD)
            if kind == PDF:
                if not _opens_as_pdf(content):
                    raise BrokenPdf.at(FIELD)
                _require_plain(content)
            return kind
    if content.startswith(b"PK\x03\x04") and b"PK\x05\x06" in content[-_LONGEST_ARCHIVE_END:]:
        for part, kind in _OFFICE.items():
            if part in content:
                if _unpacked(content) > _MOST_UNPACKED:
                    raise UnpacksTooLarge.at(FIELD, limit=_MOST_UNPACKED)
                return kind
    raise UnreadableFile.at(FIELD)


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
