"""Sales made elsewhere in the demo: what suppliers and a buyer claim, with papers, and what the counties said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.counting.rules import Verdict
from orders.external_sales.actions import drafting, judging, reviewing
from orders.external_sales.rules import Claim, Line, Paper, PaperKind, Platform, Side
from shop.core import clock
from shop.demo.diary import Diary
from shop.demo.market import Offer
from shop.demo.papers import paper
from shop.demo.people import DEMO_SUPPLIER, People, Supplier, acting, as_it_is
from shop.identity import tokens
from shop.identity.actor import Actor

_ONLINE = (PaperKind.PLATFORM_LIST, PaperKind.INVOICE, PaperKind.BANK_RECEIPT)
_OFFLINE = (PaperKind.INVOICE, PaperKind.BANK_RECEIPT, PaperKind.CONTRACT)
#: Buyers outside the marketplace: name, kind, region.
_BUYERS = (
    ("滨州市惠民连锁超市", "enterprise", "371600"),
    ("滨州市滨城区第一中学食堂", "school", "371600"),
    ("滨州市中心医院工会", "trade_union", "371600"),
)
_HOLD = text(
    "SELECT id FROM counting_hold WHERE subject_kind = 'external_sale' AND subject_id = :id AND status = 'open' ORDER BY id LIMIT 1"
)
#: A sale of the marketplace that somebody claims once more.
_SOLD = text(
    """
    SELECT product_id, sku_id, quantity, grams, amount_fen, sold_on FROM sale_entry
    WHERE supplier_id = :supplier AND source = 'platform' AND reverses_id IS NULL AND direction = 'purchase' AND grams > 0 AND sold_on <= :until
    ORDER BY sold_on DESC, id DESC LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class _Planned:
    """A claim: sold and told so many days ago, where, whose (the place in the list of suppliers), and what became of it."""

    sold: int
    told: int
    platform: Platform
    who: int
    outcome: str


_PLANNED = (
    _Planned(58, 54, Platform.OFFLINE, 0, "accept"),
    _Planned(52, 47, Platform.P832, 1, "accept"),
    _Planned(45, 41, Platform.SOCIAL_NETWORK, 2, "accept"),
    _Planned(38, 33, Platform.OTHER_PLATFORM, 0, "accept"),
    _Planned(36, 30, Platform.CONTRACT, 3, "refuse"),
    _Planned(27, 22, Platform.OFFLINE, 4, "accept"),
    _Planned(24, 20, Platform.P832, 0, "void"),
    _Planned(19, 14, Platform.CONTRACT, 2, "accept"),
    _Planned(13, 9, Platform.OTHER_PLATFORM, 1, "accept"),
    _Planned(11, 7, Platform.OFFLINE, 0, "return"),
    _Planned(8, 5, Platform.SOCIAL_NETWORK, 0, "submit"),
    _Planned(6, 4, Platform.P832, 3, "submit"),
    _Planned(5, 3, Platform.OFFLINE, 4, "submit"),
    _Planned(3, 2, Platform.OTHER_PLATFORM, 0, "draft"),
)
_SAID = {
    "refuse": "所附合同与发票购买方不一致",
    "return": "银行回单不清晰，请重新上传",
    "void": "复核发现与平台订单为同一笔销售",
}


class Claims:
    """Notes in the diary who claims what, and when the county decides."""

    def __init__(self, session: Session, diary: Diary, people: People, offers: Sequence[Offer], start: date, today: date) -> None:
        self.session, self.diary, self.people, self.start, self.today = session, diary, people, start, today
        self.offers: dict[int, Offer] = {}
        for offer in offers:
            if offer.kind == "goods" and offer.net_grams and offer.lasts_since(start):
                self.offers.setdefault(offer.supplier_id, offer)
        able = [supplier for supplier in people.suppliers.values() if supplier.id in self.offers]
        districts: dict[str, Supplier] = {}
        for supplier in sorted(able, key=lambda one: one.name != DEMO_SUPPLIER):
            districts.setdefault(supplier.region_code[:6], supplier)
        #: One of each district, the demo's own first.
        self.suppliers = list(districts.values())
        self.numbers = 0

    def plan(self) -> None:
        """The claims of the last two months, as far as the demo reaches back, and two pairs of which one half is the other."""
        for planned in _PLANNED:
            if self._day(planned.sold) > self.start:
                self.diary.note(self._at(planned.told), partial(self._claim, planned))
        if self._day(17) > self.start:
            self.diary.note(self._at(16), partial(self._pair, 17, decided=True))
        self.diary.note(self._at(2), partial(self._pair, 4, decided=False))
        self.diary.note(self._at(1), self._sold_here)

    def late(self, sold_on: date) -> None:
        """A sale of a month that is closed is told and accepted at this moment."""
        sale_id = self._hand_in(self.suppliers[0], Platform.OFFLINE, sold_on, self._invoice())
        reviewing.accept(self.session, self._officer(self.suppliers[0]), sale_id, None, as_it_is)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _claim(self, planned: _Planned) -> None:
        supplier, sold_on = self.suppliers[planned.who], self._day(planned.sold)
        if planned.outcome == "draft":
            self._draft(supplier, planned.platform, sold_on, self._invoice())
            return
        sale_id = self._hand_in(supplier, planned.platform, sold_on, self._invoice())
        if planned.outcome != "submit":
            self.diary.note(clock.now() + timedelta(days=1), partial(self._decide, supplier, sale_id, planned.outcome))

    def _decide(self, supplier: Supplier, sale_id: int, outcome: str) -> None:
        officer = self._officer(supplier)
        if outcome in ("accept", "void"):
            reviewing.accept(self.session, officer, sale_id, None, as_it_is)
        if outcome == "void":
            reviewing.void(self.session, officer, sale_id, _SAID[outcome], as_it_is)
        if outcome == "return":
            reviewing.give_back(self.session, officer, sale_id, _SAID[outcome], as_it_is)
        if outcome == "refuse":
            reviewing.refuse(self.session, officer, sale_id, _SAID[outcome], as_it_is)

    def _pair(self, sold: int, *, decided: bool) -> None:
        """Two suppliers show the same invoice: both claims are held, until the county finds whose sale it is."""
        invoice, own = self._invoice(), self.suppliers[0]
        kept = self._hand_in(own, Platform.OFFLINE, self._day(sold), invoice)
        self._hand_in(self.suppliers[1], Platform.OFFLINE, self._day(sold), invoice)
        if decided:
            hold_id = self.session.execute(_HOLD, {"id": kept}).scalar_one()
            officer = acting(self.session, "city")
            judging.decide(self.session, officer, hold_id, Verdict.COUNT, None, "已向开票方核实，为该合作社所售")
            reviewing.accept(self.session, self._officer(own), kept, None, as_it_is)

    def _sold_here(self) -> None:
        """A supplier claims what it sold by the marketplace: product, amount and day are those of an order."""
        supplier = self.suppliers[0]
        sold = self.session.execute(_SOLD, {"supplier": supplier.id, "until": clock.today() - timedelta(days=2)}).first()
        if sold is not None:
            line = Line(sold.product_id, sold.quantity, sold.amount_fen, sku_id=sold.sku_id, grams=sold.grams)
            self._hand_in(supplier, Platform.CONTRACT, sold.sold_on, self._invoice(), line)

    # --- a claim with its papers ------------------------------------------------------------------------------------

    def _hand_in(self, supplier: Supplier, platform: Platform, sold_on: date, invoice: str, line: Line | None = None) -> int:
        sale_id = self._draft(supplier, platform, sold_on, invoice, line)
        reviewing.submit(self.session, self._seller(supplier), [sale_id])
        return sale_id

    def _draft(self, supplier: Supplier, platform: Platform, sold_on: date, invoice: str, line: Line | None = None) -> int:
        seller, line = self._seller(supplier), line or self._line(supplier)
        name, kind, region = _BUYERS[self.numbers % len(_BUYERS)]
        claim = Claim(
            side=Side.SELLER,
            platform=platform,
            supplier_id=supplier.id,
            sold_on=sold_on,
            lines=[line],
            buyer_name=name,
            buyer_kind=kind,
            buyer_region_code=region,
        )
        sale_id = drafting.draft(self.session, seller, claim)
        offline = platform in (Platform.OFFLINE, Platform.CONTRACT)
        for each in _OFFLINE if offline else _ONLINE:
            number = invoice if each is PaperKind.INVOICE else f"{each[:2].upper()}{sale_id:08}"
            shown = Paper(each, number, dated_on=sold_on, amount_fen=line.amount_fen)
            drafting.add_paper(self.session, seller, sale_id, shown, f"{each}.pdf", paper(each))
        return sale_id

    def _line(self, supplier: Supplier) -> Line:
        """Some hundred packs at the price of many, and 37 fen: no order of the marketplace comes to that."""
        offer = self.offers[supplier.id]
        quantity = Decimal(80 + 40 * (self.numbers % 6))
        return Line(offer.product_id, quantity, int(quantity * offer.tiers[-1][1]) + 37, sku_id=offer.sku_id)

    def _invoice(self) -> str:
        self.numbers += 1
        return f"{self.today:%y}502{800_000_000_000_000 + self.numbers}"

    # --- days and people --------------------------------------------------------------------------------------------

    def _day(self, days_ago: int) -> date:
        return self.today - timedelta(days=days_ago)

    def _at(self, days_ago: int) -> Any:
        return clock.start_of_day(self._day(days_ago)) + timedelta(hours=14)

    def _seller(self, supplier: Supplier) -> Actor:
        return tokens.actor_of_user(self.session, supplier.user_id)

    def _officer(self, supplier: Supplier) -> Actor:
        return tokens.actor_of_user(self.session, self.people.officers[supplier.region_code[:6]])
