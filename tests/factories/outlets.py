"""Outlets and lines of their batches, written straight into the tables."""

import itertools
from datetime import datetime
from decimal import Decimal

from sqlmodel import Session

from orders.outlet_sales.models import SalesBatch, SalesBatchLine
from orders.outlets.models import Outlet, OutletPulse
from shop.core import clock
from shop.identity.models import User
from tests.factories.catalog import MadeProduct
from tests.factories.identity import make_organisation

_numbers = itertools.count(1)


def make_outlet(session: Session, clerk: User, *, region_code: str = "500112", kind: str = "cabinet") -> Outlet:
    """A verified outlet with an operator of its own."""
    operator = make_organisation(session, kind="enterprise", role="outlet_operator", region_code=region_code)
    n = next(_numbers)
    outlet = Outlet(
        number=f"ZG-{region_code}-{n:06}",
        external_number=f"D{n}",
        kind=kind,
        name=f"专柜{n}",
        operator_id=operator.id,
        region_code=region_code,
        address="火车北站",
        opened_on=clock.today().replace(month=1, day=1),
        status="verified",
        registered_by=clerk.id,
        registered_at=clock.now(),
        verified_by=clerk.id,
        verified_at=clock.now(),
    )
    session.add(outlet)
    session.flush()
    session.add(OutletPulse(outlet_id=outlet.id, seen_at=clock.now()))
    session.flush()
    return outlet


def make_batch_line(
    session: Session, outlet: Outlet, made: MadeProduct, *, sold_at: datetime, quantity: int = 2, amount_fen: int = 5000
) -> SalesBatchLine:
    """A batch of one line that is to be counted."""
    n = next(_numbers)
    batch = SalesBatch(
        outlet_id=outlet.id,
        batch_id=f"B{n}",
        way="file",
        hash="0" * 64,
        status="accepted",
        line_count=1,
        certified_fen=amount_fen,
        other_fen=0,
        first_sold_at=sold_at,
        last_sold_at=sold_at,
        received_at=clock.now(),
    )
    session.add(batch)
    session.flush()
    line = SalesBatchLine(
        batch_id=batch.id,
        outlet_id=outlet.id,
        line_no=1,
        line_id=f"L{n}",
        sold_at=sold_at,
        sold_on=clock.shanghai_date(sold_at),
        goods_id="G1",
        goods_name="脐橙",
        certified=True,
        product_id=made.product_id,
        sku_id=made.sku_id,
        quantity=Decimal(quantity),
        grams=quantity * 750,
        amount_fen=amount_fen,
        status="counted",
    )
    session.add(line)
    session.flush()
    return line
