"""Products with everything that an order asks of them, written straight into the tables."""

import itertools
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlmodel import Session

from shop.core import clock
from shop.identity.models import Organisation

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
    prices: tuple[tuple[int, int], ...] = ((1, 6990),),
    stock: int = 1000,
    net_grams: int | None = 5000,
    certified: bool = True,
    step: int = 1,
    min_quantity: int = 1,
    vat_bp: int = 0,
) -> MadeProduct:
    number, now = next(_numbers), clock.now()
    district = (district_code or supplier.region_code)[:6]
    one = lambda sql, **v: session.execute(text(sql), v).scalar_one()  # noqa: E731
    product_id = one(
        "INSERT INTO product (supplier_id, name, kind, category, district_code, description, status, pinyin, created_at)"
        " VALUES (:s, :n, :k, :c, :d, '', 'active', '', :now) RETURNING id",
        s=supplier.id, n=name or f"产品{number}", k=kind, c=category, d=district, now=now,
    )
    sku_id = one(
        "INSERT INTO sku (product_id, code, pack, unit, net_grams, step, min_quantity, vat_bp, status)"
        " VALUES (:p, :c, '5kg/箱', 'box', :g, :st, :m, :v, 'active') RETURNING id",
        p=product_id, c=f"T{number}", g=net_grams, st=step, m=min_quantity, v=vat_bp,
    )
    for least, price in prices:
        session.execute(text("INSERT INTO price_tier VALUES (:s, :m, :p)"), {"s": sku_id, "m": least, "p": price})
    session.execute(text("INSERT INTO stock VALUES (:s, :q, 0)"), {"s": sku_id, "q": stock})
    if stock:
        session.execute(
            text("INSERT INTO stock_movement (sku_id, kind, on_hand, reserved, at) VALUES (:s, 'receive', :q, 0, :now)"),
            {"s": sku_id, "q": stock, "now": now},
        )
    certificate_id = None
    if certified:
        case_id = one(
            "INSERT INTO certification_case (product_id, supplier_id, programme_code, district_code, status, statement, households,"
            " persons, linkage, created_at) VALUES (:p, :s, 'chongqing-2021', :d, 'certified', '', 1, 1, '', :now) RETURNING id",
            p=product_id, s=supplier.id, d=district, now=now,
        )
        certificate_id = one(
            "INSERT INTO certificate (number, case_id, product_id, supplier_id, programme_code, district_code, product_name,"
            " supplier_name, households, persons, valid_from, valid_until, issued_at)"
            " VALUES (:no, :c, :p, :s, 'chongqing-2021', :d, :n, :sn, 1, 1, :a, :b, :now) RETURNING id",
            no=f"T-{number}", c=case_id, p=product_id, s=supplier.id, d=district, n=name or "", sn=supplier.name,
            a=date(2020, 1, 1), b=date(2099, 12, 31), now=now,
        )
    return MadeProduct(product_id, sku_id, certificate_id)
