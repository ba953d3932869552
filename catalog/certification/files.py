"""Uploaded papers: what they are is decided by their content, what they are called is made safe."""

import io
import unicodedata
import zipfile

from catalog.certification.errors import UnreadableFile

PDF = "application/pdf"
_BEGINNINGS = {b"%PDF-": PDF, b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
#: The part that every file of the kind holds.
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
EXTENSIONS = {
    PDF: ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    _OFFICE["word/document.xml"]: ".docx",
    _OFFICE["xl/workbook.xml"]: ".xlsx",
}
LONGEST_NAME = 120


def content_type(content: bytes) -> str:
    """What a file is, by its first bytes or, for office files, by what its archive holds. Nothing is unpacked.

    Raises:
        UnreadableFile: none of the kinds that are accepted.
    """
    for beginning, kind in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    if content.startswith(b"PK\x03\x04"):
        try:
            parts = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            raise UnreadableFile from None
        for part, kind in _OFFICE.items():
            if part in parts:
                return kind
    raise UnreadableFile


def safe_name(given: str | None, kind: str) -> str:
    """The last part of the name given, without what a file system or a header could take amiss, with the ending of its kind."""
    last = (given or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*%;')
    stem = kept.rpartition(".")[0] or kept
    stem = stem.strip(" .")[:LONGEST_NAME] or "document"
    return stem + EXTENSIONS[kind]
