"""Products with everything that an order asks of them, written straight into the tables."""

import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.models import Certificate
from catalog.certification.models import CertificationCase
from catalog.products import listing
from catalog.products.models import PriceTier, Product, Sku
from catalog.stock.models import Stock, StockMovement
from shop.core import clock
from shop.demo.papers import paper
from shop.identity.models import Organisation

PROGRAMME = "chongqing-2021"
PDF = paper("A paper")

_numbers = itertools.count(1)


@dataclass
class MadeProduct:
    product_id: int
    sku_id: int
    certificate_id: int | None


def make_product(
    session: Session,
    supplier: Organisation,
    *,
    name: str | None = None,
    category: str = "fruit",
    kind: str = "goods",
    district_code: str | None = None,
    township_code: str | None = None,
    prices: tuple[tuple[int, int], ...] = ((1, 6990),),
    stock: int = 1000,
    net_grams: int | None = 5000,
    certified: bool = True,
    step: int = 1,
    min_quantity: int = 1,
    vat_bp: int = 0,
) -> MadeProduct:
    """One product with one SKU; ``prices`` are (quantity from which it holds, fen). ``certified``: for as long as tests run."""
    number = next(_numbers)
    product = Product(
        supplier_id=supplier.id,
        name=name or f"产品{number}",
        kind=kind,
        category=category,
        district_code=(district_code or supplier.region_code)[:6],
        township_code=township_code,
        created_at=clock.now(),
    )
    session.add(product)
    session.flush()
    sku = Sku(
        product_id=product.id,
        code=f"T{number}",
        pack="5kg/箱" if net_grams else "人次",
        unit="box" if net_grams else "person",
        net_grams=net_grams,
        step=Decimal(step),
        min_quantity=Decimal(min_quantity),
        vat_bp=vat_bp,
    )
    session.add(sku)
    session.flush()
    session.add_all(PriceTier(sku_id=sku.id, min_quantity=Decimal(least), unit_price_fen=fen) for least, fen in prices)
    session.add(Stock(sku_id=sku.id, on_hand=Decimal(stock)))
    if stock:
        session.add(StockMovement(sku_id=sku.id, kind="receive", on_hand=Decimal(stock), reserved=Decimal(0), at=clock.now()))
    session.flush()
    listing.refresh(session, [product.id])
    return MadeProduct(product.id, sku.id, make_certificate(session, product, supplier) if certified else None)


def make_certificate(
    session: Session,
    product: Product,
    supplier: Organisation,
    *,
    valid_from: date = date(2020, 1, 1),
    valid_until: date = date(2099, 12, 31),
) -> int:
    """A certificate of its product, with the decided case behind it; returns its id."""
    case = CertificationCase(
        product_id=product.id,
        supplier_id=supplier.id,
        programme_code=PROGRAMME,
        district_code=product.district_code,
        status="approved",
        households=1,
        persons=1,
        created_at=clock.now(),
    )
    session.add(case)
    session.flush()
    certificate = Certificate(
        number=f"T-{case.id}",
        case_id=case.id,
        product_id=product.id,
        supplier_id=supplier.id,
        programme_code=PROGRAMME,
        district_code=product.district_code,
        township_code=product.township_code,
        product_name=product.name,
        supplier_name=supplier.name,
        households=1,
        persons=1,
        valid_from=valid_from,
        valid_until=valid_until,
        issued_at=clock.now(),
    )
    session.add(certificate)
    session.flush()
    return certificate.id


def recount_search(session: Session) -> int:
    """How many products differ from what their texts and prices say; zero when the catalogue's columns are in step."""
    before = session.execute(_LISTED).all()
    listing.refresh(session)
    return sum(old != new for old, new in zip(before, session.execute(_LISTED).all(), strict=True))


_LISTED = text("SELECT id, search::text, search_text, pinyin, price_fen FROM product ORDER BY id")
