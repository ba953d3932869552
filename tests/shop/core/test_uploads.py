"""Uploaded files are known by their content, named safely, and never unpacked."""

import io
import subprocess
import sys
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.core import uploads
from shop.core.uploads import BrokenPicture, UnreadableFile
from tests.factories.pictures import JPEG, PNG


def archive(*parts, padding=0):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for part in parts:
            made.writestr(part, b"\0" * padding if padding else "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (b"%PDF-1.4\n", ".pdf"),
        (PNG, ".png"),
        (JPEG, ".jpg"),
        (archive("[Content_Types].xml", "word/document.xml"), ".docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), ".xlsx"),
    ],
)
def test_the_content_decides_what_a_file_is(content, ending):
    assert uploads.safe_name("扫描件.exe", uploads.content_type(content)) == "扫描件" + ending


@pytest.mark.parametrize("content", [b"MZ\x90", b"<html>", b"PK\x03\x04broken", archive("evil.exe"), b" %PDF-1.4", b"GIF89a"])
def test_other_files_are_refused(content):
    with pytest.raises(UnreadableFile):
        uploads.content_type(content)


def test_an_empty_file_is_told_to_be_empty():
    with pytest.raises(uploads.EmptyFile):
        uploads.content_type(b"")


@pytest.mark.parametrize(
    "content",
    [
        PNG[:8],
        PNG[:12] + b"IDAT" + PNG[16:],
        PNG[:16] + b"\0" * 4 + PNG[20:],
        JPEG[:3],
        JPEG[:19],
        JPEG[:2] + JPEG[-2:],
        b"\xff\xd8\xff" * 9,
    ],
)
def test_what_only_begins_like_a_picture_is_refused(content):
    with pytest.raises(BrokenPicture):
        uploads.content_type(content)


@given(st.binary(max_size=60))
def test_any_bytes_behind_the_beginning_of_a_picture_are_looked_at_to_their_end(rest):
    for beginning in (PNG[:8], JPEG[:3]):
        with suppress(BrokenPicture):
            uploads.content_type(beginning + rest)


@given(st.text(max_size=400))
def test_any_name_is_made_safe(given_name):
    name = uploads.safe_name(given_name, uploads.PDF)
    assert name.endswith(".pdf")
    assert 4 < len(name) <= uploads.LONGEST_NAME + 4
    assert not set(name) & set('/\\\x00\r\n"<>:|?*%;\u202e')
    name.encode()


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\papers\\a.pdf", "a.pdf"),
        (None, "document.pdf"),
        ("检测报告\u202efdp.exe", "检测报告fdp.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie x.pdf"),
    ],
)
def test_a_path_and_control_characters_are_no_part_of_a_name(given_name, kept):
    assert uploads.safe_name(given_name, uploads.PDF) == kept


@pytest.mark.slow
def test_looking_at_a_bomb_takes_no_memory():
    """A hundred megabytes of zeros packed into an office file, and an archive of very many parts, are known by their bytes alone."""
    program = (
        "import sys, resource\n"
        "from shop.core import uploads\n"
        "content = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "uploads.content_type(content)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    bomb = archive("[Content_Types].xml", "xl/workbook.xml", padding=100 * 2**20)
    crowd = archive("xl/workbook.xml", *(f"p{number}" for number in range(60_000)))
    assert len(bomb) < 2**20
    for content in (bomb, crowd):
        done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True, timeout=60)
        assert int(done.stdout) < 30 * 1024  # kilobytes
