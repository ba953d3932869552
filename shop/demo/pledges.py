"""The demo's pledges to buy instead of donating, through the actions of the domains: that of the demo's firm is partly ordered and accepted, another
firm has ordered for about half of its own, and a third one is nearly done and holds a proof."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.actions import filling, pledging, proving, recounting
from orders.pledges.schemas import PledgeIn, PledgeKind
from orders.purchasing.actions import place
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.demo.deliveries import Deliveries
from shop.demo.diary import Diary
from shop.demo.market import Offer
from shop.demo.people import DEMO_FIRM, Buyer, People, acting
from shop.identity.actor import Actor

#: The pledges were opened so many days ago, if the demo reaches back so far, and end in so many.
_OPENED, _ENDS = 45, 75
#: What a pledge comes to of which nothing is ordered, in fen; up to which multiple amounts are rounded.
_LEAST_FEN, _ROUND_FEN = 5_000_000, 100_00
#: Where the demo's firm buys: it helps both counties.
_BENEFITING = ("500240", "500229")
#: What firms ordered since a moment, and what of it was accepted by now, by order and district; of districts that have not changed meanwhile.
_ORDERS = text(
    """
    SELECT po.id, po.buyer_id, po.placed_at, f.district_code AS district, sum(l.amount_fen)::bigint AS ordered_fen,
           coalesce(sum(e.amount_fen), 0)::bigint AS accepted_fen
    FROM purchase_order po JOIN supplier_order so ON so.purchase_order_id = po.id AND so.status NOT IN ('cancelled', 'rejected')
    JOIN order_line l ON l.supplier_order_id = so.id JOIN certificate f ON f.id = l.certificate_id
    JOIN region r ON r.code = f.district_code AND (r.valid_from IS NULL OR r.valid_from <= CAST(:since AS date))
        AND (r.valid_to IS NULL OR r.valid_to > CAST(:today AS date))
    LEFT JOIN LATERAL (
        SELECT sum(s.amount_fen) AS amount_fen FROM acceptance_line a JOIN sale_entry s ON s.origin_kind = 'acceptance_line' AND s.origin_id = a.id
        WHERE a.order_line_id = l.id
    ) e ON true
    WHERE po.buyer_id = ANY (CAST(:buyers AS bigint[])) AND po.placed_at >= :from_moment
    GROUP BY po.id, f.district_code ORDER BY po.id, f.district_code
    """
)
_RECIPIENTS = text("SELECT id, heads, delivery_address FROM pledge_recipient WHERE pledge_id = :id ORDER BY id")


class Pledges:
    """Notes in the diary what firms pledge, and which of their orders count."""

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
        self.session, self.diary, self.deliveries, self.today = session, diary, deliveries, today
        self.offers = [offer for offer in offers if offer.step == 1 and offer.lasts_since(start)]
        self.firms = {buyer.id: buyer for buyer in people.buyers if buyer.roles == {"enterprise"}}
        self.opened = max(start + timedelta(days=1), today - timedelta(days=_OPENED))

    def plan(self) -> None:
        """The pledge of the demo's firm, and those of the two that bought most meanwhile."""
        self._note(self.opened, 9, self._demo_firm)
        since = {"since": self.opened, "today": self.today, "from_moment": clock.start_of_day(self.opened) + timedelta(hours=12)}
        others = [buyer.id for buyer in self.firms.values() if buyer.name != DEMO_FIRM]
        found: dict[int, list[Row[Any]]] = {buyer_id: [] for buyer_id in others}
        for row in self.session.execute(_ORDERS, {**since, "buyers": others}):
            found[row.buyer_id].append(row)
        most, next_most = sorted(others, key=lambda each: (-sum(row.accepted_fen for row in found[each]), each))[:2]
        self._pledge(self.firms[most], found[most], "消费帮扶进食堂采购承诺", PledgeKind.BUY_TO_HELP, nearly_done=True)
        self._pledge(self.firms[next_most], found[next_most], "以购代捐职工慰问", PledgeKind.DONATE_BY_PURCHASE, nearly_done=False)

    def count(self) -> None:
        """What the worker does in time: the sums of the pledges are kept."""
        while recounting.recount(self.session):
            pass

    def _note(self, day: date, hour: int, act: Any) -> None:
        self.diary.note(clock.start_of_day(day) + timedelta(hours=hour), act)

    # --- of what a firm buys anyway -----------------------------------------------------------------------------------

    def _pledge(self, firm: Buyer, orders: Sequence[Row[Any]], title: str, kind: PledgeKind, *, nearly_done: bool) -> None:
        """A pledge for the districts from which the firm buys most; its orders from there count, towards one that is nearly done those that came."""
        districts: dict[str, int] = {}
        for row in orders:
            districts[row.district] = districts.get(row.district, 0) + row.accepted_fen
        regions = sorted(districts, key=lambda code: (-districts[code], code))[: 8 if nearly_done else 3] or list(_BENEFITING)
        within = [row for row in orders if row.district in regions and (row.accepted_fen or not nearly_done)]
        ordered, accepted = (sum(getattr(row, name) for row in within) for name in ("ordered_fen", "accepted_fen"))
        fen = max(accepted * 100 // 94, ordered) if nearly_done else ordered * 2
        body = PledgeIn(
            title=title,
            kind=kind,
            amount=yuan_from_fen(-(-(fen or _LEAST_FEN) // _ROUND_FEN) * _ROUND_FEN),
            regions=regions,
            purpose="采购帮扶地区农产品，用于职工食堂和节日慰问",
            valid_from=self.opened,
            valid_until=self.today + timedelta(days=_ENDS),
            fund_source="welfare",
        )
        made: list[int] = []
        self._note(self.opened, 10, lambda: made.append(self._open(self.deliveries.actor(firm.user_id), body)))
        for order_id, placed_at in dict.fromkeys((row.id, row.placed_at) for row in within):
            self.diary.note(placed_at + timedelta(minutes=30), partial(self._add, firm, made, order_id))
        if nearly_done:
            self._note(self.today - timedelta(days=1), 18, partial(self._prove, firm, made))

    def _add(self, firm: Buyer, made: Sequence[int], order_id: int) -> None:
        filling.add_order(self.session, self.deliveries.actor(firm.user_id), made[0], order_id)

    def _prove(self, firm: Buyer, made: Sequence[int]) -> None:
        proving.issue(self.session, self.deliveries.actor(firm.user_id), made[0])

    def _open(self, actor: Actor, body: PledgeIn) -> int:
        made = pledging.create(self.session, actor, body)
        pledging.open_(self.session, actor, made)
        return made

    # --- the demo's firm ----------------------------------------------------------------------------------------------

    def _demo_firm(self) -> None:
        """Gifts for two groups: those of the first are accepted, the order for the second waits for the suppliers."""
        body = PledgeIn.model_validate(
            {
                "title": "以购代捐慰问一线医护人员和环卫工人",
                "kind": "donate_by_purchase",
                "amount": "60000.00",
                "regions": list(_BENEFITING),
                "purpose": "采购石柱、城口农产品，慰问医护人员和环卫工人",
                "valid_from": self.opened,
                "valid_until": self.today + timedelta(days=_ENDS),
                "per_head_cap": "300.00",
                "fund_source": "welfare",
                "recipients": [
                    {"name": "沙坪坝区嘉陵医院", "heads": 120, "delivery_address": "重庆市沙坪坝区渝碚路50号"},
                    {"name": "南岸区环卫所", "heads": 80, "delivery_address": "重庆市南岸区南坪西路18号"},
                ],
            }
        )
        made = self._open(acting(self.session, "firm"), body)
        first, second = self.session.execute(_RECIPIENTS, {"id": made}).all()
        self._note(self.opened + timedelta(days=2), 10, partial(self._give, made, first, arrives=True))
        self._note(self.today - timedelta(days=2), 10, partial(self._give, made, second, arrives=False))

    def _give(self, made: int, to: Row[Any], *, arrives: bool) -> None:
        """For each head one pack of the first goods of each county."""
        firm = acting(self.session, "firm")
        packs = [next(offer for offer in self.offers if offer.place.startswith(code)) for code in _BENEFITING]
        head = OrderHeadIn(fund_source="welfare", delivery_address=to.delivery_address)
        lines = [OrderLineIn(sku_id=pack.sku_id, quantity=str(to.heads)) for pack in packs]
        with self.deliveries.in_its_place():
            order = place(self.session, firm, head, lines)
        filling.add_order(self.session, firm, made, order.id, to.id)
        if arrives:
            buyer = next(buyer for buyer in self.firms.values() if buyer.name == DEMO_FIRM)
            self.deliveries.confirm(order, buyer, clock.today() + timedelta(days=5))
