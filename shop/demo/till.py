"""The demo's money, month by month and lately by half months: what came by the bank, what suppliers were settled and paid."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.banking.rules import Entry
from orders.money import actions as money
from orders.money.rules import Account, Kind, Place, carry
from orders.settlement.actions import running
from orders.settlement.rules import Period, last_ended, period_of
from shop.core import clock, numbers, sealing
from shop.core.db import array
from shop.demo.bank import BankAccount
from shop.demo.diary import Diary
from shop.demo.history import Bill
from shop.demo.people import People, acting
from shop.demo.rows import Table
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes.queries import config_of

#: So many of the latest periods were settled one by one; those before at the end of each month, which is enough for history.
_EACH = 6
_DRAFTS = text(
    """
    SELECT p.id, p.supplier_id, p.amount_fen, s.number, s.objections_until, o.name, a.id AS account_id, a.sealed_number
    FROM payout p JOIN settlement s ON s.id = p.settlement_id JOIN organisation o ON o.id = p.supplier_id
    JOIN payout_account a ON a.supplier_id = p.supplier_id WHERE p.status = 'draft' ORDER BY p.id
    """
)
_PAY = text(
    "UPDATE payout SET status = 'paid', approved_by = :cashier, approved_at = :now, released_by = :treasurer, reference = :number,"
    " version = version + 4 WHERE status = 'draft'"
)
_TRANSACTIONS = text(
    "SELECT origin_id, id FROM money_transaction WHERE kind = 'payout_paid' AND origin_id = ANY (CAST(:ids AS bigint[]))"
)


class Till:
    """Goes through the periods, and with them through the diary. The orders, their deliveries and the sales are written before."""

    def __init__(
        self, session: Session, trail: Trail, diary: Diary, people: People, bills: Sequence[Bill], start: date, today: date
    ) -> None:
        self.session, self.trail, self.diary, self.people, self.bills = session, trail, diary, people, bills
        self.start, self.today = start, today
        self.now = clock.start_of_day(today)
        self.cashier, self.treasurer = acting(session, "cashier"), acting(session, "treasurer")
        self.bank = BankAccount(session, trail, self.cashier)
        self.files = Table(
            session, "payout_file", "number payout_count amount_fen made_by made_at status sent_by sent_at reference"
        )
        self.attempts = Table(
            session,
            "payout_attempt",
            "payout_id method account_id approved_by approved_at released_by released_at sent_at reference outcome ended_at",
        )
        self.listed = Table(session, "payout_file_line", "payout_file_id attempt_id", numbered=False)
        self.settlements = 0

    def write(self) -> list[Bill]:
        """Everything up to the last period that is over; returns the bills that were paid since then, whose statement is not imported."""
        self._accounts()
        with clock.fixed(self.now):
            cadence = config_of(self.session, self.today).settlement.period
        periods = _periods(self.start, self.today, cadence)
        since = self.start
        for period in periods:
            moment = min(clock.start_of_day(period.last) + timedelta(days=1, hours=9), self.now)
            self.diary.until(moment)
            self.trail.write_until(moment)
            paid_out = self._pay_out()
            with clock.fixed(moment):
                due = [bill for bill in self.bills if bill.paid_on and since <= bill.paid_on <= period.last]
                self.bank.imported(due, paid_out)
                # nobody else tells the planner how much there is by now
                self.session.execute(text("ANALYZE payment, money_transaction, money_posting, settlement, settlement_line"))
                self.settlements += running.run_due(self.session)
            since = period.last + timedelta(days=1)
        return [bill for bill in self.bills if bill.paid_on and bill.paid_on >= since]

    # --- suppliers are paid -----------------------------------------------------------------------------------------

    def _accounts(self) -> None:
        """The account of each supplier, approved when it joined."""
        accounts = Table(
            self.session,
            "payout_account",
            "supplier_id holder bank sealed_number tail status reason requested_by requested_at decided_by decided_at usable_from",
        )
        asked = clock.start_of_day(self.start - timedelta(days=30)) + timedelta(hours=10)
        decided = asked + timedelta(days=1)
        for supplier in self.people.suppliers.values():
            number, by = f"62{supplier.id:017}", self.treasurer.user_id
            account_id = accounts.add(
                supplier.id,
                supplier.name,
                "演示农商银行",
                sealing.seal({"number": number}),
                number[-4:],
                "approved",
                "首次登记",
                supplier.user_id,
                asked,
                by,
                decided,
                clock.shanghai_date(decided),
            )
            role = str(Role.SUPPLIER_ADMIN)
            self.trail.add(
                asked, supplier.user_id, role, "payout_account.requested", "payout_account", account_id, reason="首次登记"
            )
            self.trail.add(decided, by, self.treasurer.role_name, "payout_account.approve", "payout_account", account_id)
        accounts.write(self.session)

    def _pay_out(self) -> list[tuple[Entry, int]]:
        """Pay what the period before was settled for, with one list for the bank, on the day after the suppliers could object; returns
        what the bank shows of it."""
        drafts = self.session.execute(_DRAFTS).all()
        if not drafts:
            return []
        day = max(draft.objections_until for draft in drafts) + timedelta(days=1)
        now = clock.start_of_day(day) + timedelta(hours=14)
        number = f"FK{day.year}-{numbers.next_number(self.session, f'payout_file:{day.year}'):06}"
        total, who = sum(draft.amount_fen for draft in drafts), {"cashier": self.cashier, "treasurer": self.treasurer}
        made = (self.cashier.user_id, now)
        file_id = self.files.add(number, len(drafts), total, *made, "sent", *made, number)
        attempts = {}
        for draft in drafts:
            approved, released = (self.cashier.user_id, now), (self.treasurer.user_id, now)
            attempt_id = self.attempts.add(draft.id, "bank", draft.account_id, *approved, *released, now, number, "paid", now)
            self.listed.add(file_id, attempt_id)
            attempts[attempt_id] = draft
            for move, by in (("approve", "cashier"), ("release", "treasurer"), ("confirm", "cashier")):
                self.trail.add(now, who[by].user_id, who[by].role_name, f"payout.{move}", "payout", draft.id)
        detail = {"payouts": [draft.id for draft in drafts], "amount_fen": total}
        self.trail.add(now, self.cashier.user_id, self.cashier.role_name, "payout_file.made", "payout_file", file_id, **detail)
        self.trail.add(
            now, self.cashier.user_id, self.cashier.role_name, "payout_file.sent", "payout_file", file_id, reference=number
        )
        ids = {"cashier": self.cashier.user_id, "treasurer": self.treasurer.user_id}
        self.session.execute(_PAY, {**ids, "now": now, "number": number})
        self.files.write(self.session)
        self.attempts.write(self.session)
        self.listed.write(self.session)
        with clock.fixed(now):
            self._book(attempts)
        transactions = {row.origin_id: row.id for row in self.session.execute(_TRANSACTIONS, {"ids": array(attempts)})}
        return [(_line(draft, attempt_id, day), transactions[attempt_id]) for attempt_id, draft in attempts.items()]

    def _book(self, attempts: Mapping[int, Any]) -> None:
        """What is settled goes on its way, and off the account."""
        released, paid = {}, {}
        for attempt_id, draft in attempts.items():
            on_its_way = Place(Account.PAYOUTS, draft.supplier_id)
            released[attempt_id] = carry(draft.amount_fen, to=Place(Account.SETTLED, draft.supplier_id), out_of=on_its_way)
            paid[attempt_id] = carry(draft.amount_fen, to=on_its_way, out_of=Place(Account.BANK))
        money.book_each(self.session, Kind.PAYOUT, released)
        money.book_each(self.session, Kind.PAYOUT_PAID, paid)


def _periods(start: date, today: date, cadence: str) -> list[Period]:
    """The periods that are over, from that of the first day on, for which there are settlements."""
    last, period, found = last_ended(today, cadence).last, period_of(start, cadence), []
    while period.last <= last:
        found.append(period)
        period = period_of(period.last + timedelta(days=1), cadence)
    return [each for each in found[:-_EACH] if (each.last + timedelta(days=1)).day == 1] + found[-_EACH:]


def _line(draft: Any, attempt_id: int, day: date) -> Entry:
    """The line by which the bank shows a payout."""
    number = str(sealing.unseal(draft.sealed_number)["number"])
    serial, text = f"{day:%Y%m%d}9{attempt_id:07}", f"货款结算 {draft.number}"
    return Entry(0, day, -draft.amount_fen, None, serial, draft.name, number, "演示农商银行", text)
