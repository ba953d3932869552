"""Outlets and lines of their batches, written straight into the tables."""

import hashlib
import itertools
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import Session

from orders.outlet_sales.models import SalesBatch, SalesBatchLine
from orders.outlets.models import Outlet, OutletDevice, OutletGoods, OutletPulse
from shop.core import clock
from shop.identity import tokens
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


def make_device(session: Session, outlet: Outlet, clerk: User, number: str = "till-1") -> tuple[int, str]:
    """A device of an outlet: its id and its key."""
    secret, _ = tokens.fresh()
    key = tokens.DEVICE + secret
    device = OutletDevice(
        outlet_id=outlet.id, number=number, hash=tokens.hashed(key), prefix=key[:12], created_by=clerk.id, created_at=clock.now()
    )
    session.add(device)
    session.flush()
    return device.id, key


def make_goods(session: Session, outlet: Outlet, goods_id: str, made: MadeProduct | None = None) -> None:
    """Goods that an outlet offers: certified if they are a product of the list."""
    session.add(
        OutletGoods(
            outlet_id=outlet.id,
            goods_id=goods_id,
            name=f"商品{goods_id}",
            certified=made is not None,
            certified_name="脐橙" if made else None,
            supplier_uscc="9" * 18 if made else None,
            price_fen=2500,
            product_id=made.product_id if made else None,
            sku_id=made.sku_id if made else None,
            changed_at=clock.now(),
        )
    )
    session.flush()


def sale(
    line_id: str, goods_id: str = "G1", quantity: int = 1, *, at: datetime | None = None, price: int = 25, **more: Any
) -> dict[str, Any]:
    """A line as a till sends it."""
    sold_at = at or clock.now() - timedelta(minutes=5)
    return {
        "line_id": line_id,
        "sold_at": sold_at.isoformat(),
        "goods_id": goods_id,
        "quantity": str(quantity),
        "amount": f"{quantity * price}.00",
        **more,
    }


@dataclass
class Till:
    """A device as its maker programs it: every batch names its place and the batch before it."""

    name: str = "t"
    sequence: int = 0
    last_hash: str | None = None

    def batch(self, lines: list[dict[str, Any]], *, sent_at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """The next batch of the chain."""
        self.sequence += 1
        made = seal(
            {
                "batch_id": f"{self.name}-{self.sequence}",
                "sequence": self.sequence,
                "previous_hash": self.last_hash,
                "sent_at": (sent_at or clock.now()).isoformat(),
                "lines": lines,
                **more,
            }
        )
        self.last_hash = made["hash"]
        return made


def seal(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch with its hash, as the docs for makers of devices say it is taken; not by the program's own function."""
    said = {name: value for name, value in batch.items() if name != "hash"}
    written = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return {**said, "hash": hashlib.sha256(written.encode()).hexdigest()}
