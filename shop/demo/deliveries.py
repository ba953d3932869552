"""How orders of the demo are carried out that the domains themselves placed: confirmed, sent, accepted, paid and invoiced, each at its moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial

from sqlalchemy import text
from sqlmodel import Session

from orders.contracts import actions as contracts
from orders.fulfilment import actions as fulfilment
from orders.fulfilment.schemas import AcceptanceIn, ShipmentIn
from orders.invoices.actions.issuing import issue
from orders.invoices.schemas import IssueIn
from orders.purchasing.schemas import PurchaseOrderOut, SupplierOrderBrief
from orders.tax_invoices.actions import registering as tax_invoices
from orders.tax_invoices.rules import TaxInvoiceType
from orders.tax_invoices.schemas import TaxInvoiceIn
from orders.terms import actions as terms
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.demo.billing import SAID, tax_invoice_number
from shop.demo.diary import Diary
from shop.demo.history import Bill, History
from shop.demo.people import Buyer, People
from shop.identity import tokens
from shop.identity.actor import Actor

_GO_ON = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), (SELECT max(id) FROM {0}))"
_GO_BACK = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), :id, false)"
_HIGHEST = "SELECT max(id) FROM {0} WHERE id BETWEEN :first AND :last"
#: What is paid so many days after the acceptance, if that is over.
_DAYS_TO_PAY = 20
#: Of the serials of tax invoices, far from those that history uses.
_SERIAL = 98_000_000
#: No order here has more parts.
_MOST_PARTS = 5
_INVOICE = text("SELECT gross_fen, vat_fen FROM invoice WHERE id = :id")


class Deliveries:
    """Notes in the diary how orders are carried out. What is paid of these orders joins the bills of ``history``, which the bank shows as paid; what is
    placed takes the ids that it left free."""

    def __init__(self, session: Session, diary: Diary, people: People, history: History) -> None:
        self.session, self.diary, self.bills, self.room = session, diary, history.bills, history.room
        self.users = {supplier.id: supplier.user_id for supplier in people.suppliers.values()}
        #: Parts that were accepted and are not invoiced, in the order of time; orders that were paid.
        self.accepted: list[SupplierOrderBrief] = []
        self.paid: list[int] = []
        self.diary.note(self.diary.now, self._invoice)

    def actor(self, user_id: int) -> Actor:
        return tokens.actor_of_user(self.session, user_id)

    @contextmanager
    def in_its_place(self) -> Iterator[None]:
        """What is placed within stands in lists among the orders of its day, as long as there is room for it."""
        room = self.room.get(clock.today(), {})
        free = {table: self._free(table, ids) for table, ids in room.items()}
        room = room if all(len(left) >= _MOST_PARTS for left in free.values()) else {}
        for table in room:
            self.session.execute(text(_GO_BACK.format(table)), {"id": free[table].start})
        yield
        for table in room:
            self.session.execute(text(_GO_ON.format(table)))

    def _free(self, table: str, ids: range) -> range:
        highest = self.session.execute(text(_HIGHEST.format(table)), {"first": ids.start, "last": ids.stop - 1}).scalar_one()
        return range(ids.start if highest is None else highest + 1, ids.stop)

    def confirm(self, order: PurchaseOrderOut, buyer: Buyer, arrives_on: date | None) -> None:
        """Its suppliers confirm an order on the next day; it arrives and is accepted on the day given, or is not sent yet."""
        for part in order.supplier_orders:
            self.diary.note_day(clock.today() + timedelta(days=1), 10, partial(self._confirm, part))
            if arrives_on:
                self.diary.note_day(arrives_on - timedelta(days=1), 16, partial(self._ship, part, buyer, arrives_on))
        if arrives_on:
            self.diary.note_day(arrives_on, 11, partial(self._owe, order, buyer))

    def settle(self) -> None:
        """What was paid by bank is nothing that is due any more."""
        terms.settle(self.session, self.paid)

    def _confirm(self, part: SupplierOrderBrief) -> None:
        contracts.confirm(self.session, self.actor(self.users[part.supplier_id]), part.id)

    def _ship(self, part: SupplierOrderBrief, buyer: Buyer, arrives_on: date) -> None:
        body = ShipmentIn(carrier="邮政快递", waybill=f"YD9{part.id:010}", expected_on=arrives_on, before_payment=True)
        shipment_id = fulfilment.ship(self.session, self.actor(self.users[part.supplier_id]), part.id, body)
        self.diary.note_day(arrives_on, 10, partial(self._accept, part, buyer, shipment_id))

    def _accept(self, part: SupplierOrderBrief, buyer: Buyer, shipment_id: int) -> None:
        fulfilment.accept(self.session, self.actor(buyer.user_id), shipment_id, AcceptanceIn())
        self.accepted.append(part)

    def _owe(self, order: PurchaseOrderOut, buyer: Buyer) -> None:
        paid_on = clock.today() + timedelta(days=_DAYS_TO_PAY)
        if paid_on < clock.shanghai_date(self.diary.now):
            self.bills.append(Bill(order.id, buyer, order.total, paid_on))
            self.paid.append(order.id)

    def _invoice(self) -> None:
        """Each supplier invoices what was accepted, and registers its tax invoices."""
        for number, part in enumerate(self.accepted):
            seller = self.actor(self.users[part.supplier_id])
            invoice_id = issue(self.session, seller, part.id, IssueIn(exemptions=list(SAID)))
            row = self.session.execute(_INVOICE, {"id": invoice_id}).one()
            claim = TaxInvoiceIn(
                number=tax_invoice_number(clock.today(), _SERIAL + number),
                type=TaxInvoiceType.ORDINARY,
                issued_on=clock.today(),
                gross=yuan_from_fen(row.gross_fen),
                vat=yuan_from_fen(row.vat_fen),
                invoice_ids=[invoice_id],
            )
            tax_invoices.register(self.session, seller, [claim])
