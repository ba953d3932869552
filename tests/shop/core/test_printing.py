import io
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ContentStream

from shop.core import glyphs, printing, uploads


def test_many_papers_at_once(tmp_path: Path):
    template = tmp_path / "paper.typ"
    template.write_text("#let it = json(bytes(sys.inputs.it))\n#for line in it.lines [#line #parbreak()]\n")

    def make(number):
        return printing.pdf(template, {"lines": [f"第 {number} 页"] * 200})

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(24)))
    assert {uploads.content_type(each) for each in made} == {uploads.PDF}, "what we print is a paper when it is sent in"


def test_what_no_font_has_is_marked_and_never_an_empty_box(tmp_path: Path):
    template = tmp_path / "paper.typ"
    template.write_text('#let it = json(bytes(sys.inputs.it))\n#set text(font: "Noto Serif SC")\n#it.name #it.rows.at(0).at(0)\n')
    printed = lambda name: printing.pdf(template, {"name": name, "rows": [[name, 1, None]]})  # noqa: E731
    assert printed("奉节😀脐橙店") == printed("奉节〓脐橙店")
    assert printed("奉节😀脐橙店") != printed("奉节脐橙店")


def _glyphs(paper: bytes) -> list[int]:
    """The glyphs of the first page, as its fonts number them: 0 is the box of what a font lacks."""
    page = PdfReader(io.BytesIO(paper)).pages[0]
    drawn = []
    for operands, operator in ContentStream(page.get_contents(), page.pdf).operations:
        if operator in (b"Tj", b"TJ"):
            for piece in operands[0] if operator == b"TJ" else operands:
                if isinstance(piece, str | bytes):
                    codes = piece if isinstance(piece, bytes) else piece.original_bytes
                    drawn += [int.from_bytes(codes[place : place + 2]) for place in range(0, len(codes), 2)]
    return drawn


@pytest.mark.parametrize("font", ["Noto Serif SC", "Noto Sans SC"])
@pytest.mark.parametrize("name", ["龚䶮", "𬭚铁村", "㙍头村", "㟃埂", "𪨰底", "赵喆堃昪", "㐂㵲㛃㽏𪩘"])
def test_rare_signs_of_names_are_drawn(tmp_path: Path, font, name):
    template = tmp_path / "paper.typ"
    template.write_text(f'#let it = json(bytes(sys.inputs.it))\n#set text(font: "{font}")\n#it.name\n')
    paper = printing.pdf(template, {"name": name})
    glyphs_drawn = _glyphs(paper)
    assert len(glyphs_drawn) == len(set(glyphs_drawn)) == len(name)
    assert 0 not in glyphs_drawn
    assert PdfReader(io.BytesIO(paper)).pages[0].extract_text().strip() == name


def test_a_box_would_be_seen(tmp_path: Path):
    template = tmp_path / "paper.typ"
    template.write_text('#set text(font: "Noto Serif SC", fallback: false)\n\\u{20BB7}\n')
    assert 0 in _glyphs(printing.pdf(template, {}))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("奉节脐橙 5kg/箱", "奉节脐橙 5kg/箱"),
        ("😀脐橙👍🏽", "〓脐橙〓"),
        ("👨\u200d👩\u200d👧一家 ❤️", "〓一家 〓"),
        # rare signs of names: one that the fonts have, and one that they lack
        ("\U0002cc56\U00020bb7", "\U0002cc56〔U+20BB7〕"),
        ("한", "〔U+D55C〕"),
        ("第一行\n第二行\t完\u00a0", "第一行\n第二行\t完\u00a0"),
        ("\ufeff标\u202e题\u200b", "标题"),
        ("\ue000", "〓"),
        ("−×…·³²№℃¥￥（）〇①①ﾊéЖΩ", "−×…·³²№℃¥￥（）〇①①ﾊéЖΩ"),
    ],
)
def test_signs_as_papers_show_them(written, shown):
    assert glyphs.drawable({"a": [written, 1, None, True]}) == {"a": [shown, 1, None, True]}


@given(st.text())
def test_whatever_is_written_is_drawn(written):
    """Twice is as once, and all of it is there for the fonts."""
    shown = glyphs.drawable(written)
    assert glyphs.drawable(shown) == shown
    assert all(glyphs.has(ord(sign)) or unicodedata.category(sign)[0] in "CZ" for sign in shown)


def test_the_labels_of_papers_are_in_the_fonts():
    """What stands in a template is not looked at when it is printed."""
    root = Path(printing.__file__).parents[2]
    lacking = {
        sign
        for template in [*root.glob("orders/*/*.typ"), *root.glob("catalog/*/*.typ")]
        for sign in template.read_text()
        if not glyphs.has(ord(sign)) and sign != "\n"
    }
    assert lacking == set()
