"""The demo's outlets: cabinets, halls and a zone on the net, what their tills and files told of the last weeks and what of it is held; and linked
campaigns."""

import csv
import hashlib
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.outlet_sales.actions import importing, receiving
from orders.outlet_sales.rules import batch_hash
from orders.outlet_sales.schemas import SalesBatchIn
from orders.outlets.actions import devices, goods, registering
from orders.outlets.schemas.devices import HeartbeatIn
from orders.outlets.schemas.outlets import CloseIn, GoodsIn, OutletIn, PlanIn, RefuseIn
from orders.promotions import actions as promotions
from orders.promotions.schemas import PromotionIn
from orders.promotions.states import PromotionAction
from shop.core import clock
from shop.core.money import yuan_from_fen
from shop.demo.diary import Diary
from shop.demo.market import Offer
from shop.demo.people import COUNTY, People, acting, as_it_is
from shop.demo.rows import Table
from shop.identity import tokens
from shop.identity.actor import Actor, Device

#: The outlets opened so many days ago, if the demo reaches back so far, and sell since the day after; tills send what they sold once a week.
_OPEN, _WEEK = 70, 7
#: The till of a silent outlet was last heard of so many days ago; a closed outlet sold its last so many days ago.
_SILENT, _CLOSED = 10, 20
#: So many certified products each outlet offers, beside bottled water, which is none; what the bottle costs, in fen.
_OFFERED, _WATER_FEN = 3, 2_00
_WATER = "W-1"
_HEADER = ["设备或渠道编号", "销售流水号", "销售时间", "商品编号", "商品名称", "数量", "金额", "小票号", "退货原流水号"]

#: External number, kind, district, name, address, venue.
_OUTLETS = (
    ("SN-1001", "cabinet", COUNTY, "奉节高铁站消费帮扶专柜", "奉节高铁站候车厅", "station"),
    ("SN-1002", "hall", COUNTY, "夔州特产生活馆", "奉节县滨江路18号", "scenic_spot"),
    ("SN-1003", "cabinet", "500103", "解放碑机关食堂专柜", "渝中区民族路2号", "office"),
    ("SN-1004", "hall", "500240", "石柱特产专馆", "石柱土家族自治县都督大道9号", "market"),
    ("SN-1005", "cabinet", "500235", "云阳县中医院专柜", "云阳县望江大道66号", "hospital"),
    ("SN-1006", "cabinet", "500229", "城口客运站专柜", "城口县东大街1号", "station"),
    ("SN-1007", "zone", "500103", "巴渝帮扶线上专区", "", "other"),
    ("SN-1008", "cabinet", COUNTY, "奉节县人民医院专柜", "奉节县诗仙东路5号", "hospital"),
    ("SN-1009", "cabinet", COUNTY, "白帝城游客中心专柜", "奉节县白帝镇", "scenic_spot"),
)
_ONLINE, _SILENT_ONE, _CLOSED_ONE, _WAITING, _REFUSED = "SN-1007", "SN-1005", "SN-1006", "SN-1008", "SN-1009"
_BROKEN, _DOUBLED = "SN-1004", "SN-1002"

_GOODS = text(
    """
    SELECT k.id AS sku_id, k.code, k.pack, p.name, o.name AS supplier, o.uscc FROM sku k JOIN product p ON p.id = k.product_id
    JOIN organisation o ON o.id = p.supplier_id WHERE k.id = ANY (CAST(:ids AS bigint[]))
    """
)


@dataclass
class _Outlet:
    id: int
    external: str
    region: str
    #: Goods by their number there, with their price in fen.
    prices: dict[str, int] = field(default_factory=dict)
    device_id: int | None = None
    sequence: int = 0
    last_hash: str | None = None
    #: Batches that are not sent yet.
    waiting: list[SalesBatchIn] = field(default_factory=list)
    last_sale: dict[str, Any] = field(default_factory=dict)


class Outlets:
    """Notes in the diary what happens at the outlets."""

    def __init__(
        self,
        session: Session,
        diary: Diary,
        people: People,
        offers: Sequence[Offer],
        chance: random.Random,
        start: date,
        today: date,
    ) -> None:
        self.session, self.diary, self.people, self.offers = session, diary, people, offers
        self.chance, self.start, self.today = chance, start, today
        self.operator = acting(session, "outlet")
        self.opened = max(start, today - timedelta(days=_OPEN))
        self.outlets: dict[str, _Outlet] = {}

    def plan(self) -> None:
        """From the registration of the outlets to yesterday evening."""
        self.diary.note(clock.start_of_day(self.opened) + timedelta(hours=9), self._register)
        self._plan_sales()
        self._note(_CLOSED, 10, self._close)
        self._note(4, 10, self._file_of_the_zone)
        self._note(3, 11, self._file_that_doubles)
        self._note(2, 9, self._wait_for_the_officer)
        self._note(1, 21, self._live)
        self._note(1, 22, partial(devices.tell_silent, self.session))
        self._note(26, 10, partial(self._campaign, "金秋脐橙节线上线下联动促销", -25, -12, cut=15))
        self._note(6, 10, partial(self._campaign, "岁末消费帮扶年货节", -5, 12, cut=10))
        self._note(2, 10, partial(self._campaign, "新春年货预热", 20, 40, cut=8, published=False))
        self._note(9, 10, partial(self._campaign, "三峡蜜橘周末特卖", 3, 9, cut=12, cancelled=True))

    def _note(self, days_ago: int, hour: int, act: Any) -> None:
        self.diary.note(clock.start_of_day(self.today - timedelta(days=days_ago)) + timedelta(hours=hour), act)

    # --- the outlets ------------------------------------------------------------------------------------------------

    def _register(self) -> None:
        """Seven outlets that their counties verify, with their goods, and all but the one on the net with a till."""
        for told in _OUTLETS[:7]:
            self._open(*told)
        for region in sorted({outlet.region for outlet in self.outlets.values()}):
            mine = [outlet.id for outlet in self.outlets.values() if outlet.region == region]
            registering.verify(self.session, self._officer(region), mine)
        made = Table(self.session, "outlet_device", "outlet_id number hash prefix created_by created_at")
        for outlet in self.outlets.values():
            self._offer(outlet)
            if outlet.external == _ONLINE:
                continue
            # nobody can sign in as a till of the demo: no key has this hash
            key = f"{tokens.DEVICE}{hashlib.sha256(outlet.external.encode()).hexdigest()}"
            digest = hashlib.sha256(tokens.hashed(key)).digest()
            outlet.device_id = made.add(outlet.id, "till-1", digest, key[:12], self.operator.user_id, clock.now())
        made.write(self.session)

    def _open(self, external: str, kind: str, region: str, name: str, address: str, venue: str) -> None:
        body = OutletIn(
            external_number=external,
            kind=kind,
            online=external == _ONLINE,
            url="https://outlet.example.org/zone" if external == _ONLINE else None,
            name=name,
            region_code=region,
            address=address,
            venue=venue,
            opened_on=clock.today(),
        )
        self.outlets[external] = _Outlet(registering.register(self.session, self.operator, body), external, region)

    def _offer(self, outlet: _Outlet) -> None:
        """Products of the county, or of the demo's county where it has none, and water."""
        sold = self._packs(outlet.region)
        told = {row.sku_id: row for row in self.session.execute(_GOODS, {"ids": [offer.sku_id for offer in sold]})}
        listed = []
        for number, offer in enumerate(sold, start=1):
            row, price = told[offer.sku_id], offer.tiers[0][1]
            outlet.prices[f"G-{number}"] = price
            certified = {"poverty_goods_name": row.name, "supplier_name": row.supplier, "supplier_uscc": row.uscc, "sku": row.code}
            listed.append({"goods_id": f"G-{number}", "name": f"{row.name} {row.pack}", "is_poverty_goods": "1", **certified})
        outlet.prices[_WATER] = _WATER_FEN
        listed.append({"goods_id": _WATER, "name": "矿泉水", "is_poverty_goods": "2"})
        given = [
            GoodsIn(device_id=outlet.external, action="create", price=yuan_from_fen(outlet.prices[each["goods_id"]]), **each)
            for each in listed
        ]
        goods.take(self.session, self.operator, given, "zh")

    def _packs(self, region: str) -> list[Offer]:
        own = [offer for offer in self.offers if offer.place.startswith(region) and self._lasting(offer)]
        others = [offer for offer in self.offers if offer.place.startswith(COUNTY) and self._lasting(offer)]
        return (own + [offer for offer in others if offer not in own])[:_OFFERED]

    def _lasting(self, offer: Offer) -> bool:
        """A pack that is certified from the first day to long after today."""
        return offer.kind == "goods" and offer.step == 1 and offer.lasts_since(self.start)

    def _close(self) -> None:
        """An outlet is given up; its till tells of one sale too many afterwards, which is held."""
        outlet = self.outlets[_CLOSED_ONE]
        registering.close(self.session, self.operator, outlet.id, CloseIn(closed_on=clock.today(), reason="租约到期"), as_it_is)
        self._sell(outlet, clock.now() + timedelta(days=1), lines=2)
        self._note(_CLOSED - 1, 21, partial(self._send, outlet))

    def _wait_for_the_officer(self) -> None:
        """One outlet waits for the county, another one was refused."""
        for told in _OUTLETS[7:]:
            self._open(*told)
        refused = self.outlets[_REFUSED].id
        registering.refuse(self.session, self._officer(COUNTY), refused, RefuseIn(reason="现场未见专柜，请核对地址"))

    def _live(self) -> None:
        """Signs of life, with what the cabinet holds beside what it is to hold."""
        for outlet in self.outlets.values():
            if outlet.device_id is None or outlet.external in (_SILENT_ONE, _CLOSED_ONE):
                continue
            stock = [{"goods_id": name, "quantity": str(self.chance.randint(2, 24))} for name in outlet.prices]
            devices.heartbeat(self.session, self._till(outlet), HeartbeatIn(software="1.4.2", stock=stock))
        cabinet = self.outlets["SN-1001"]
        lines = [{"sku_id": offer.sku_id, "planned_quantity": "20"} for offer in self._packs(cabinet.region)]
        goods.plan(self.session, self.operator, cabinet.id, PlanIn(lines=lines))

    # --- what they sell ---------------------------------------------------------------------------------------------

    def _plan_sales(self) -> None:
        """Every day something is sold; every week the tills send."""
        days = (self.today - self.opened).days
        for n in range(1, days):
            day = self.opened + timedelta(days=n)
            self.diary.note(clock.start_of_day(day) + timedelta(hours=20), partial(self._sell_on, day))
            if not n % _WEEK or n == days - 1:
                self.diary.note(clock.start_of_day(day) + timedelta(hours=20, minutes=30), self._send_all)

    def _sell_on(self, day: date) -> None:
        for outlet in list(self.outlets.values()):
            if outlet.device_id is None or self._is_still(outlet, day):
                continue
            opening = clock.start_of_day(day) + timedelta(hours=9, minutes=self.chance.randint(0, 60))
            self._sell(outlet, opening, lines=self.chance.randint(2, 5))

    def _is_still(self, outlet: _Outlet, day: date) -> bool:
        ended = {_SILENT_ONE: _SILENT, _CLOSED_ONE: _CLOSED}.get(outlet.external)
        return ended is not None and day >= self.today - timedelta(days=ended)

    def _sell(self, outlet: _Outlet, since: datetime, lines: int) -> None:
        """The till rings up a few sales and puts them into its next batch."""
        outlet.sequence += 1
        sold = []
        for n in range(lines):
            since += timedelta(minutes=self.chance.randint(20, 110))
            name, quantity = self.chance.choice(sorted(outlet.prices)), self.chance.randint(1, 4)
            line = {
                "line_id": f"{outlet.sequence}-{n + 1}",
                "sold_at": since.isoformat(),
                "goods_id": name,
                "quantity": str(quantity),
                "amount": yuan_from_fen(quantity * outlet.prices[name]),
            }
            sold.append(line)
            if name != _WATER:
                outlet.last_sale = line
        broken = outlet.external == _BROKEN and not outlet.sequence % 25
        said = {
            "batch_id": f"{outlet.external}-{outlet.sequence}",
            "sequence": outlet.sequence,
            "previous_hash": hashlib.sha256(b"another till").hexdigest() if broken else outlet.last_hash,
            "sent_at": (since + timedelta(minutes=10)).isoformat(),
            "lines": sold,
        }
        outlet.last_hash = batch_hash(said)
        outlet.waiting.append(SalesBatchIn.model_validate({**said, "hash": outlet.last_hash}))

    def _send_all(self) -> None:
        for outlet in self.outlets.values():
            self._send(outlet)

    def _send(self, outlet: _Outlet) -> None:
        if outlet.waiting:
            receiving.receive(self.session, self._till(outlet), outlet.waiting)
            outlet.waiting = []

    def _file_of_the_zone(self) -> None:
        """The zone on the net tells by a file what it sold in a week."""
        zone, rows = self.outlets[_ONLINE], []
        for n in range(24):
            sold_at = clock.now() - timedelta(days=1 + n % 6, hours=n % 5, minutes=self.chance.randint(0, 59))
            name, quantity = self.chance.choice(sorted(zone.prices)), self.chance.randint(1, 6)
            rows.append([zone.external, f"W{n + 1:04}", sold_at, name, quantity, quantity * zone.prices[name]])
        self._import("线上专区周报.csv", rows)

    def _file_that_doubles(self) -> None:
        """The hall's clerk sends by hand what the till has told, too: the sale is held."""
        hall = self.outlets[_DOUBLED]
        told, now = hall.last_sale, clock.now()
        fen = int(Decimal(told["amount"]) * 100)
        rows = [[hall.external, "H0001", datetime.fromisoformat(told["sold_at"]), told["goods_id"], told["quantity"], fen]]
        rows += [[hall.external, f"H000{n}", now - timedelta(hours=n), _WATER, n, n * _WATER_FEN] for n in (2, 3)]
        self._import("生活馆补报.csv", rows)

    def _import(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(_HEADER)
        for outlet, number, sold_at, goods_id, quantity, fen in rows:
            writer.writerow(
                [outlet, number, clock.shanghai_text(sold_at, "minutes"), goods_id, "", quantity, yuan_from_fen(fen), "", ""]
            )
        importing.import_file(self.session, self.operator, name, out.getvalue().encode("utf-8-sig"), None, dry_run=False)

    # --- linked campaigns -------------------------------------------------------------------------------------------

    def _campaign(self, name: str, first: int, last: int, *, cut: int, published: bool = True, cancelled: bool = False) -> None:
        """A campaign of the demo's county on the net and at its outlets, so many per cent cheaper; days from today on."""
        county = self._officer(COUNTY)
        own = [outlet for outlet in self.outlets.values() if outlet.region == COUNTY and outlet.device_id]
        lines = []
        for offer in self._packs(COUNTY):
            price = offer.tiers[0][1]
            online, offline = (yuan_from_fen(price * (100 - less) // 100) for less in (cut, cut - 2))
            lines.append({"sku_id": offer.sku_id, "online_price": online, "offline_price": offline})
        body = PromotionIn(
            name=name,
            region_code=COUNTY,
            starts_on=self.today + timedelta(days=first),
            ends_on=self.today + timedelta(days=last),
            online_place="https://outlet.example.org/zone",
            outlets=[outlet.id for outlet in own],
            lines=lines,
        )
        made = promotions.draft(self.session, county, body)
        if published:
            promotions.publish(self.session, county, made)
        if cancelled:
            promotions.stop(self.session, county, made, PromotionAction.CANCEL, "货源不足，活动取消")

    # --- who acts ---------------------------------------------------------------------------------------------------

    def _officer(self, region: str) -> Actor:
        return tokens.actor_of_user(self.session, self.people.officers[region])

    def _till(self, outlet: _Outlet) -> Actor:
        assert outlet.device_id is not None
        operator = self.operator
        device = Device(outlet.device_id, outlet.id)
        return Actor(None, f"{outlet.external}/till-1", operator.organisation_id, operator.organisation_path, (), None, device)
