"""What lies on the desks of finance when the demo begins, put there by the actions of the domains: the bank's last statement, of which some lines
are not explained, a payer who waits for approval, and a tax invoice whose number came twice."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.actions import declaring, importing
from orders.banking.actions.matching import match_by_rule
from orders.banking.rules import Entry
from orders.banking.schemas.payers import PayerDeclarationIn
from orders.banking.schemas.statements import HowRead
from orders.tax_invoices.actions import registering as tax_invoices
from orders.tax_invoices.rules import TaxInvoiceType
from orders.tax_invoices.schemas import TaxInvoiceIn
from shop.core.money import yuan_from_fen
from shop.demo.bank import BankAccount, receipt, statement_file
from shop.demo.billing import tax_invoice_number
from shop.demo.history import Bill
from shop.demo.people import DEMO_BUYER, DEMO_SUPPLIER, acting
from shop.identity import tokens

#: Who pays for the school out of the district's treasury.
TREASURY = "沙坪坝区财政局国库集中支付中心"
#: By how much somebody paid too much, in fen.
_TOO_MUCH_FEN = 200_00
_LINES = text("SELECT id FROM bank_line WHERE statement_id = :id ORDER BY id")
#: The newest accepted delivery to the school of the demo's supplier, and of another.
_DELIVERIES = text(
    """
    SELECT DISTINCT ON (s.name = :supplier) a.shipment_id, (SELECT u.id FROM app_user u WHERE u.organisation_id = s.id ORDER BY u.id LIMIT 1) AS user_id,
           (SELECT sum(l.amount_fen) FROM acceptance_line l WHERE l.acceptance_id = a.id)::bigint AS amount_fen
    FROM acceptance a JOIN supplier_order so ON so.id = a.supplier_order_id JOIN organisation s ON s.id = so.supplier_id
    JOIN purchase_order po ON po.id = so.purchase_order_id JOIN organisation b ON b.id = po.buyer_id
    WHERE po.source_kind = 'direct'
    ORDER BY s.name = :supplier, b.name <> :buyer, a.id DESC
    """
)


def load(session: Session, bank: BankAccount, bills: Sequence[Bill], latest: Sequence[Bill], today: date) -> None:
    """``latest``: the bills that were paid and are on no statement yet."""
    owed = [bill for bill in bills if bill.paid_on is None]
    school = next(bill for bill in owed if bill.buyer.name == DEMO_BUYER)
    others = [bill for bill in owed if bill.buyer.name != DEMO_BUYER and bill.amount_fen > _TOO_MUCH_FEN]
    lines = [receipt(bill, bill.paid_on) for bill in latest if bill.paid_on]
    _import(session, bank, [*lines, *_yesterday(today - timedelta(days=1), school, others)])
    payer = PayerDeclarationIn(payer_name=TREASURY, reason_code="treasury", reason="国库集中支付，由财政局代付", all_orders=True)
    declaring.declare(session, acting(session, "finance"), school.order_id, payer)
    _same_number(session, today)


def _yesterday(day: date, school: Bill, others: Sequence[Bill]) -> Iterable[Entry]:
    """Lines that a person has to look at, and a part payment."""
    part, more, silent = others[-1], others[-2], others[-3]
    yield receipt(part, day, part.amount_fen // 2)
    yield receipt(more, day, more.amount_fen + _TOO_MUCH_FEN)
    yield receipt(silent, day, text="货款")
    yield receipt(school, day, payer=TREASURY)
    yield Entry(0, day, 1_280_00, None, f"{day:%Y%m%d}80000001", "张建国", "6217000000000000001", "演示农商银行", "买水果")
    for place, what in enumerate(("对公账户管理费", "网上银行服务费", "短信服务费"), start=2):
        yield Entry(0, day, -15_00, None, f"{day:%Y%m%d}8000000{place}", "演示银行重庆分行", "", "", what)


def _import(session: Session, bank: BankAccount, entries: Sequence[Entry]) -> None:
    told, content = statement_file(bank.balance_fen, entries)
    name = f"{told[0].booked_on:%Y%m%d}-{told[-1].booked_on:%Y%m%d}.csv"
    statement_id = importing.import_statement(session, bank.cashier, name, content, HowRead())
    match_by_rule(session, session.execute(_LINES, {"id": statement_id}).scalars().all())


def _same_number(session: Session, today: date) -> None:
    """Two suppliers register a tax invoice of the same number: both are held."""
    for row in session.execute(_DELIVERIES, {"supplier": DEMO_SUPPLIER, "buyer": DEMO_BUYER}).all():
        claim = TaxInvoiceIn(
            number=tax_invoice_number(today, 99_000_001),
            type=TaxInvoiceType.ORDINARY,
            issued_on=today,
            gross=yuan_from_fen(row.amount_fen),
            vat="0.00",
            shipment_ids=[row.shipment_id],
        )
        tax_invoices.register(session, tokens.actor_of_user(session, row.user_id), [claim])
