"""Which SKU a row means: pure functions. Exactly one fits, or the sender has to choose; nothing is guessed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from catalog.products.rules import Unit
from catalog.products.search import normalised
from orders.importing.cells import GRAMS, UNITS, plain_text, quantity_of, same_unit, short_place
from orders.importing.rules import Column, RowFault, Step
from shop.core.quantities import MAX_QUANTITY, plain

#: So many SKUs are offered as choices.
MOST_CANDIDATES = 10
#: Names that are like an unknown one.
MOST_NEAREST = 5
#: For so many unknown names others like them are looked for.
MOST_LOOKED_UP = 1_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A SKU that a row may mean."""

    sku_id: int
    sku_code: str
    pack: str
    unit: str
    net_grams: int | None
    product_id: int
    product_name: str
    district_code: str
    district_name: str
    supplier_name: str
    on_sale: bool
    certified: bool

    def kept(self) -> dict[str, Any]:
        """As it is kept with the row."""
        names = ("sku_id", "sku_code", "product_id", "product_name", "pack", "district_name", "supplier_name", "certified")
        return {name: getattr(self, name) for name in names}


class Written(Protocol):
    """What a row says of its product."""

    code: str
    product: str
    district: str
    pack: str
    unit: str
    quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class Match:
    """The SKU that is meant, if one is, and how much of it in its own unit; what was found on the way; and the SKUs to choose from."""

    sku_id: int | None
    faults: tuple[RowFault, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    quantity: Decimal | None = None


def match(
    row: Written,
    by_code: Candidate | None,
    by_name: Sequence[Candidate],
    districts: frozenset[str] | None,
    *,
    decided: bool = False,
) -> Match:
    """The SKU of a row, among the one with its code and those whose product has its name. ``districts``: the codes of the place that the row
    names; None: it names none. ``decided``: the sender put the SKU itself there, so what the rest of the row says against it is a warning."""
    found: list[RowFault] = []
    of_code = Column.FOUND if decided else Column.CODE
    if by_code:
        found = [RowFault(Step.MATCH, column, code, warning=decided) for column, code in _against(row, by_code, districts, of_code)]
        if found and not decided:
            others = [each for each in by_name if each.sku_id != by_code.sku_id]
            return Match(None, tuple(found), (by_code, *others)[:MOST_CANDIDATES])
        return _settled(row, by_code, found)
    if row.code:
        by_its_name = bool(row.product) and not decided
        found.append(RowFault(Step.MATCH, of_code, "unknown_code", warning=by_its_name))
        if not by_its_name:
            return Match(None, tuple(found))
    if not by_name:
        return Match(None, (*found, RowFault(Step.MATCH, Column.PRODUCT, "unknown_product")))
    left = [each for each in by_name if each.on_sale]
    if not left:  # the check of the line says that it was withdrawn
        return Match(max(by_name, key=lambda each: each.sku_id).sku_id, tuple(found), quantity=row.quantity)
    if districts is not None:
        here = [each for each in left if each.district_code in districts]
        if not here:
            return _choice(Column.DISTRICT, "district_differs", left, found)
        left = here
    if row.pack:
        packed = _packed(row.pack, left)
        if not packed and grams_of(row.pack) is not None:
            return _choice(Column.PACK, "pack_differs", left, found)
        if not packed and len(left) == 1:
            found.append(RowFault(Step.MATCH, Column.PACK, "unknown_pack", warning=True, data={"pack": left[0].pack}))
        left = packed or left
    if len(left) > 1 and row.unit:
        left = _counted(row.unit, left)
    if len(left) > 1:
        one_product = len({each.product_id for each in left}) == 1
        return _choice(Column.PACK if one_product else Column.PRODUCT, "ambiguous_product", left, found)
    return _settled(row, left[0], found)


def _against(row: Written, meant: Candidate, districts: frozenset[str] | None, of_code: Column) -> Iterator[tuple[Column, str]]:
    """What else a row says that is not true of the SKU with its code."""
    if row.product and plain_text(row.product) != plain_text(meant.product_name):
        yield of_code, "code_and_name_differ"
    if districts is not None and meant.district_code not in districts:
        yield Column.DISTRICT, "district_differs"
    if row.pack and not _packed(row.pack, [meant]) and grams_of(row.pack) is not None:
        yield Column.PACK, "pack_differs"


def _choice(column: Column, code: str, candidates: Sequence[Candidate], found: Iterable[RowFault] = ()) -> Match:
    return Match(None, (*found, RowFault(Step.MATCH, column, code)), tuple(candidates[:MOST_CANDIDATES]))


def _settled(row: Written, candidate: Candidate, found: Iterable[RowFault]) -> Match:
    quantity, faults = measured(row, candidate.unit, candidate.pack, candidate.net_grams)
    return Match(candidate.sku_id, (*found, *faults), quantity=quantity)


def _packed(pack: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those whose pack is written the same, else those that weigh the same."""
    written = plain_text(pack)
    if same := [each for each in candidates if plain_text(each.pack) == written]:
        return same
    grams = grams_of(pack)
    return [each for each in candidates if grams is not None and each.net_grams == grams]


def grams_of(pack: str) -> int | None:
    """What a pack weighs that is written as ``2.5公斤/箱``; None: it does not begin with a weight."""
    quantity, unit, fault = quantity_of(plain_text(pack).partition("/")[0])
    return int(quantity * GRAMS[unit]) if quantity and fault is None and unit in GRAMS else None


def _counted(written: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are sold by the unit of a row, else those sold by weight where the row tells one; all, if none is."""
    if same := [each for each in candidates if is_sold_by(written, each.unit, each.pack)]:
        return same
    return [each for each in candidates if same_unit(written) in GRAMS and each.unit == Unit.KG] or list(candidates)


def is_sold_by(written: str, unit: str, pack: str) -> bool:
    """Whether a unit is that of a SKU, by its name or by what stands behind the slash of its pack; a row that names none means it."""
    word = same_unit(written)
    return not word or UNITS.get(word) == unit or word == same_unit(pack.rpartition("/")[2])


def measured(row: Written, unit: str, pack: str, net_grams: int | None) -> tuple[Decimal | None, list[RowFault]]:
    """How much of a SKU a row asks for, in the SKU's unit. A weight is converted, which the sender is told: 100斤 are 50 kg, or 20 packs of
    2.5 kg. Any other unit, and a weight that no number of packs makes up, is a fault and no quantity."""
    if row.quantity is None or is_sold_by(row.unit, unit, pack):
        return row.quantity, []
    told = {"unit": row.unit, "sold_by": unit}
    grams = GRAMS.get(same_unit(row.unit))
    if grams and net_grams:
        quantity = row.quantity * grams / net_grams
        if quantity == round(quantity, 3) and 0 < quantity <= MAX_QUANTITY:
            told |= {"written": f"{plain(row.quantity)} {row.unit}", "quantity": plain(round(quantity, 3))}
            return round(quantity, 3), [RowFault(Step.MATCH, Column.UNIT, "unit_converted", warning=True, data=told)]
    return None, [RowFault(Step.MATCH, Column.UNIT, "units_differ", data=told)]


class Places:
    """Districts by the names that lists call them."""

    def __init__(self, districts: Iterable[tuple[str, str, str | None]]) -> None:
        """``districts``: code, name and the code of what it is a part of by now."""
        self._codes: dict[str, frozenset[str]] = {}
        for code, name, successor in districts:
            short = short_place(name)
            self._codes[short] = self._codes.get(short, frozenset()) | {each for each in (code, successor) if each}

    def codes(self, written: str) -> frozenset[str] | None:
        """The codes of a place, also when more follows its name (石柱县中益乡); none if it is unknown. None: the row names no district."""
        short = short_place(written)
        if not short:
            return None
        if short in self._codes:
            return self._codes[short]
        whole = plain_text(written).removeprefix("重庆市").removeprefix("重庆")
        longest = max((name for name in self._codes if whole.startswith(name)), key=len, default=None)
        return self._codes[longest] if longest else frozenset()


class Nearest:
    """Finds the names that are most like another one, by the pairs of neighbouring characters that they share."""

    #: A pair that so many names hold says little.
    COMMON = 500
    #: No product's name is much longer.
    LONGEST = 60

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names

    @cached_property
    def _holders(self) -> dict[str, list[int]]:
        holders: dict[str, list[int]] = {}
        for key, name in self._names.items():
            for pair in _pairs(name):
                holders.setdefault(pair, []).append(key)
        return holders

    def to(self, name: str) -> list[int]:
        """The keys of at most five names: those that begin with the whole name, then the most alike."""
        pairs = _pairs(name[: self.LONGEST])
        shared: dict[int, int] = {}
        for pair in pairs:
            holders = self._holders.get(pair, [])
            for key in holders if len(holders) <= self.COMMON else ():
                shared[key] = shared.get(key, 0) + 1
        alike = {key: 2 * count / (len(pairs) + len(_pairs(self._names[key]))) for key, count in shared.items()}
        whole = plain_text(name)
        return sorted(alike, key=lambda key: (not plain_text(self._names[key]).startswith(whole), -alike[key], key))[:MOST_NEAREST]


def _pairs(name: str) -> set[str]:
    text = normalised(name).replace(" ", "")
    return {text[at : at + 2] for at in range(len(text) - 1)} or {text}
