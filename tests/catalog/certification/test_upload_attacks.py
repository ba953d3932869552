"""Files that are made to hurt: each is refused with a clear code, in seconds, with little memory, and nothing of it is kept."""

import functools
import io
import itertools
import resource
import subprocess
import sys
import zipfile

import pytest

from shop.core import sheet_reader
from tests.factories.catalog import PDF

SPREADSHEETS = ["/v1/certification-cases/from-spreadsheet", "/v1/certification-cases/{case}/households/spreadsheet"]
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    "</Types>"
)
_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>'
)
_BOOK = (
    '<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_SHEET = '<?xml version="1.0"?>{doctype}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


def workbook(rows, doctype=""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("[Content_Types].xml", _TYPES)
        made.writestr("_rels/.rels", _RELS.format(kind="officeDocument", target="xl/workbook.xml"))
        made.writestr("xl/workbook.xml", _BOOK)
        made.writestr("xl/_rels/workbook.xml.rels", _RELS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        with made.open("xl/worksheets/sheet1.xml", "w") as sheet:
            head, tail = _SHEET.format(doctype=doctype, rows="\n").split("\n", 1)
            sheet.write(head.encode())
            rows = iter(rows)
            while some := "".join(itertools.islice(rows, 20_000)):
                sheet.write(some.encode())
            sheet.write(tail.encode())
    return content.getvalue()


def text_row(number, *cells):
    return f'<row r="{number}">' + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"


#: A document type that unfolds to gigabytes for a reader that follows it.
_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "'
    + "ha" * 50
    + '">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 50}">' for n in range(6))
    + "]>"
)


@functools.cache
def attacks():
    return list(_attacks())


def _attacks():
    yield "a million rows", workbook(text_row(number, "x") for number in range(1, 1_000_001))
    yield "a bomb", workbook([text_row(1, "x" * (150 * 2**20))])
    yield "a cell at the far end", workbook(['<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'])
    yield "a document type", workbook([text_row(1, "&g;")], doctype=_LAUGHS)
    yield "formulas", workbook([text_row(1, "姓名"), '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>'])
    yield "half a file", workbook([text_row(1, "x" * 5000)])[:-200]
    yield "a program", b"MZ\x90\x00" + b"\x00" * 4000
    yield "an archive of something else", zipped("evil.exe")
    yield "no text", b"\xff\xfe\x00\x01\x02" * 200
    yield "zeros", bytes(5000)
    yield "nothing", b""
    yield "a wide row", ("," * 3_000_000).encode()
    yield "a formula in a CSV", "姓名,身份证号\n=cmd|' /C calc'!A0,1\n".encode()


def zipped(*names):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return content.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("path", SPREADSHEETS)
def test_crafted_spreadsheets_are_refused_in_seconds_with_little_memory(office, path):
    case_id = office.case("draft")
    before = office.count("SELECT (SELECT count(*) FROM product) + (SELECT count(*) FROM household_member)")
    client, at = office.as_("supplier"), path.format(case=case_id)
    made = attacks()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, content in made:
        answer = client.post(at, files={"file": ("../../etc/名单.xlsx", content)}, data={"dry_run": "false"}, timeout=10)
        assert 400 <= answer.status_code < 500, (name, answer.status_code)
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.json()["code"] != "http_400", name
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    assert grown < 128 * 1024  # kilobytes
    after = office.count("SELECT (SELECT count(*) FROM product) + (SELECT count(*) FROM household_member)")
    assert after == before


#: Starts the reader from a small process, and tells how much memory it took at its peak, in kilobytes.
_MEASURED = (
    "import resource, subprocess, sys\n"
    "subprocess.run([sys.executable, '-I', sys.argv[1]], stdin=open(sys.argv[2], 'rb'), capture_output=True)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
)


@pytest.mark.slow
def test_the_reader_of_spreadsheets_stays_within_its_memory(tmp_path):
    for name, content in attacks():
        file = tmp_path / "attack.xlsx"
        file.write_bytes(content)
        done = subprocess.run([sys.executable, "-c", _MEASURED, sheet_reader.__file__, str(file)], capture_output=True, check=True)
        assert 0 < int(done.stdout) < 256 * 1024, name


@pytest.mark.parametrize("kind", ["test_report", "household_evidence"])
def test_papers_of_a_wrong_type_are_refused_and_names_are_made_safe(office, kind):
    case_id = office.case("draft")
    client, at = office.as_("supplier"), f"/v1/certification-cases/{case_id}/documents"
    for name, content in [
        ("a.pdf", b"MZ\x90"),
        ("a.pdf", b"<html><script>1</script>"),
        ("a.docx", zipped("word/evil.xml")),
        ("a.svg", b"<svg onload='1'/>"),
    ]:
        answer = client.post(at, data={"kind": kind, "issued_on": "2026-11-01"}, files={"file": (name, content)}, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (422, "file_type_not_accepted")
        assert answer.json()["errors"][0]["field"] == "file"
    answer = client.post(at, data={"kind": kind, "issued_on": "2026-11-01"}, files={"file": ("a.pdf", b"")}, timeout=10)
    assert (answer.json()["code"], answer.json()["errors"][0]["field"]) == ("file_empty", "file")
    for name, kept in [("../../../etc/passwd", "passwd.pdf"), ("C:\\x\\报告.exe", "报告.pdf"), ("a\u202egpj.pdf", "agpj.pdf")]:
        answer = client.post(at, data={"kind": kind, "issued_on": "2026-11-01"}, files={"file": (name, PDF)}, timeout=10)
        assert answer.status_code == 201, answer.text
        document = answer.json()["documents"][-1]
        assert document["name"] == kept
        served = client.get(f"/v1/certification-documents/{document['id']}")
        assert served.headers["content-disposition"].startswith("attachment;")
        assert served.headers["x-content-type-options"] == "nosniff"
    for name, content, refusal in [
        ("a.pdf", b"%PDF-1.7\n", "broken_pdf"),
        ("a.pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40, "broken_pdf"),
        ("a.xlsx", workbook([text_row(1, "x" * (150 * 2**20))]), "file_unpacks_too_large"),
    ]:
        answer = client.post(at, data={"kind": kind, "issued_on": "2026-11-01"}, files={"file": (name, content)}, timeout=10)
        assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["field"]) == (422, refusal, "file")
    too_large = client.post(at, data={"kind": kind}, files={"file": ("a.pdf", b"%PDF-" + bytes(21 * 2**20))}, timeout=10)
    assert (too_large.status_code, too_large.json()["code"]) == (413, "too_large")
