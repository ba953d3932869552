"""Many invoices as one ZIP."""

import io
import zipfile
from typing import Any

from fastapi.responses import Response
from sqlmodel import Session

from orders.invoices import queries, ubl
from orders.invoices.pdf import invoice_pdf
from orders.invoices.schemas import InvoiceFilter
from shop.core.errors import Language
from shop.core.exports import File
from shop.identity.actor import Actor

#: Each is printed for the answer, so that a larger bundle would take too long for one request.
MOST = 100
ZIP_ANSWER: dict[int | str, Any] = {200: {"description": "The ZIP", "content": {"application/zip": {}}}}


def answer(session: Session, actor: Actor, asked: InvoiceFilter, language: Language) -> Response:
    """The newest invoices of a list, each as PDF, UBL and JSON."""
    content = io.BytesIO()
    rows = queries.invoices(session, actor, asked, limit=MOST, after=None).items
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
        for row in rows:
            shown = queries.invoice(session, actor, row.id, language)
            printed = shown if language == "zh" else queries.invoice(session, actor, row.id, "zh")
            bundle.writestr(f"{shown.number}.pdf", invoice_pdf(shown, language))
            bundle.writestr(f"{shown.number}.xml", ubl.invoice(printed))
            bundle.writestr(f"{shown.number}.json", shown.model_dump_json(indent=1))
    return File(content.getvalue(), "application/zip", "invoices.zip", rows)
