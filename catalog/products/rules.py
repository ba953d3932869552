"""What a product may be: categories, units, price tiers."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from shop.core.errors import Fault, Language
from shop.core.quantities import is_multiple


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


#: As many price tiers as a SKU may have.
MAX_TIERS = 20

_UNIT_LABELS: dict[str, tuple[str, str]] = {
    Unit.KG: ("千克", "kg"),
    Unit.BOX: ("箱", "box"),
    Unit.CRATE: ("筐", "crate"),
    Unit.BAG: ("袋", "bag"),
    Unit.PACK: ("包", "pack"),
    Unit.BOTTLE: ("瓶", "bottle"),
    Unit.BIRD: ("只", "bird"),
    Unit.PIECE: ("个", "piece"),
    Unit.PERSON: ("人次", "person"),
    Unit.ROOM_NIGHT: ("间夜", "room night"),
}
_FOOD = frozenset(Category) - {Category.HANDICRAFT, Category.RURAL_TOURISM}


def unit_label(unit: str, language: Language) -> str:
    """What a unit is called; a unit that the list does not have shows its code."""
    zh, en = _UNIT_LABELS.get(unit, (unit, unit))
    return zh if language == "zh" else en


def is_food(category: str) -> bool:
    """Whether goods of a category are eaten or drunk, so that a test report is asked for."""
    return category in _FOOD


def lies_in(township_code: str, district_code: str) -> bool:
    """Whether a township belongs to a district: its code begins with the district's."""
    return len(township_code) > len(district_code) and township_code.startswith(district_code)


def weight_fault(kind: str, net_grams: int | None) -> Fault | None:
    """Goods have a net weight, services have none."""
    if (kind == Kind.GOODS) == (net_grams is not None):
        return None
    return Fault("net_grams", "wrong_weight", "货物须填净重，服务不填", "goods need a net weight, services have none")


def tier_faults(step: Decimal, minimums: Sequence[Decimal]) -> list[Fault]:
    """The quantities from which tiers hold are whole steps and rise strictly."""
    faults = []
    for index, minimum in enumerate(minimums):
        field = f"tiers[{index}].min_quantity"
        if not is_multiple(minimum, step):
            faults.append(Fault(field, "wrong_step", "数量不是步长的整数倍", "the quantity is not a multiple of the step"))
        if index and minimum <= minimums[index - 1]:
            faults.append(Fault(field, "not_rising", "各档数量须递增", "the quantities of the tiers must rise"))
    return faults
