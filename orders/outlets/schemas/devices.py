"""What callers send and get about devices of outlets: their keys, one by one and many at once, and their signs of life."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from orders.outlets.schemas.outlets import GoodsNumber, In, Number
from orders.outlets.states import OutletStatus
from shop.core.outcomes import OutcomeOut
from shop.core.quantities import Id, QuantityOrZero

#: As many devices as are made, or keys ended, by one request.
MOST_DEVICES = 1_000


class DeviceIn(In):
    number: Number = Field(examples=["till-1"])


class DeviceOut(BaseModel):
    id: int
    number: str
    prefix: str
    last_sequence: int = Field(description="the end of its chain of batches")
    last_hash: str | None
    created_at: datetime
    revoked_at: datetime | None


class NewDeviceOut(DeviceOut):
    key: str = Field(description="for `Authorization: Bearer …`; shown now and never again")


class DeviceOfIn(DeviceIn):
    outlet_id: Id


class DevicesIn(In):
    devices: list[DeviceOfIn] = Field(min_length=1, max_length=MOST_DEVICES)


class KeyMadeOut(OutcomeOut):
    outlet_id: int
    outlet_number: str | None = Field(description="none: the outlet is not within reach")
    outlet_name: str | None
    number: str
    device_id: int | None
    key: str | None = Field(description="for `Authorization: Bearer …`; shown now and never again")


class KeysMadeOut(BaseModel):
    done: int
    failed: int
    results: list[KeyMadeOut]


class RevokedOut(OutcomeOut):
    device_id: int


class KeysRevokedOut(BaseModel):
    done: int
    failed: int
    results: list[RevokedOut]


class ListedDeviceOut(DeviceOut):
    outlet_id: int
    outlet_number: str
    outlet_name: str


class HeldIn(In):
    goods_id: GoodsNumber
    quantity: QuantityOrZero


class HeartbeatIn(In):
    software: Number | None = Field(default=None, description="version of the device's program")
    stock: Annotated[
        list[HeldIn], Field(max_length=5000, description="what it holds; goods that are not named stay as they are")
    ] = []


class HeartbeatOut(BaseModel):
    outlet_id: int
    number: str
    status: OutletStatus
    at: datetime = Field(description="the time here, to set the device's clock by")
    last_sequence: int
    last_hash: str | None
    waiting: int = Field(description="batches that wait for one before them")
    unknown_goods: list[str] = Field(
        description="goods of the stock told that are not on the outlet's list, the first 200: nobody sees them until they are"
    )
