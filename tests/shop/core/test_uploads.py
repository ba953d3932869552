"""Uploaded files are known by their content, named safely, and never unpacked."""

import io
import re
import subprocess
import sys
import time
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfWriter
from pypdf.actions import JavaScript
from pypdf.generic import ArrayObject, Destination, DictionaryObject, Fit, NameObject, TextStringObject

from shop.core import uploads
from shop.core.uploads import BrokenPdf, BrokenPicture, UnpacksTooLarge, UnreadableFile
from tests.factories.catalog import PDF
from tests.factories.pictures import JPEG, PNG

#: As newer programs write one: the list of its objects is an object itself.
STREAMED = b"%PDF-1.7\n1 0 obj\n<< /Type /XRef /W [1 1 1] /Size 1 /Root 1 0 R /Length 0 >>\nstream\n\nendstream\nendobj\nstartxref\n9\n%%EOF"


def archive(*parts, padding=0):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for part in parts:
            made.writestr(part, b"\0" * padding if padding else "x")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (PDF, ".pdf"),
        (PDF + b"\r\n" + bytes(900), ".pdf"),
        (STREAMED, ".pdf"),
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


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7\n" + bytes(range(256)) * 40,
        b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n",
        PDF[: len(PDF) // 2],
        PDF[: PDF.rindex(b"%%EOF")],
        PDF.replace(b"trailer", b"tractor"),
        STREAMED.replace(b"/XRef", b"/Xray"),
        STREAMED.replace(b"\n9\n", b"\n" + b"9" * 5_000 + b"\n"),
    ],
)
def test_what_only_begins_like_a_pdf_is_refused(content):
    with pytest.raises(BrokenPdf):
        uploads.content_type(content)


def test_a_list_that_begins_elsewhere_than_is_said_is_looked_for_by_readers():
    for content in (STREAMED, PDF):
        assert uploads.content_type(content.replace(b"startxref\n", b"startxref\n7")) == uploads.PDF


def _pdf(change=None, *, packed=True):
    """A PDF of one page as pypdf writes it; ``packed``: its objects within one another, as most programs do now."""
    made, content = PdfWriter(), io.BytesIO()
    made.add_blank_page(72, 72)
    if change:
        change(made)
    made.write(content)
    return _packed(content.getvalue()) if packed else content.getvalue()


def _packed(content, filters="/FlateDecode"):
    """The same with all its objects within one that is packed."""
    objects = re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", content, re.DOTALL)
    plain = [(number, body) for number, body in objects if b"stream\n" not in body]
    loose = [b"%s 0 obj\n%s\nendobj\n" % each for each in objects if each not in plain]
    places, bodies = [], b""
    for number, body in plain:
        places.append(b"%s %d" % (number, len(bodies)))
        bodies += body + b"\n"
    head = b" ".join(places) + b"\n"
    inner = zlib.compress(head + bodies)
    told = f"<< /Type /ObjStm /N {len(plain)} /First {len(head)} /Filter {filters} /Length {len(inner)} >>".encode()
    pack = b"90 0 obj\n" + told + b"\nstream\n" + inner + b"\nendstream\nendobj\n"
    return b"%PDF-1.7\n" + b"".join(loose) + pack + STREAMED[STREAMED.index(b"1 0 obj") :]


def _with_action(action):
    def change(made):
        made.root_object[NameObject("/OpenAction")] = DictionaryObject(
            {NameObject("/S"): NameObject(action), NameObject("/JS"): TextStringObject("app.alert(1)")}
        )

    return change


def _with_tree_of_scripts(made):
    made.root_object[NameObject("/Names")] = DictionaryObject(
        {NameObject("/JavaScript"): made._add_object(DictionaryObject({NameObject("/Names"): ArrayObject()}))}
    )


def _opened_at_its_first_page(made):
    made.open_destination = Destination("first", made.pages[0].indirect_reference, Fit.fit())
    made.add_metadata({"/Title": "HTML/CSS/JavaScript (/S/JavaScripts)", "/Subject": "/Launch"})
    made.add_outline_item(title="一", page_number=0)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.add_open_action(JavaScript("app.alert(1)")),
        _with_tree_of_scripts,
        _with_action("/JavaScript"),
        _with_action("/Launch"),
        _with_action("/Rendition"),
    ],
)
def test_a_pdf_that_runs_something_is_refused(change, packed):
    with pytest.raises(uploads.ScriptedPdf):
        uploads.content_type(_pdf(change, packed=packed))


def test_a_name_may_be_written_by_the_numbers_of_its_signs():
    content = _pdf(_with_action("/JavaScript"), packed=False)
    assert b"/S /JavaScript" in content
    for written in (b"/S /J#61vaScript", b"/#53%x\n/JavaScrip#74", b"/S" + b"%x\r\n" * 50 + b"/JavaScript", b"/S/JavaScript"):
        with pytest.raises(uploads.ScriptedPdf):
            uploads.content_type(content.replace(b"/S /JavaScript", written))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "fine"), [("成绩.exe", False), ("a.pdf", False), ("a.xml.exe", False), ("发票.xml", True), ("voucher.XBRL", True)]
)
def test_a_pdf_that_carries_files_is_refused_but_for_the_data_of_a_voucher(name, fine, packed):
    content = _pdf(lambda made: made.add_attachment(name, b"data"), packed=packed)
    if fine:
        assert uploads.content_type(content) == uploads.PDF
    else:
        with pytest.raises(uploads.PdfWithFiles):
            uploads.content_type(content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("change", [None, _opened_at_its_first_page])
def test_how_a_pdf_is_shown_is_no_script(change, packed):
    assert uploads.content_type(_pdf(change, packed=packed)) == uploads.PDF


def test_objects_packed_as_nobody_packs_them_are_refused():
    with pytest.raises(BrokenPdf):
        uploads.content_type(_packed(_pdf(packed=False)).replace(zlib.compress(b"")[:1] + b"\x9c", b"zz"))


def test_a_pdf_that_fills_the_memory_is_refused():
    inner = zlib.compress(bytes(70 * 2**20))
    pack = b"2 0 obj\n<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + inner + b"\nendstream\nendobj\n"
    with pytest.raises(UnpacksTooLarge):
        uploads.content_type(STREAMED.replace(b"1 0 obj", pack + b"1 0 obj"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "filling",
    [
        b"/S%" + b"a" * 9,
        b"/S" + b" " * 60,
        b"/EF<<",
        b"/EF<</F(",
        b"/EF<</F(a.xml)",
        b"obj /ObjStm /Filter stream\n" + zlib.compress(b"") + b" ",
    ],
)
def test_looking_through_a_pdf_takes_no_long_time(filling):
    begin = time.process_time()
    with suppress(uploads.ScriptedPdf, uploads.PdfWithFiles, UnpacksTooLarge, BrokenPdf):
        uploads.content_type(STREAMED.replace(b"1 0 obj", filling * (20 * 2**20 // len(filling)) + b"\n1 0 obj"))
    assert time.process_time() - begin < 10


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_of_a_pdf_are_looked_at_to_their_end(middle, rest):
    with suppress(BrokenPdf):
        uploads.content_type(b"%PDF-" + middle + b"startxref\n5\n%%EOF" + rest)


@pytest.mark.parametrize("part", ["word/document.xml", "xl/workbook.xml"])
def test_an_office_file_that_fills_the_memory_of_whoever_opens_it_is_refused(part):
    with pytest.raises(UnpacksTooLarge):
        uploads.content_type(archive("[Content_Types].xml", part, padding=60 * 2**20))
    uploads.content_type(archive("[Content_Types].xml", part, padding=2**20))


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
    """Much packed into an office file, and an archive of very many parts, are known by their bytes alone."""
    program = (
        "import sys, resource\n"
        "from shop.core import uploads\n"
        "content = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: uploads.content_type(content)\n"
        "except uploads.UnpacksTooLarge: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    bomb = archive("[Content_Types].xml", "xl/workbook.xml", padding=100 * 2**20)
    crowd = archive("xl/workbook.xml", *(f"p{number}" for number in range(60_000)))
    assert len(bomb) < 2**20
    for content in (bomb, crowd):
        done = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True, timeout=60)
        assert int(done.stdout) < 30 * 1024  # kilobytes
