"""Which counts of households and persons may be told to whoever may not read the lists of households. Pure.

The public table and the export tell, by county and category, how many take part, a household once in each category (户次), so that rows add up. The
figures of monitoring tell besides how many there are in a county, each once (户数). Where a county has one category both are the same number, so
what is hidden in one is hidden in all: the pattern is always that of the whole city, whatever part of it is asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from shop.core.cell_room import Bounds, Key, Table
from shop.core.small_cells import THRESHOLD, protect_together

#: By county and category, by each of them, and in all.
TABLES: tuple[Table, ...] = ((0, 1), (0,), (1,), ())
#: Length of a county's code; a township's is longer.
_COUNTY_CODE = 6

#: Counts by what they are of, such as households and persons.
Counts = Mapping[str, Mapping[Key, int]]


@dataclass(frozen=True)
class Told:
    """What may be told. ``added``: the counts by county and category (keys: both) and their sums, None for what is hidden; ``hidden``: the counties
    whose households, each counted once, are hidden; ``in_all``: whether the total of these may be told."""

    added: Mapping[Table, Mapping[Key, Mapping[str, int | None]]]
    hidden: frozenset[str]
    in_all: bool
    #: The counties that are asked for; None: the whole city.
    counties: frozenset[str] | None = None
    #: Whether less than counties is asked for, of which nothing is known.
    less: bool = False

    def within(self, prefixes: Sequence[str], county: str | None = None) -> "Told":
        """The same of regions, by prefixes of their codes (an empty one: everywhere), or of the one county among them."""
        if any(len(prefix) > _COUNTY_CODE for prefix in prefixes):
            return replace(self, less=True)
        if county is not None:
            return replace(self, counties=frozenset({county}))
        if "" in prefixes:
            return self
        return replace(self, counties=frozenset(code for (code,) in self.added[(0,)] if code.startswith(tuple(prefixes))))

    def tells(self, county: str | None = None, category: str | None = None) -> bool:
        """Whether a count may be told in which a household stands once in each county, of a category or of all; without a county in all of them."""
        if self.less:
            return False
        if category is not None:
            return self._adds(county, category)
        if county is None and self.counties is None:
            return self.in_all
        return self.hidden.isdisjoint(self._asked(county))

    def adds_up(self, county: str | None = None, category: str | None = None) -> bool:
        """The same of sums over categories, in which a household stands once in each of them."""
        return not self.less and self._adds(county, category)

    def _adds(self, county: str | None, category: str | None) -> bool:
        if county is None and self.counties is None:
            return self._shown(None, category)
        return all(self._shown(each, category) for each in self._asked(county))

    def _asked(self, county: str | None) -> Collection[str]:
        return (self.counties or ()) if county is None else (county,)

    def _shown(self, county: str | None, category: str | None) -> bool:
        table = tuple(at for at, code in enumerate((county, category)) if code is not None)
        key = tuple(code for code in (county, category) if code is not None)
        # what is not there is nothing, which tells of nobody
        return None not in self.added[table].get(key, {}).values()


def told(cells: Counts, once: Counts, bounds: Mapping[str, Bounds]) -> Told:
    """What may be told of counts by county and category, and of those by county (keys: the county alone) in which everybody stands once.
    ``bounds``: what everybody knows of the counts by county and category, from the bands of single certificates.

    A county that is hidden as a sum is hidden as a stock. A county whose stock alone is small takes others with it, of those with several
    categories, since the stock of the others stands in the sums as well; where there are too few, the total goes. It goes with the
    sum of the sums, too.
    """
    added = protect_together(cells, TABLES, bounds=bounds)
    counties = sorted({county for counts in once.values() for (county,) in counts})
    several = {county for county in counties if sum(place == county for place, _ in added[(0, 1)]) > 1}
    apart = {county for county in counties if None in added[(0,)].get((county,), {}).values()}
    rest = [county for county in counties if county not in apart]
    hidden = {county for county in rest if any(0 < counts[(county,)] < THRESHOLD for counts in once.values())}
    # nothing hides nobody
    full = {county for county in rest if all(counts[(county,)] for counts in once.values())}
    beside = sorted((several & full) - hidden, key=lambda county: [counts[(county,)] for counts in once.values()])
    least = {name: _least(cells[name], counts, bounds[name]) for name, counts in once.items()}
    while hidden and any(_gives_away(hidden, counts, least[name]) for name, counts in once.items()):
        if not beside:
            return Told(added, frozenset(apart | hidden), in_all=False)
        hidden.add(beside.pop(0))
    return Told(added, frozenset(apart | hidden), in_all=None not in added[()].get((), {}).values())


def _least(cells: Mapping[Key, int], once: Mapping[Key, int], bounds: Bounds) -> dict[str, int]:
    """The least that everybody knows each county's stock to be: what the bands come to, or the largest of its cells."""
    found = {}
    for (county,), count in once.items():
        places = [key for key in cells if key[0] == county]
        found[county] = max([min(count, sum(bounds[key][0] for key in places if key in bounds)), *(cells[key] for key in places)])
    return found


def _gives_away(hidden: Collection[str], counts: Mapping[Key, int], least: Mapping[str, int]) -> bool:
    """Whether a small stock among these, of which the sum is known, could not be as large as the threshold."""
    if len(hidden) == 1:
        return True
    spare = sum(counts[(county,)] - least[county] for county in hidden)
    return any(0 < counts[(county,)] < THRESHOLD and least[county] + spare < THRESHOLD for county in hidden)
