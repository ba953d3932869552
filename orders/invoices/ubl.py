"""Invoices and credit notes as UBL 2.1, with the business terms of EN 16931 (BT-…) in the places where its UBL syntax binding has them.

Prices of the marketplace hold their VAT, so a net unit price is derived and need not be round; its base quantity is the line's, so that
price times quantity is the line's net amount to the fen. VAT is taken from the gross of each line and summed, never from a sum.
"""

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import quote

from fastapi.responses import Response

from orders.invoices.schemas import CreditNoteOut, InvoiceOut, PartyOut
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain

XML_ANSWER: dict[int | str, Any] = {200: {"description": "UBL 2.1", "content": {"application/xml": {}}}}

_NS = "urn:oasis:names:specification:ubl:schema:xsd:"
_CBC, _CAC = f"{_NS}CommonBasicComponents-2", f"{_NS}CommonAggregateComponents-2"
#: UNTDID 1001: a commercial invoice, a credit note.
_INVOICE, _CREDIT_NOTE = "380", "381"
#: UN/ECE Recommendation 20; what is not here is counted in pieces.
_UNITS = {"kg": "KGM", "g": "GRM", "t": "TNE", "box": "XBX", "bag": "XBG", "bottle": "XBO", "piece": "H87", "person": "IE"}
_PIECES = "H87"
#: UNTDID 5305: standard rate, exempt.
_RATED, _EXEMPT = "S", "E"
for _prefix, _space in (("cbc", _CBC), ("cac", _CAC), ("invoice", f"{_NS}Invoice-2"), ("credit", f"{_NS}CreditNote-2")):
    ET.register_namespace(_prefix, _space)


def invoice(it: InvoiceOut) -> bytes:
    """The document of an invoice."""
    root = _document("Invoice", it, _INVOICE)
    _add(root, _CAC, "OrderReference", ("ID", it.purchase_order_number))  # BT-13
    _body(root, it, "InvoiceLine", "InvoicedQuantity")
    return _bytes(root)


def credit_note(it: CreditNoteOut) -> bytes:
    """The document of a credit note; its amounts are what is taken back, above zero."""
    root = _document("CreditNote", it, _CREDIT_NOTE)
    reference = ET.SubElement(root, f"{{{_CAC}}}BillingReference")
    _add(reference, _CAC, "InvoiceDocumentReference", ("ID", it.invoice_number))  # BT-25
    _body(root, it, "CreditNoteLine", "CreditedQuantity")
    return _bytes(root)


def answer(content: bytes, number: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(number)}.xml"}
    return Response(content, media_type="application/xml", headers=headers)


def _document(name: str, it: Any, kind: str) -> ET.Element:
    root = ET.Element(f"{{{_NS}{name}-2}}{name}")
    _value(root, "UBLVersionID", "2.1")
    _value(root, "ID", it.number)  # BT-1
    _value(root, "IssueDate", it.issued_on.isoformat())  # BT-2
    _value(root, f"{name}TypeCode", kind)  # BT-3
    if it.note:
        _value(root, "Note", it.note)  # BT-22
    _value(root, "DocumentCurrencyCode", "CNY")  # BT-5
    return root


def _body(root: ET.Element, it: Any, line_name: str, quantity_name: str) -> None:
    _party(root, "AccountingSupplierParty", it.seller)
    _party(root, "AccountingCustomerParty", it.buyer)
    _tax(root, it)
    total = ET.SubElement(root, f"{{{_CAC}}}LegalMonetaryTotal")
    for name, fen in (
        ("LineExtensionAmount", it.net),  # BT-106
        ("TaxExclusiveAmount", it.net),  # BT-109
        ("TaxInclusiveAmount", it.gross),  # BT-112
        ("PayableAmount", it.gross),  # BT-115
    ):
        _amount(total, name, fen)
    for line in it.lines:
        _line(root, line, line_name, quantity_name)


def _party(root: ET.Element, name: str, side: PartyOut) -> None:
    party = ET.SubElement(ET.SubElement(root, f"{{{_CAC}}}{name}"), f"{{{_CAC}}}Party")
    address = ET.SubElement(party, f"{{{_CAC}}}PostalAddress")
    if side.address:
        _value(address, "StreetName", side.address)  # BT-35, BT-50
    _add(address, _CAC, "Country", ("IdentificationCode", "CN"))  # BT-40, BT-55
    scheme = ET.SubElement(party, f"{{{_CAC}}}PartyTaxScheme")
    _value(scheme, "CompanyID", side.uscc)  # BT-31, BT-48
    _add(scheme, _CAC, "TaxScheme", ("ID", "VAT"))
    legal = ET.SubElement(party, f"{{{_CAC}}}PartyLegalEntity")
    _value(legal, "RegistrationName", side.name)  # BT-27, BT-44
    _value(legal, "CompanyID", side.uscc)  # BT-30, BT-47


def _tax(root: ET.Element, it: Any) -> None:
    """One subtotal for each rate and each reason of an exemption (BG-23)."""
    total = ET.SubElement(root, f"{{{_CAC}}}TaxTotal")
    _amount(total, "TaxAmount", it.vat)  # BT-110
    groups: dict[tuple[int, str], list[Any]] = {}
    for line in it.lines:
        groups.setdefault((line.vat_bp, line.exemption.code if line.exemption else ""), []).append(line)
    for (vat_bp, _), lines in sorted(groups.items()):
        subtotal = ET.SubElement(total, f"{{{_CAC}}}TaxSubtotal")
        _amount(subtotal, "TaxableAmount", sum(line.net for line in lines))  # BT-116
        _amount(subtotal, "TaxAmount", sum(line.vat for line in lines))  # BT-117
        _category(subtotal, "TaxCategory", vat_bp, lines[0].exemption)


def _category(parent: ET.Element, name: str, vat_bp: int, exemption: Any = None) -> None:
    category = ET.SubElement(parent, f"{{{_CAC}}}{name}")
    _value(category, "ID", _RATED if vat_bp else _EXEMPT)  # BT-118, BT-151
    _value(category, "Percent", f"{vat_bp // 100}.{vat_bp % 100:02d}")  # BT-119, BT-152
    if exemption:
        _value(category, "TaxExemptionReason", f"{exemption.label}（{exemption.source}）")  # BT-120
    _add(category, _CAC, "TaxScheme", ("ID", "VAT"))


def _line(root: ET.Element, line: Any, line_name: str, quantity_name: str) -> None:
    element = ET.SubElement(root, f"{{{_CAC}}}{line_name}")
    # a reduction of the price takes back no quantity: it is one of its amount
    quantity, unit = (plain(line.quantity), _UNITS.get(line.unit or "", _PIECES)) if line.quantity else ("1", "LS")
    _value(element, "ID", str(line.line_no))  # BT-126
    _value(element, quantity_name, quantity, unitCode=unit)  # BT-129, BT-130
    _amount(element, "LineExtensionAmount", line.net)  # BT-131
    item = ET.SubElement(element, f"{{{_CAC}}}Item")
    if line.pack:
        _value(item, "Description", line.pack)  # BT-154
    _value(item, "Name", line.name)  # BT-153
    if line.sku_code:
        _add(item, _CAC, "SellersItemIdentification", ("ID", line.sku_code))  # BT-155
    _category(item, "ClassifiedTaxCategory", line.vat_bp)
    price = ET.SubElement(element, f"{{{_CAC}}}Price")
    _amount(price, "PriceAmount", line.net)  # BT-146, for the base quantity
    _value(price, "BaseQuantity", quantity, unitCode=unit)  # BT-149


def _add(parent: ET.Element, space: str, name: str, *values: tuple[str, str]) -> None:
    element = ET.SubElement(parent, f"{{{space}}}{name}")
    for child, content in values:
        _value(element, child, content)


def _value(parent: ET.Element, name: str, content: str, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{_CBC}}}{name}", attributes).text = _printable(content)


def _amount(parent: ET.Element, name: str, fen: int) -> None:
    _value(parent, name, yuan_from_fen(fen), currencyID="CNY")


def _printable(content: str) -> str:
    """XML 1.0 has no control characters but three, and no noncharacters."""
    return "".join(c for c in content if (c >= " " or c in "\t\n\r") and c not in "\ufffe\uffff")


def _bytes(root: ET.Element) -> bytes:
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
