"""Papers as PDF. What somebody wrote goes into a template as data and is shown as text, never read as markup."""

import io
import json
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi.responses import Response

from shop.core.glyphs import drawable

if TYPE_CHECKING:
    from typst import Compiler

#: How a route documents that it answers with a PDF.
PDF_ANSWER: dict[int | str, Any] = {200: {"description": "The PDF", "content": {"application/pdf": {}}}}


#: Held while a compiler is looked up or made.
_FINDING = Lock()


@lru_cache
def _compiler(template: Path) -> tuple["Compiler", Lock]:
    # in memory from the first paper that is printed on; most processes never print one
    import pylopdf_fonts_zh_cn as fonts
    import typst

    return typst.Compiler(str(template), font_paths=[str(Path(fonts.serif_path()).parent)], ignore_system_fonts=True), Lock()


def qr_svg(content: str) -> str:
    """A QR code as SVG."""
    import segno

    code = io.BytesIO()
    segno.make(content, error="m").save(code, kind="svg", scale=4, border=1)
    return code.getvalue().decode()


def pdf(template: Path, content: Any, qr: str | None = None) -> bytes:
    """A template filled with ``content`` (``sys.inputs.it``, as JSON) and, if there is one, a QR code (``sys.inputs.qr``, as SVG). Signs that no font has
    are replaced by a mark (:func:`shop.core.glyphs.drawable`)."""
    inputs = {"it": json.dumps(drawable(content), ensure_ascii=False), **({"qr": qr_svg(qr)} if qr is not None else {})}
    with _FINDING:
        compiler, one_at_a_time = _compiler(template)
    with one_at_a_time:  # a compiler refuses two papers at once
        made = compiler.compile(format="pdf", sys_inputs=inputs)
    assert isinstance(made, bytes)
    return made


def pdf_answer(content: bytes, name: str) -> Response:
    """The answer that holds a PDF, to be saved under ``name``."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": disposition})
