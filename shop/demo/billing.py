"""What the demo's suppliers invoiced of two years of deliveries, by the rules of the own books, and the tax invoices that they registered.

Nearly all of it is in order. What is not, the lists of what is open and the page of accounts that tie show: deliveries that nobody has invoiced yet,
orders of which the second delivery is not invoiced, invoices without a tax invoice.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.invoices import rules
from orders.invoices.states import InvoiceStatus
from orders.tax_invoices.rules import TaxInvoiceType
from orders.tax_invoices.states import TaxInvoiceStatus
from shop.core import clock, numbers
from shop.core.money import vat_in_gross
from shop.demo.history import SELLER
from shop.demo.people import DEMO_BUYER, DEMO_SUPPLIER, People
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.programmes import queries as programmes
from shop.programmes.invoicing import Exemption, Ground, grounds_on

#: Of so many parts of orders one is not invoiced; of so many invoices one has no tax invoice; of so many second deliveries one is not invoiced.
_OPEN, _UNREGISTERED, _HALF = 60, 50, 6
#: The demo's supplier leaves more of them open, so that there is always something to invoice.
_OPEN_OF_DEMO = 12
#: Days from the last delivery to the invoice, and how often.
_DAYS, _HOW_OFTEN = (0, 1, 2, 4), (80, 12, 5, 3)
#: What sellers say who are not presumed to be exempt.
SAID = (Exemption.VEGETABLES, Exemption.MEAT_AND_EGGS, Exemption.SELF_PRODUCED, Exemption.SMALL_SCALE)

_ACCEPTED = text(
    """
    SELECT so.id AS part_id, so.purchase_order_id, so.supplier_id, po.buyer_id, po.ordering_unit_id, a.id AS acceptance_id, a.accepted_at,
           l.id AS order_line_id, e.id AS sale_entry_id, e.quantity, e.amount_fen, l.vat_bp, l.unit_price_fen, p.kind AS product_kind, p.category,
           p.name, k.code, k.pack, k.unit
    FROM supplier_order so JOIN purchase_order po ON po.id = so.purchase_order_id JOIN acceptance a ON a.supplier_order_id = so.id
    JOIN acceptance_line al ON al.acceptance_id = a.id JOIN order_line l ON l.id = al.order_line_id
    JOIN sale_entry e ON e.origin_kind = 'acceptance_line' AND e.origin_id = al.id AND e.amount_fen > 0
    JOIN sku k ON k.id = l.sku_id JOIN product p ON p.id = l.product_id
    WHERE so.status = 'accepted' ORDER BY so.id, a.accepted_at, a.id, l.line_no
    """
)
_SIDES = text(
    "SELECT id, name, kind, jsonb_build_object('name', name, 'uscc', uscc, 'address', address)::text AS said FROM organisation"
)


@dataclass(frozen=True, slots=True)
class _Bill:
    """What one invoice is made of: lines of one part of an order."""

    issued_at: datetime
    lines: Sequence[Any]

    @property
    def part(self) -> Any:
        return self.lines[0]


class Billing:
    """Invoices what was accepted up to ``today``; the sales are in the ledger before."""

    def __init__(self, session: Session, trail: Trail, people: People, chance: random.Random, today: date) -> None:
        self.session, self.trail, self.chance, self.today = session, trail, chance, today
        self.users = {supplier.id: supplier.user_id for supplier in people.suppliers.values()}
        self.sides = {row.id: row for row in session.execute(_SIDES)}
        self.grounds: dict[date, list[Ground]] = {}
        self.invoices = Table(
            session,
            "invoice",
            "number seller_id year serial buyer_id ordering_unit_id purchase_order_id supplier_order_id seller buyer issued_on issued_at issued_by"
            " line_count gross_fen vat_fen status sent_at sent_by credited_fen version",
        )
        self.lines = Table(
            session,
            "invoice_line",
            "invoice_id line_no kind supplier_order_id sale_entry_id acceptance_id order_line_id name sku_code pack unit quantity unit_price_fen"
            " amount_fen vat_bp vat_fen exemption returned_quantity returned_fen reduced_fen",
        )
        self.tax_invoices = Table(
            session,
            "tax_invoice",
            "number type red issued_on gross_fen vat_fen seller_id buyer_id ordering_unit_id status registered_by registered_at",
        )
        self.covers = Table(session, "tax_invoice_cover", "tax_invoice_id supplier_order_id invoice_id")
        #: Serials by seller and year, and those of the tax authority by year.
        self.serials: Counter[tuple[int, int]] = Counter()
        self.numbers: Counter[int] = Counter()

    def write(self) -> int:
        """Everything; returns how many invoices."""
        bills = sorted(self._bills(), key=lambda bill: (bill.issued_at, bill.part.part_id))
        for bill in bills:
            self._invoice(bill)
        for (seller_id, year), count in sorted(self.serials.items()):
            numbers.next_numbers(self.session, f"invoice:{seller_id}:{year}", count)
        write_all(self.session, [self.invoices, self.lines, self.tax_invoices, self.covers])
        return len(bills)

    def _bills(self) -> Iterator[_Bill]:
        now = clock.start_of_day(self.today)
        accepted = self.session.execute(_ACCEPTED)
        parts = [list(lines) for _, lines in groupby(accepted, key=lambda row: row.part_id)]
        waiting = self._waiting(parts)
        for lines in parts:
            delay = timedelta(days=self.chance.choices(_DAYS, _HOW_OFTEN)[0], minutes=self.chance.randint(10, 50))
            is_open, is_half = (not self.chance.randrange(one_in) for one_in in (self._one_in(lines[0].supplier_id), _HALF))
            if is_open or lines[0].part_id in waiting:
                continue
            first = [line for line in lines if line.acceptance_id == lines[0].acceptance_id]
            bill = first if is_half else lines
            if (issued_at := bill[-1].accepted_at + delay) < now:
                yield _Bill(issued_at, bill)

    def _one_in(self, supplier_id: int) -> int:
        return _OPEN_OF_DEMO if self.sides[supplier_id].name == DEMO_SUPPLIER else _OPEN

    def _waiting(self, parts: Sequence[Sequence[Any]]) -> set[int]:
        """The newest part to the demo's school of the demo's supplier, and of the others: finance looks at what comes of it by hand."""
        newest: dict[bool, tuple[datetime, int]] = {}
        for lines in parts:
            last = lines[-1]
            if self.sides[last.buyer_id].name == DEMO_BUYER:
                own = self.sides[last.supplier_id].name == DEMO_SUPPLIER
                newest[own] = max(newest.get(own, (last.accepted_at, 0)), (last.accepted_at, last.part_id))
        return {part_id for _, part_id in newest.values()}

    def _invoice(self, bill: _Bill) -> None:
        part, at, user_id = bill.part, bill.issued_at, self.users[bill.part.supplier_id]
        on = clock.shanghai_date(at)
        self.serials[part.supplier_id, on.year] += 1
        serial, invoice_id = self.serials[part.supplier_id, on.year], self.invoices.next_id
        gross = vat = 0
        for number, line in enumerate(bill.lines, start=1):
            vat_fen = vat_in_gross(line.amount_fen, line.vat_bp)
            gross, vat = gross + line.amount_fen, vat + vat_fen
            self.lines.add(
                invoice_id,
                number,
                "goods",
                line.part_id,
                line.sale_entry_id,
                line.acceptance_id,
                line.order_line_id,
                line.name,
                line.code,
                line.pack,
                line.unit,
                line.quantity,
                line.unit_price_fen,
                line.amount_fen,
                line.vat_bp,
                vat_fen,
                None if line.vat_bp else self._exemption(line, on),
                0,
                0,
                0,
            )
        self.invoices.add(
            f"FP{on.year}-{part.supplier_id:06}-{serial:06}",
            part.supplier_id,
            on.year,
            serial,
            part.buyer_id,
            part.ordering_unit_id,
            part.purchase_order_id,
            part.part_id,
            self.sides[part.supplier_id].said,
            self.sides[part.buyer_id].said,
            on,
            at,
            user_id,
            len(bill.lines),
            gross,
            vat,
            str(InvoiceStatus.SENT),
            at,
            user_id,
            0,
            2,
        )
        # issuing and sending were one step; a second event of each would make the chain of all longer by a seventh
        lines = len(bill.lines)
        self.trail.add(at, user_id, SELLER, "invoice.issued", "invoice", invoice_id, gross_fen=gross, lines=lines, sent=True)
        if self.chance.randrange(_UNREGISTERED):
            self._register(part, invoice_id, on, at, gross, vat)

    def _exemption(self, line: Any, on: date) -> str:
        if on not in self.grounds:
            self.grounds[on] = grounds_on(programmes.config_of(self.session, on).invoicing.exemptions, on)
        seller_kind = self.sides[line.supplier_id].kind
        found = rules.exemption_of(self.grounds[on], seller_kind, line.product_kind, line.category, SAID)
        assert found is not None, line
        return str(found)

    def _register(self, part: Any, invoice_id: int, on: date, at: datetime, gross: int, vat: int) -> None:
        self.numbers[on.year] += 1
        number, user_id = tax_invoice_number(on, self.numbers[on.year]), self.users[part.supplier_id]
        special = vat and self.sides[part.buyer_id].kind == "enterprise"
        tax_invoice_id = self.tax_invoices.add(
            number,
            str(TaxInvoiceType.SPECIAL if special else TaxInvoiceType.ORDINARY),
            False,
            on,
            gross,
            vat,
            part.supplier_id,
            part.buyer_id,
            part.ordering_unit_id,
            str(TaxInvoiceStatus.REGISTERED),
            user_id,
            at,
        )
        self.covers.add(tax_invoice_id, part.part_id, invoice_id)
        status = str(TaxInvoiceStatus.REGISTERED)
        self.trail.add(at, user_id, SELLER, "tax_invoice.registered", "tax_invoice", tax_invoice_id, number=number, status=status)


def tax_invoice_number(issued_on: date, serial: int) -> str:
    """The 20 digits of a tax invoice of Chongqing: year, province, way of issue, serial."""
    return f"{issued_on:%y}502{900_000_000_000_000 + serial}"
