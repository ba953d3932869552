"""What callers send and get about units that buy."""

from pydantic import BaseModel, ConfigDict, Field

from shop.core.quantities import Id, Name, OneLine, ProperName
from shop.identity.schemas import Phone
from shop.programmes.payment import PaymentTerms


class DeliveryAddressIn(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "北校区食堂", "address": "重庆市沙坪坝区大学城中路 1 号", "contact": "李老师", "phone": "023-65100000"}
            ]
        },
    )

    organisation_id: Id | None = None
    name: Name
    address: OneLine
    contact: ProperName | None = None
    phone: Phone | None = None
    is_default: bool = False


class DeliveryAddressPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    address: OneLine | None = None
    contact: ProperName | None = None
    phone: Phone | None = None
    is_default: bool | None = None
    active: bool | None = None


class DeliveryAddressOut(BaseModel):
    id: int
    organisation_id: int
    organisation_name: str
    name: str
    address: str
    contact: str | None
    phone: str | None
    is_default: bool
    active: bool
    version: int


class BuyingSettingsPatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    budget_unit_id: Id | None = None
    budget_required: bool | None = None
    payment_terms: PaymentTerms | None = Field(
        default=None, description="of orders that name none; null: as above, or the programme's"
    )


class BuyingSettingsOut(BaseModel):
    organisation_id: int
    budget_unit_id: int
    budget_unit_name: str
    budget_required: bool
    payment_terms: PaymentTerms | None
    version: int
