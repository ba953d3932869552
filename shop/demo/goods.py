"""The demo's products, their packs and prices, from ``data/products.csv``."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sqlmodel import Session

from catalog.products import listing
from shop.core import clock
from shop.core.money import fen_from_yuan
from shop.demo.cases import CaseBook
from shop.demo.certificates import Certified
from shop.demo.dossier import Applied, specification
from shop.demo.households import VILLAGES
from shop.demo.market import Offer
from shop.demo.people import People, Region, Regions, Supplier, read_csv
from shop.demo.rows import Table, write_all

#: Units in stock today: a year's capacity within these bounds, so that the demo can be played many times.
STOCK_BOUNDS = (3_000, 40_000)


@dataclass(frozen=True)
class Pack:
    """One SKU of a product; prices in fen."""

    sku_id: int
    tiers: tuple[tuple[Decimal, int], ...]
    step: Decimal
    unit: str
    net_grams: int | None


def load(session: Session, people: People, book: CaseBook, chance: random.Random, start: date, today: date) -> list[Offer]:
    """Write every product with its certification; returns what was or is on sale."""
    shelf = _Shelf(session, people, book, chance, start, today)
    offers = [offer for row in read_csv("products.csv") for offer in shelf.put(row)]
    shelf.write()
    return offers


class _Shelf:
    def __init__(self, session: Session, people: People, book: CaseBook, chance: random.Random, start: date, today: date) -> None:
        self.session, self.people, self.book, self.chance = session, people, book, chance
        self.start, self.today = start, today
        self.regions = Regions.read(session)
        self.seasons = {row["season"]: _season(row) for row in read_csv("seasons.csv")}
        self.products = Table(
            session,
            "product",
            "supplier_id name kind category district_code township_code village description producer grade specification status"
            " ceiling_fen ceiling_grams pinyin created_at version",
        )
        self.skus = Table(session, "sku", "product_id code pack unit net_grams step min_quantity vat_bp status version")
        self.prices = Table(session, "price_tier", "sku_id min_quantity unit_price_fen", numbered=False)

    def write(self) -> None:
        write_all(self.session, [self.products, self.skus, self.prices])
        self.book.write()
        listing.refresh(self.session)

    def put(self, row: dict[str, str]) -> Iterator[Offer]:
        """One product with its packs and its way through certification."""
        supplier = self.people.suppliers[row["supplier"]]
        district = self.regions[supplier.region_code[:6]]
        new = not supplier.formerly and district.valid_from and district.valid_from > self.start
        joined = district.valid_from if new else None
        way = self.book.timetable.course(row["certification"], joined)
        applied = self._applied(row, supplier, district)
        certified = self.book.open(applied, way)
        product_id = self._product(applied, way.begun)
        for pack in self._packs(row, product_id):
            if certified:
                yield self._offer(row, supplier, district.code, product_id, pack, certified)

    def _applied(self, row: dict[str, str], supplier: Supplier, district: Region) -> Applied:
        return Applied(
            row=row,
            product_id=self.products.next_id,
            supplier=supplier,
            district=district.code,
            district_name=district.name,
            village=self.chance.choice(VILLAGES),
            producer=supplier.name,
            grade=self.chance.choice(["特级", "一级", "优等品"]) if row["kind"] == "goods" else "",
            specification=specification(row),
            season=self.seasons[row["season"]],
        )

    def _product(self, applied: Applied, created: date) -> int:
        row = applied.row
        return self.products.add(
            applied.supplier.id,
            row["name"],
            row["kind"],
            row["category"],
            applied.district,
            row["township_code"] or None,
            applied.village,
            row["name_en"],
            applied.producer,
            applied.grade,
            applied.specification,
            "active",
            *self.book.registry.ceilings.get(applied.product_id, (None, None)),
            "",
            clock.start_of_day(created) + timedelta(hours=9),
            1,
        )

    def _packs(self, row: dict[str, str], product_id: int) -> Iterator[Pack]:
        grams = int(row["net_grams"]) if row["net_grams"] else None
        yield self._pack(product_id, 1, row["pack"], row["unit"], grams, Decimal(1), Decimal(1), fen_from_yuan(row["price"]), row)
        if row["loose_price"]:
            price = fen_from_yuan(row["loose_price"])
            yield self._pack(product_id, 2, "散装/kg", "kg", 1000, Decimal("0.5"), Decimal(10), price, row)

    def _pack(
        self,
        product_id: int,
        number: int,
        pack: str,
        unit: str,
        net_grams: int | None,
        step: Decimal,
        least: Decimal,
        price: int,
        row: dict[str, str],
    ) -> Pack:
        vat_bp = int(row["vat_bp"])
        sku_id = self.skus.add(product_id, f"D{product_id:05}-{number}", pack, unit, net_grams, step, least, vat_bp, "active", 1)
        tiers = tuple((least * times, price * percent // 100 // 10 * 10) for times, percent in ((1, 100), (20, 96), (100, 92)))
        for tier in tiers:
            self.prices.add(sku_id, *tier)
        return Pack(sku_id, tiers, step, unit, net_grams)

    def _offer(
        self, row: dict[str, str], supplier: Supplier, district: str, product_id: int, pack: Pack, certified: Certified
    ) -> Offer:
        capacity = int(row["capacity_kg"] or 0) * 1000 // (pack.net_grams or 1)
        return Offer(
            sku_id=pack.sku_id,
            product_id=product_id,
            supplier_id=supplier.id,
            supplier_user_id=supplier.user_id,
            place=row["township_code"] or district,
            category=row["category"],
            kind=row["kind"],
            tiers=pack.tiers,
            step=pack.step,
            unit=pack.unit,
            net_grams=pack.net_grams,
            vat_bp=int(row["vat_bp"]),
            certificate_id=certified.certificate_id,
            on_sale_from=certified.since,
            on_sale_until=certified.until,
            season=self.seasons[row["season"]],
            stock=min(max(capacity, STOCK_BOUNDS[0]), STOCK_BOUNDS[1]),
        )


def _season(row: dict[str, str]) -> tuple[float, ...]:
    weights = [float(row[f"m{month}"]) for month in range(1, 13)]
    return tuple(weight * 12 / sum(weights) for weight in weights)
