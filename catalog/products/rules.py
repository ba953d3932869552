"""What a product may be: categories, units, price tiers."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from shop.core.errors import Fault


class Category(StrEnum):
    """Product categories; labels in both languages come from the programme's terms."""

    FRUIT = "fruit"
    VEGETABLE = "vegetable"
    GRAIN_OIL = "grain_oil"
    MEAT_POULTRY_EGG = "meat_poultry_egg"
    AQUATIC = "aquatic"
    TEA = "tea"
    TCM = "tcm"
    EDIBLE_FUNGUS = "edible_fungus"
    HONEY = "honey"
    NUT = "nut"
    CONDIMENT_PRESERVED = "condiment_preserved"
    PROCESSED_SNACK = "processed_snack"
    BEVERAGE = "beverage"
    HANDICRAFT = "handicraft"
    RURAL_TOURISM = "rural_tourism"


class Unit(StrEnum):
    """What one unit of a SKU is."""

    KG = "kg"
    BOX = "box"
    CRATE = "crate"
    BAG = "bag"
    PACK = "pack"
    BOTTLE = "bottle"
    BIRD = "bird"
    PIECE = "piece"
    PERSON = "person"
    ROOM_NIGHT = "room_night"


class Kind(StrEnum):
    GOODS = "goods"
    SERVICE = "service"


def origin_faults(district_code: str, township_code: str | None) -> list[Fault]:
    """A product comes from a district of Chongqing, and from a township of that very district."""
    faults = []
    if len(district_code) != 6 or not district_code.startswith("50"):
        faults.append(Fault("district_code", "not_a_district", "产地须为重庆市的区县", "The origin is a district or county of Chongqing"))
    if township_code is not None and (len(township_code) <= 6 or not township_code.startswith(district_code)):
        faults.append(Fault("township_code", "not_in_district", "乡镇不属于所填区县", "The township does not belong to the district"))
    return faults


def weight_faults(kind: str, net_grams: int | None) -> list[Fault]:
    """Goods have a net weight, services have none."""
    if (kind == Kind.GOODS) != (net_grams is not None):
        return [Fault("net_grams", "wrong_weight", "货物须填净重，服务不填", "Goods need a net weight, services have none")]
    return []


def tier_faults(tiers: Sequence[tuple[Decimal, int]], min_quantity: Decimal) -> list[Fault]:
    """Tiers begin at the minimum quantity, rise strictly in quantity, and never rise in price."""
    faults = []
    if not tiers or tiers[0][0] != min_quantity:
        faults.append(
            Fault("tiers[0].min_quantity", "first_tier", "第一档须从起订量开始", "The first tier begins at the minimum quantity")
        )
    for index in range(1, len(tiers)):
        if tiers[index][0] <= tiers[index - 1][0]:
            faults.append(
                Fault(f"tiers[{index}].min_quantity", "not_rising", "各档数量须递增", "The quantities of the tiers must rise")
            )
        if tiers[index][1] > tiers[index - 1][1]:
            faults.append(
                Fault(f"tiers[{index}].unit_price", "dearer_in_bulk", "数量越大单价不得越高", "A larger quantity cannot cost more per unit")
            )
    return faults
