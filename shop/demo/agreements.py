"""The demo's long-term agreements, through the actions of the domains: one on time, one behind its schedule, one that ends soon and waits for an answer
to its renewal, one without a schedule, and one that waits for the supplier's signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements.actions import calling_off, changing, drafting, drafts, recounting, signing
from orders.agreements.schemas.calling import CallOffIn
from orders.agreements.schemas.terms import AgreementIn, RenewalIn, ScheduleIn
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.demo.deliveries import Deliveries
from shop.demo.diary import Diary
from shop.demo.market import Offer
from shop.demo.people import DEMO_BUYER, DEMO_SUPPLIER, Buyer, People, acting, as_it_is
from shop.identity.actor import Actor

#: The agreements began so many days ago, if the demo reaches back so far; the one that ends does so in so many days.
_BEGAN, _ENDS = 63, 12

_HASH = text("SELECT terms_hash FROM agreement WHERE id = :id")
_DAYS = text(
    "SELECT DISTINCT i.due_on FROM instalment i JOIN agreement_line l ON l.id = i.agreement_line_id"
    " WHERE l.agreement_id = :id AND i.status = 'planned' AND i.due_on <= :until ORDER BY i.due_on"
)
_DRAFT = text("SELECT id FROM call_off_draft WHERE agreement_id = :id AND due_on = :due_on AND status = 'open'")
_LINES = text("SELECT id FROM agreement_line WHERE agreement_id = :id ORDER BY line_no")


@dataclass(frozen=True, slots=True)
class _Terms:
    """Who buys what of whom. ``price``: fixed below the list, the list less five per cent, or by the quantity of each call-off."""

    title: str
    buyer: str
    supplier: str
    category: str
    fund_source: str
    price: str
    #: Of each line at a time; none of what is called off by hand.
    quantities: tuple[int, ...] = ()
    weekday: int = 0
    every_weeks: int = 1
    #: How many days ahead of its day an instalment is drafted.
    lead_days: int = 4


_ON_TIME = _Terms("食堂脐橙长期供货", DEMO_BUYER, DEMO_SUPPLIER, "fruit", "canteen", "fixed", (30, 8), weekday=2, lead_days=7)
_BEHIND = _Terms(
    "食堂大米长期供货", "沙坪坝区歌乐山小学", "酉阳县花田贡米专业合作社", "grain_oil", "canteen", "list_minus", (40,), weekday=5
)
_ENDING = _Terms(
    "食堂杂粮半年供货", DEMO_BUYER, "云阳县红橙产销专业合作社", "grain_oil", "canteen", "fixed", (60, 50), weekday=4, every_weeks=2
)
_BY_HAND = _Terms("工会慰问腊味供货", "渝中区总工会", "城口县大巴山腊味专业合作社", "meat_poultry_egg", "union", "tiers")
_PROPOSED = _Terms(
    "职工节日福利脐橙供货", "渝中区总工会", DEMO_SUPPLIER, "fruit", "union", "fixed", (120, 20), weekday=3, every_weeks=4
)


class Agreements:
    """Notes in the diary what happens to the agreements."""

    def __init__(
        self,
        session: Session,
        diary: Diary,
        people: People,
        offers: Sequence[Offer],
        deliveries: Deliveries,
        start: date,
        today: date,
    ) -> None:
        self.session, self.diary, self.people, self.today = session, diary, people, today
        self.deliveries = deliveries
        self.offers = [offer for offer in offers if offer.step == 1 and offer.lasts_since(start)]
        self.buyers = {buyer.name: buyer for buyer in people.buyers}
        self.began = max(start + timedelta(days=1), today - timedelta(days=_BEGAN))

    def plan(self) -> None:
        """From the drafts of the agreements to the instalments that are late today."""
        long, soon = self.today + timedelta(days=300), self.today + timedelta(days=_ENDS)
        for terms, until in ((_ON_TIME, long), (_BEHIND, long), (_ENDING, soon), (_BY_HAND, long)):
            self.diary.note_day(self.began, 9, partial(self._make, terms, until))
        self.diary.note_day(self.today - timedelta(days=2), 9, partial(self._propose, _PROPOSED, long))
        self.diary.note(self.diary.now, self._tell_late)

    def count(self) -> None:
        """What the worker does in time: the figures of the agreements are kept."""
        while recounting.recount(self.session):
            pass

    def _tell_late(self) -> None:
        drafts.tell_late(self.session)

    # --- terms and signatures -----------------------------------------------------------------------------------------

    def _make(self, terms: _Terms, until: date) -> None:
        """Both sides sign on one day; then goods come by the schedule, or when somebody orders them."""
        made = self._propose(terms, until)
        self._sign(self._seller(terms), made)
        if not terms.quantities:
            self.diary.note_day(self.today - timedelta(days=16), 10, partial(self._call_off, terms, made, 24, delivered=True))
            self.diary.note_day(self.today - timedelta(days=1), 10, partial(self._call_off, terms, made, 36, delivered=False))
            return
        self._carry_out(terms, made)
        if terms is _ENDING:
            self.diary.note_day(self.today - timedelta(days=3), 10, partial(self._renew, terms, made, until))

    def _propose(self, terms: _Terms, until: date) -> int:
        """The buyer drafts, proposes and signs."""
        buyer, first = self._purchaser(terms), clock.today()
        packs = self._packs(terms)
        body = {
            "title": terms.title,
            "supplier_id": self.people.suppliers[terms.supplier].id,
            "fund_source": terms.fund_source,
            "valid_from": first,
            "valid_until": until,
            "tolerance_percent": "10",
            "call_off_lead_days": terms.lead_days,
            "terms": "质量按产品认定标准，现场称重验收；不合格的当日退换。",
            "lines": [{"sku_id": pack.sku_id, "price": _price(terms, pack), "quantity_cap": "4000"} for pack in packs],
        }
        made = drafting.create(self.session, buyer, AgreementIn.model_validate(body))
        if terms.quantities:
            drafting.schedule(self.session, buyer, made, self._schedule(terms), as_it_is)
        drafting.propose(self.session, buyer, made)
        self._sign(self._signer(terms), made)
        return made

    def _schedule(self, terms: _Terms) -> ScheduleIn:
        first = clock.today() + timedelta(days=4)
        each = {"place": "收货处", "weekdays": [terms.weekday], "every_weeks": terms.every_weeks, "starts_on": first}
        return ScheduleIn.model_validate(
            {
                "places": [{"name": "收货处", "address": self._buyer(terms).address}],
                "entries": [
                    {**each, "line_no": number, "quantity": str(many)} for number, many in enumerate(terms.quantities, start=1)
                ],
            }
        )

    def _sign(self, who: Actor, made: int) -> None:
        signing.sign(self.session, who, made, self.session.execute(_HASH, {"id": made}).scalar_one())

    def _renew(self, terms: _Terms, made: int, until: date) -> None:
        """The supplier asks for half a year more; nobody has answered."""
        body = RenewalIn(reason="协议即将到期，愿按原条款续约半年", valid_until=until + timedelta(days=182))
        changing.propose(self.session, self._seller(terms), made, body)

    # --- instalments --------------------------------------------------------------------------------------------------

    def _carry_out(self, terms: _Terms, made: int) -> None:
        """Every instalment is drafted in time. All that are due by now came, but for the last two of who is behind: one is ordered and was not
        sent, one was never ordered."""
        lead = timedelta(days=terms.lead_days)
        days = list(self.session.execute(_DAYS, {"id": made, "until": self.today + lead}).scalars())
        over = [day for day in days if day < self.today]
        late = over[-2:] if terms is _BEHIND else []
        for day in days:
            self.diary.note_day(max(day - lead, self.began), 12, partial(drafts.draft_due, self.session))
            if day in over and day not in late[1:]:
                ordered = max(day - timedelta(days=4), self.began)
                self.diary.note_day(ordered, 14, partial(self._order, terms, made, day, delivered=day not in late))

    def _order(self, terms: _Terms, made: int, due_on: date, *, delivered: bool) -> None:
        draft_id = self.session.execute(_DRAFT, {"id": made, "due_on": due_on}).scalar_one()
        with self.deliveries.in_its_place():
            order = drafts.order(self.session, self._purchaser(terms), draft_id).purchase_order
        assert order is not None
        self.deliveries.confirm(order, self._buyer(terms), due_on if delivered else None)

    def _call_off(self, terms: _Terms, made: int, many: int, *, delivered: bool) -> None:
        """By hand, so much of every line; what is not to be delivered waits for the supplier's confirmation."""
        lines = [
            {"agreement_line_id": each, "quantity": str(many)} for each in self.session.execute(_LINES, {"id": made}).scalars()
        ]
        address = self._buyer(terms).address
        body = CallOffIn.model_validate({"lines": lines, "delivery_address": address})
        with self.deliveries.in_its_place():
            order = calling_off.call_off(self.session, self._purchaser(terms), made, body).purchase_order
        assert order is not None
        if delivered:
            self.deliveries.confirm(order, self._buyer(terms), clock.today() + timedelta(days=4))

    # --- who acts, and what about -------------------------------------------------------------------------------------

    def _packs(self, terms: _Terms) -> list[Offer]:
        supplier_id = self.people.suppliers[terms.supplier].id
        own = [offer for offer in self.offers if offer.supplier_id == supplier_id and offer.category == terms.category]
        return own[: len(terms.quantities) or 2]

    def _buyer(self, terms: _Terms) -> Buyer:
        return self.buyers[terms.buyer]

    def _purchaser(self, terms: _Terms) -> Actor:
        return self.deliveries.actor(self._buyer(terms).user_id)

    def _signer(self, terms: _Terms) -> Actor:
        """Of the demo's school its administrator, elsewhere the one who does everything."""
        return acting(self.session, "unit") if terms.buyer == DEMO_BUYER else self._purchaser(terms)

    def _seller(self, terms: _Terms) -> Actor:
        return self.deliveries.actor(self.people.suppliers[terms.supplier].user_id)


def _price(terms: _Terms, pack: Offer) -> dict[str, Any]:
    """Some per cent below the list's price for many, or by it; to the tenth of a yuan."""
    many = pack.tiers[-1][1]
    if terms.price == "list_minus":
        return {"kind": "list_minus", "percent_off": "5"}
    if terms.price == "fixed":
        return {"kind": "fixed", "unit_price": yuan_from_fen(many * 97 // 1000 * 10)}
    tiers = ((Decimal(1), 98), (Decimal(30), 95))
    return {
        "kind": "tiers",
        "tiers": [{"min_quantity": str(least), "unit_price": yuan_from_fen(many * part // 1000 * 10)} for least, part in tiers],
    }
