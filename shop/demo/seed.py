"""Loads what the shop needs before its first request, and the demo data: two years of a market, up to yesterday.

The demo data are invented; only the places, the products' names and who supports whom are real. The same date gives the same data.
"""

import heapq
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import text
from sqlmodel import Session

import shop.tables  # noqa: F401  foreign keys need every table
from orders.ledger.actions import book_acceptances
from orders.outlet_sales.actions import counties as outlet_counties
from orders.statistics import actions as statistics
from orders.terms import actions as terms
from shop import reference
from shop.core import clock, workdays
from shop.core.db import database
from shop.core.settings import settings
from shop.demo import aims, desk, goods, months, register, standing
from shop.demo.agreements import Agreements
from shop.demo.billing import Billing
from shop.demo.cases import CaseBook
from shop.demo.claims import Claims
from shop.demo.course import months_later
from shop.demo.deliveries import Deliveries
from shop.demo.diary import Diary
from shop.demo.history import Bill, History
from shop.demo.market import Market, Offer, Relation
from shop.demo.outlets import Outlets
from shop.demo.people import DEMO_BUYER, DEMO_SUPPLIER, Buyer, People
from shop.demo.plan import Order, Pace, Planner
from shop.demo.pledges import Pledges
from shop.demo.reporting import Reporting
from shop.demo.till import Till
from shop.demo.trail import Trail
from shop.demo.watch import Watch

Say = Callable[[str], None]

#: How far the latest orders of the demo's school have come, so that everybody who signs in finds something to do.
#: Days until confirmed, shipped, accepted; None: waits for somebody.
WAITING: Sequence[tuple[int, Pace]] = (
    (1, (None, None, None)),
    (2, (None, None, None)),
    (4, (0.5, None, None)),
    (5, (0.5, None, None)),
    (8, (0.5, 3, None)),
    (9, (1, 4, None)),
    (14, (1, 3, 8)),
    # not paid thirty days after its acceptance
    (48, (1, 3, 8)),
)


_ACCEPTED_BEFORE = text(
    "SELECT a.id FROM acceptance a JOIN supplier_order s ON s.id = a.supplier_order_id"
    " WHERE s.supplier_id = :supplier AND a.accepted_at < :until ORDER BY a.id"
)
_STAND_IN = text("UPDATE product SET district_code = :district WHERE supplier_id = :supplier")


def run(demo: bool, say: Say) -> None:
    """Load reference data, and with ``demo`` the demo data, once; running it again brings only the reference data up to date.

    Raises:
        SystemExit: demo data are asked for in production, where users with a known password must not be.
    """
    if demo and settings().environment == "production":
        raise SystemExit("the demo's users have a password that everybody knows; production takes no demo data")
    with database().unit_of_work() as session:
        reference.load(session)
    say("reference data: loaded · 基础数据已载入")
    if demo:
        with database().unit_of_work() as session:
            load(session, say)


def load(session: Session, say: Say, months: int = 24) -> bool:
    """Load the demo data, with so many months of orders, in the caller's transaction; returns whether there was anything to do."""
    if session.execute(text("SELECT EXISTS (SELECT FROM app_user WHERE username = 'admin')")).scalar_one():
        say("demo data: there already · 演示数据已存在")
        return False
    began, today = time.monotonic(), clock.today()
    # everything is recorded as of the first moment of today, so that the same date gives the same data
    with clock.fixed(clock.start_of_day(today)):
        _Load(session, today, months, say).run()
    say(f"demo data: loaded in {time.monotonic() - began:.0f} s · 演示数据已载入")
    return True


class _Load:
    """One load of the demo data."""

    def __init__(self, session: Session, today: date, months: int, say: Say) -> None:
        self.session, self.today, self.say = session, today, say
        self.start = months_later(today, -months)
        self.chance = random.Random(today.isoformat())  # noqa: S311  invented data, no secrets
        self.trail = Trail(session, clock.start_of_day(today))
        self.diary = Diary(self.trail, clock.start_of_day(today))
        self.workdays = workdays.calendar(session, today, days=1500)

    def run(self) -> None:
        self.session.execute(text("SET LOCAL statement_timeout = 0"))
        folk = register.load(self.session, self.trail, self.chance, self.start, self.today)
        book = CaseBook(self.session, self.trail, folk, self.workdays, self.chance, self.start, self.today)
        offers = goods.load(self.session, folk, book, self.chance, self.start, self.today)
        self.say(f"demo data: {len(folk.suppliers)} suppliers, {len(folk.buyers)} buyers, {len(offers)} packs on sale")
        history = self._orders(folk, offers)
        Watch(self.session, self.trail, folk, self.workdays, self.chance, self.today).write()
        self._ledger(folk, history.accepted_by)
        self._bill(folk)
        claims = self._elsewhere(folk, offers)
        promised = Deliveries(self.session, self.diary, folk, history)
        agreements = Agreements(self.session, self.diary, folk, offers, promised, self.start, self.today)
        pledges = Pledges(self.session, self.diary, folk, offers, promised, self.start, self.today)
        for each in (agreements, pledges):
            each.plan()
        self._money(folk, history.bills, promised)
        self.diary.until(self.diary.now)
        for each in (agreements, pledges):
            each.count()
        for take_over in (statistics.refresh, outlet_counties.take_over):
            while take_over(self.session):
                pass
        self.say(f"demo data: {self.trail.write():,} audit events, sealed")
        standing.load(self.session, offers)
        aims.load(self.session, folk, self.chance, self.today)
        months.load(self.session, folk, claims, self.today)
        self.say("demo data: the month before last is closed, its bulletin published and revised")

    def _orders(self, folk: People, offers: Sequence[Offer]) -> History:
        market = Market(self.chance, offers, folk.buyers, self._relations(), self.start)
        planner = Planner(self.chance, market, self.workdays)
        history = History(self.session, self.trail, clock.start_of_day(self.today), self._programmes())
        school = next(buyer for buyer in folk.buyers if buyer.name == DEMO_BUYER)
        waiting = self._waiting(planner, school, offers, folk.suppliers[DEMO_SUPPLIER].id)
        count = 0
        for order in heapq.merge(planner.orders(self.start, self.today), reversed(waiting), key=lambda order: order.placed_at):
            history.record(order)
            count += 1
        rows = history.write(offers, self.today)
        self.say(f"demo data: {count:,} orders since {self.start}, {rows:,} rows")
        return history

    def _ledger(self, folk: People, accepted_by: Mapping[int, Sequence[int]]) -> None:
        """Book the sales, buyer by buyer: joining all of two years at once is far slower. First those of districts that were merged since, in which
        their goods stood then."""
        # the planner must know how much there is before it joins it all
        self.session.execute(text("ANALYZE"))
        entries, booked = self._before_mergers(folk)
        entries += sum(book_acceptances(self.session, [each for each in ids if each not in booked]) for ids in accepted_by.values())
        self.session.execute(text("ANALYZE sale_entry, money_transaction, money_posting"))
        while statistics.refresh(self.session):
            pass
        self.say(f"demo data: {entries:,} sales in the ledger and in the figures")

    def _before_mergers(self, folk: People) -> tuple[int, set[int]]:
        """Book what was sold in districts that were merged since; returns the number of entries, and the acceptances."""
        entries, booked = 0, set[int]()
        for supplier in folk.suppliers.values():
            if supplier.formerly and supplier.formerly.valid_to:
                asked = {"supplier": supplier.id, "until": clock.start_of_day(supplier.formerly.valid_to)}
                ids = self.session.execute(_ACCEPTED_BEFORE, asked).scalars().all()
                self.session.execute(_STAND_IN, {"supplier": supplier.id, "district": supplier.formerly.code})
                entries += book_acceptances(self.session, ids)
                self.session.execute(_STAND_IN, {"supplier": supplier.id, "district": supplier.region_code})
                booked.update(ids)
        return entries, booked

    def _bill(self, folk: People) -> None:
        invoices = Billing(self.session, self.trail, folk, self.chance, self.today).write()
        self.say(f"demo data: {invoices:,} invoices with the numbers of their tax invoices")

    def _elsewhere(self, folk: People, offers: Sequence[Offer]) -> Claims:
        """What is sold elsewhere, and what is reported of it all."""
        Outlets(self.session, self.diary, folk, offers, self.chance, self.start, self.today).plan()
        claims = Claims(self.session, self.diary, folk, offers, self.start, self.today)
        claims.plan()
        Reporting(self.session, self.diary, folk, self.today).plan()
        return claims

    def _money(self, folk: People, bills: Sequence[Bill], promised: Deliveries) -> None:
        """What was paid, settled and paid out, then what is due of it."""
        till = Till(self.session, self.trail, self.diary, folk, bills, self.start, self.today)
        latest = till.write()
        while terms.catch_up(self.session):
            pass
        promised.settle()
        desk.load(self.session, till.bank, bills, latest, self.today)
        self.say(f"demo data: {till.settlements:,} settlements with suppliers, bank statements up to yesterday")

    def _waiting(self, planner: Planner, school: Buyer, offers: Sequence[Offer], supplier_id: int) -> list[Order]:
        """Orders of the demo's school that wait for somebody; the demo's supplier has a part in each."""
        own = [offer for offer in offers if offer.supplier_id == supplier_id]
        orders = []
        for days, pace in WAITING:
            day = self.today - timedelta(days=days)
            if day < self.start:
                continue
            basket = [line for line in planner.market.basket(school, day) if line[0].supplier_id != supplier_id]
            lines = [(offer, offer.tiers[0][0] * 10) for offer in own] + basket
            order = planner.order(school, clock.start_of_day(day) + timedelta(hours=9), lines, pace)
            order.days_to_pay = None
            orders.append(order)
        return orders

    def _relations(self) -> list[Relation]:
        rows = self.session.execute(
            text(
                "SELECT r.id, r.kind, s.name, s.region_code AS supporter_region, r.region_code, r.valid_from, r.valid_to"
                " FROM support_relation r JOIN supporter s ON s.id = r.supporter_id ORDER BY r.id"
            )
        )
        return [Relation(*row) for row in rows]

    def _programmes(self) -> list[tuple[date, str]]:
        return [(row.valid_from, row.code) for row in self.session.execute(text("SELECT valid_from, code FROM programme"))]
