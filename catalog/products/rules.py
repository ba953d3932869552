"""The words of the catalogue, and what a product, a pack and its prices must be."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from shop.core.errors import Fault, Language
from shop.core.money import half_up, yuan_from_fen
from shop.core.quantities import is_multiple


def is_barcode(digits: str) -> bool:
    """Whether digits are a 商品条码 (GTIN of 8, 12, 13 or 14 digits; GB 12904): the last one checks those before it, weighted 3 and 1 from the right."""
    if len(digits) not in (8, 12, 13, 14) or not (digits.isascii() and digits.isdecimal()):
        return False
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def per_kg(price_fen: int | None, net_grams: int | None) -> int | None:
    """What a kilogram comes to in fen, rounded half up; None: it has no weight, or no price."""
    return half_up(Decimal(price_fen * 1000) / net_grams) if price_fen is not None and net_grams else None


class Kind(StrEnum):
    GOODS = "goods"
    SERVICE = "service"


class Category(StrEnum):
    """What kind of produce; the labels stand in a programme's terms."""

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


#: Neither is eaten, so neither needs a food test.
NOT_FOOD = frozenset({Category.HANDICRAFT, Category.RURAL_TOURISM})


class Unit(StrEnum):
    """What is counted: a pack, a kilogram, or what a service is sold by."""

    BAG = "bag"
    BARREL = "barrel"
    BIRD = "bird"
    BOTTLE = "bottle"
    BOX = "box"
    CAN = "can"
    CRATE = "crate"
    JAR = "jar"
    KG = "kg"
    PACK = "pack"
    PERSON = "person"
    PIECE = "piece"
    PORTION = "portion"
    ROOM_NIGHT = "room_night"
    SET = "set"
    TICKET = "ticket"


_UNITS: dict[Unit, tuple[str, str]] = {
    Unit.BAG: ("袋", "bag"),
    Unit.BARREL: ("桶", "barrel"),
    Unit.BIRD: ("只", "bird"),
    Unit.BOTTLE: ("瓶", "bottle"),
    Unit.BOX: ("箱", "box"),
    Unit.CAN: ("罐", "can"),
    Unit.CRATE: ("筐", "crate"),
    Unit.JAR: ("坛", "jar"),
    Unit.KG: ("公斤", "kg"),
    Unit.PACK: ("包", "pack"),
    Unit.PERSON: ("人", "person"),
    Unit.PIECE: ("件", "piece"),
    Unit.PORTION: ("份", "portion"),
    Unit.ROOM_NIGHT: ("间夜", "room night"),
    Unit.SET: ("套", "set"),
    Unit.TICKET: ("张", "ticket"),
}

#: Units that are weights, in grams: what is sold by one weighs that.
GRAMS_OF: Mapping[str, int] = {Unit.KG: 1000}
#: Units by which only services are sold. By the 张 goods are, too: vouchers for a box of fruit, mats, sheets of bean curd.
OF_SERVICES = frozenset({Unit.PERSON, Unit.ROOM_NIGHT})

MAX_TIERS = 20
#: VAT that a price may hold by now, in basis points: the rates 13, 9, 6 and 0 % and the levies of 5, 3 and (by relief) 1 % (增值税法 §§10–11 and the
#: rules of transition). What was sold on past days may hold others.
VAT_RATES = (0, 100, 300, 500, 600, 900, 1300)
#: The same in percent, as people are told of them.
VAT_PERCENTS = tuple(str(rate // 100) for rate in VAT_RATES)


def unit_labels(language: Language) -> dict[str, str]:
    """All units with how they read."""
    return {unit.value: unit_label(unit, language) for unit in Unit}


def unit_label(unit: Unit | str, language: Language) -> str:
    """``box`` -> 箱."""
    zh, en = _UNITS[Unit(unit)]
    return zh if language == "zh" else en


def is_food(category: Category | str) -> bool:
    """Whether a product of this category is eaten or drunk."""
    return category not in NOT_FOOD


def weight_fault(kind: Kind | str, net_grams: int | None) -> Fault | None:
    """Goods are weighed, because sales are reported in tonnes too; a service has no weight."""
    if kind == Kind.GOODS and net_grams is None:
        return Fault("net_grams", "weight_missing", "商品须填写净重", "goods need a net weight")
    if kind == Kind.SERVICE and net_grams is not None:
        return Fault("net_grams", "weight_of_a_service", "服务没有重量", "a service has no weight")
    return None


def unit_fault(kind: Kind | str, unit: Unit | str, net_grams: int | None) -> Fault | None:
    """What is sold by a unit of weight weighs that unit, or tonnes and the price ceiling would not hold; nobody buys goods by the night."""
    label, grams = _UNITS[Unit(unit)], GRAMS_OF.get(unit)
    if kind == Kind.SERVICE and grams:
        return Fault("unit", "unit_of_goods", f"服务不能按{label[0]}出售", f"a service is not sold by the {label[1]}")
    if kind == Kind.GOODS and unit in OF_SERVICES:
        return Fault(
            "unit", "unit_of_a_service", f"{label[0]}是服务的单位，不能用于商品", f"only services are sold by the {label[1]}"
        )
    if grams and net_grams not in (None, grams):
        zh = f"按{label[0]}出售的净重须为 {grams} 克；成件包装请选包装的单位，如箱、袋"
        en = f"one {label[1]} weighs {grams} grams; a pack of another weight is sold by the box, the bag or the like"
        return Fault("net_grams", "weight_of_unit", zh, en, {"grams": grams})
    return None


def is_measure(quantity: Decimal, step: Decimal, unit: Unit | str) -> bool:
    """Whether so much can be what was counted or weighed. The step is a rule for ordering: of what is sold by weight the scale says any gram."""
    return unit in GRAMS_OF or is_multiple(quantity, step)


def tier_faults(step: Decimal, tiers: Sequence[tuple[Decimal, int]]) -> list[Fault]:
    """Every fault of a price list of (quantity from which it holds, price in fen): whole steps, rising, and never dearer in bulk.

    The first quantity is the smallest that is sold.
    """
    faults = []
    for i, (minimum, price) in enumerate(tiers):
        where = f"tiers[{i}].min_quantity"
        if not is_multiple(minimum, step):
            faults.append(Fault(where, "wrong_step", "数量不是步长的整数倍", "the quantity is not a multiple of the step"))
        if i and minimum <= tiers[i - 1][0]:
            faults.append(Fault(where, "not_rising", "起订数量须逐档递增", "quantities must rise from tier to tier"))
        if i and price > tiers[i - 1][1]:
            told = ("数量越大单价不得越高", "a larger quantity cannot cost more per unit")
            faults.append(Fault(f"tiers[{i}].unit_price", "dearer_in_bulk", *told))
    return faults


def lies_in(township_code: str, district_code: str) -> bool:
    """A township's code begins with its district's."""
    return township_code.startswith(district_code) and township_code != district_code


def above_ceiling(unit_price_fen: int, net_grams: int | None, ceiling_fen: int | None, ceiling_grams: int | None) -> bool:
    """Whether a price lies above the highest one that needs no review, gram for gram; of a service, unit for unit. Exact: no division."""
    if ceiling_fen is None:
        return False
    if net_grams is None or ceiling_grams is None:
        return unit_price_fen > ceiling_fen
    return unit_price_fen * ceiling_grams > ceiling_fen * net_grams


def highest_agreed_sql(product: str, sku: str) -> str:
    """SQL: the highest price in fen that two sides may agree on for a pack without a review: the product's ceiling, gram for gram, or the
    dearest of the pack's list, which whoever agrees on nothing pays too. Null: the product has no ceiling."""
    return f"""CASE WHEN {product}.ceiling_fen IS NOT NULL THEN greatest(
        CASE WHEN {product}.ceiling_grams IS NULL OR {sku}.net_grams IS NULL THEN {product}.ceiling_fen
             ELSE {product}.ceiling_fen * {sku}.net_grams / {product}.ceiling_grams END,
        (SELECT max(listed.unit_price_fen) FROM price_tier listed WHERE listed.sku_id = {sku}.id)) END"""  # noqa: S608


def above_agreed(unit_price_fen: int, highest_fen: int | None) -> bool:
    """Whether an agreed price lies above the highest that may be agreed on (:func:`highest_agreed_sql`)."""
    return highest_fen is not None and unit_price_fen > highest_fen


def dear_faults(prices: Mapping[str, int], highest_fen: int | None) -> list[Fault]:
    """What is said of the agreed prices, by their fields, that lie above the highest that may be agreed on."""
    return [dear_fault(field, highest_fen) for field, price in prices.items() if highest_fen is not None and price > highest_fen]


def dear_fault(field: str, highest_fen: int) -> Fault:
    """What is said of a price that would need a review."""
    shown = yuan_from_fen(highest_fen)
    zh, en = f"不经审核的最高价为 {shown} 元", f"The highest price without a review is {shown} yuan"
    return Fault(field, "above_ceiling", zh, en, {"ceiling": shown})


def ceiling_for(net_grams: int | None, ceiling_fen: int, ceiling_grams: int | None) -> int:
    """The highest price in fen of a pack of so many grams that needs no review."""
    if net_grams is None or ceiling_grams is None:
        return ceiling_fen
    return ceiling_fen * net_grams // ceiling_grams
