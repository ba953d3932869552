"""The marketplace's bank account in the demo: the statements of two years, line by line what buyers paid and suppliers got."""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlmodel import Session

from orders.banking import rules
from orders.banking.reasons import WEIGHTS, Reason
from orders.banking.rules import Entry
from orders.money import actions as money
from orders.money.references import payment_reference, printed
from orders.money.rules import Account, Kind, Place, carry
from orders.payments import actions as payments
from shop.core import clock, uploads
from shop.core.money import yuan_from_fen
from shop.core.settings import settings
from shop.demo.history import Bill
from shop.demo.rows import Table
from shop.demo.trail import Trail
from shop.identity.actor import Actor

#: What the account held before the first line, in fen.
_OPENING_FEN = 50_000_00
_HEADER = ["交易日期", "收入金额", "支出金额", "余额", "对方户名", "对方账号", "对方开户行", "摘要", "流水号"]
#: Why the lines of buyers are matched, as the rules say it.
_REASONS = (Reason.REFERENCE, Reason.EXACT_DUE, Reason.PAYER_IS_BUYER)
_SCORE = min(100, sum(WEIGHTS[reason] for reason in _REASONS))
_BANK, _UNALLOCATED = Place(Account.BANK), Place(Account.UNALLOCATED)


def receipt(bill: Bill, on: date, amount_fen: int | None = None, text: str | None = None, payer: str | None = None) -> Entry:
    """The line by which a buyer pays a bill; the text holds the order's reference unless it says something else."""
    return Entry(
        row_no=0,
        booked_on=on,
        amount_fen=bill.amount_fen if amount_fen is None else amount_fen,
        serial=f"{on:%Y%m%d}{bill.order_id:08}",
        name=payer or bill.buyer.name,
        account=f"31{bill.buyer.id:017}" if payer is None else "3100021900000000001",
        bank="演示银行重庆分行",
        text=text or f"货款 {printed(payment_reference(bill.order_id))}",
    )


def statement_file(opening_fen: int, entries: Sequence[Entry]) -> tuple[list[Entry], bytes]:
    """The lines in the order of their days with the balance after each, and the CSV that the bank makes of them."""
    balance, told, out = opening_fen, [], io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for row_no, entry in enumerate(sorted(entries, key=lambda entry: (entry.booked_on, entry.serial)), start=2):
        balance += entry.amount_fen
        amounts = [yuan_from_fen(fen) if fen > 0 else "" for fen in (entry.amount_fen, -entry.amount_fen)]
        cells = [*amounts, yuan_from_fen(balance), entry.name, entry.account, entry.bank, entry.text, entry.serial]
        writer.writerow([entry.booked_on, *cells])
        told.append(replace(entry, row_no=row_no, balance_fen=balance))
    return told, out.getvalue().encode("utf-8-sig")


class BankAccount:
    """Writes statements, one after another: each line once, balances without a gap."""

    def __init__(self, session: Session, trail: Trail, cashier: Actor) -> None:
        self.session, self.trail, self.cashier = session, trail, cashier
        self.number = settings().bank_account_number or ""
        self.balance_fen = _OPENING_FEN
        self.statements = Table(
            session,
            "bank_statement",
            "account file_id name sha256 format layout from_on to_on line_count new_count opening_fen closing_fen balance_fen imported_by"
            " imported_at",
        )
        self.lines = Table(
            session,
            "bank_line",
            "statement_id account key row_no booked_on amount_fen balance_fen serial payer_name payer_account payer_bank text matched_fen",
        )
        self.payments = Table(
            session, "payment", "purchase_order_id method source amount_fen bank_reference payer_name paid_on recorded_at"
        )
        self.matches = Table(
            session,
            "bank_match",
            "line_id kind amount_fen purchase_order_id payment_id transaction_id reasons score matched_by matched_at",
        )

    def imported(self, bills: Sequence[Bill], paid_out: Sequence[tuple[Entry, int]]) -> None:
        """Write a statement as it was imported at this moment of the clock, all of it matched: the bills that buyers paid, and payouts, each
        with the transaction that took it from the account."""
        receipts = [(receipt(bill, bill.paid_on), bill) for bill in bills if bill.paid_on]
        lines = [entry for entry, _ in receipts] + [entry for entry, _ in paid_out]
        if not lines:
            return
        entries, content = statement_file(self.balance_fen, lines)
        billed = {entry.serial: bill for entry, bill in receipts}
        transactions = {entry.serial: transaction_id for entry, transaction_id in paid_out}
        now = clock.now()
        statement_id = self._statement(entries, content)
        received: dict[int, int] = {}
        days: dict[int, date] = {}
        shown: dict[int, int] = {}
        paid_on: dict[int, date] = {}
        for key, entry in zip(rules.keys(entries), entries, strict=True):
            line_id = self.lines.add(
                statement_id,
                self.number,
                key,
                entry.row_no,
                entry.booked_on,
                entry.amount_fen,
                entry.balance_fen,
                entry.serial,
                entry.name,
                entry.account,
                entry.bank,
                entry.text,
                abs(entry.amount_fen),
            )
            received[line_id], days[line_id] = entry.amount_fen, entry.booked_on
            if bill := billed.get(entry.serial):
                self._paid(line_id, entry, bill)
            else:
                by, transaction_id = self.cashier.user_id, transactions[entry.serial]
                match_id = self.matches.add(line_id, "booked", -entry.amount_fen, None, None, transaction_id, "[]", 0, by, now)
                self._say("bank_line.matched", "bank_line", line_id, self.cashier, match_id=match_id, kind="booked")
                shown[match_id], paid_on[match_id] = entry.amount_fen, entry.booked_on
        paid = self.payments.ids
        for table in (self.statements, self.lines, self.payments, self.matches):
            table.write(self.session)
        to_bank = {line_id: carry(fen, to=_BANK, out_of=_UNALLOCATED) for line_id, fen in received.items()}
        money.book_each(self.session, Kind.RECEIPT, to_bank, days)
        payments.book(self.session, paid)
        explained = {match_id: carry(fen, to=_UNALLOCATED, out_of=_BANK) for match_id, fen in shown.items()}
        money.book_each(self.session, Kind.RECEIPT_MATCHED, explained, paid_on)

    def _statement(self, entries: Sequence[Entry], content: bytes) -> int:
        now, sha256 = clock.now(), hashlib.sha256(content).hexdigest()
        name = f"{entries[0].booked_on:%Y%m%d}-{entries[-1].booked_on:%Y%m%d}.csv"
        kept = uploads.keep(self.session, self.cashier.user_id, name, content, uploads.CSV)
        opening, self.balance_fen = self.balance_fen, entries[-1].balance_fen or 0
        statement_id = self.statements.add(
            self.number,
            kept.id,
            kept.name,
            sha256,
            "csv",
            "generic",
            entries[0].booked_on,
            entries[-1].booked_on,
            len(entries),
            len(entries),
            opening,
            self.balance_fen,
            self.balance_fen,
            self.cashier.user_id,
            now,
        )
        self._say("bank_statement.imported", "bank_statement", statement_id, self.cashier, lines=len(entries), new=len(entries))
        return statement_id

    def _paid(self, line_id: int, entry: Entry, bill: Bill) -> None:
        now = clock.now()
        payment_id = self.payments.add(
            bill.order_id, "bank_transfer", "unallocated", entry.amount_fen, entry.serial, entry.name, entry.booked_on, now
        )
        reasons = json.dumps([str(reason) for reason in _REASONS])
        match_id = self.matches.add(line_id, "order", entry.amount_fen, bill.order_id, payment_id, None, reasons, _SCORE, None, now)
        self._say("payment.recorded", "purchase_order", bill.order_id, None, payment_id=payment_id, amount_fen=entry.amount_fen)
        self._say("bank_line.matched", "bank_line", line_id, None, match_id=match_id, kind="order", amount_fen=entry.amount_fen)

    def _say(self, action: str, subject_type: str, subject_id: int, who: Actor | None, **detail: Any) -> None:
        user_id, role = (who.user_id, who.role_name) if who else (None, "system")
        self.trail.add(clock.now(), user_id, role, action, subject_type, subject_id, **detail)
