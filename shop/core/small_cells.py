"""Small cells of published counts, such as of households: hidden, and so many others with them that nobody can work them out. Pure.

Several tables of the same counts are published together, each by some of the dimensions, and one may be subtracted from another. A count below
the threshold is hidden; so is what would give it away (secondary suppression): a line in which it is the only hidden cell, or in which the
hidden cells come to less than the threshold. At last linear algebra over all tables at once shows that no hidden cell is the sum or difference
of any shown ones. Zeros are shown: that nobody is there tells of nobody.

What is counted is told one by one in bands (:func:`band`), so more is known of a cell than that it is hidden. No bands of more than one size keep
a secret by themselves: hide 1 beside the least count of a band, tell both together, and both are known. So the tables are protected from whoever
knows the bands: so much is hidden that each hidden cell may still be another, and a small one as large as the threshold (:mod:`shop.core.cell_room`).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from shop.core.cell_room import Bounds, Key, Place, Room, Table

#: Fewer households or persons than so many could be recognised.
THRESHOLD = 5
#: The threshold of counts that may all be shown.
NOTHING_HIDDEN = 1
#: How many counts stand in one band of what a single certificate states. The first one holds counts on both sides of the threshold.
BAND = 10

#: A prime in which the elimination is done; a chance hit would hide a cell too many, never one too few.
_PRIME = 2**61 - 1


def within(count: int) -> tuple[int, int]:
    """The least and the most that a count may be, for whoever knows its band only. Nothing stands alone, since it tells of nobody."""
    if not count:
        return 0, 0
    least = count // BAND * BAND
    return max(1, least), least + BAND - 1


def band(count: int) -> str:
    """A count as everybody may know it: ``0``, ``1–9``, ``10–19`` and so on."""
    least, most = within(count)
    return f"{least}–{most}" if count else "0"


def protect(
    cells: Mapping[Key, int], tables: Sequence[Table], threshold: int = THRESHOLD, bounds: Bounds | None = None
) -> dict[Table, dict[Key, int | None]]:
    """Every table with its counts, None for what is hidden.

    ``cells`` are the counts by all dimensions; those that stand in several tables are protected in all of them together. A table is named by its
    dimensions (places in the keys of the cells), the total by none. ``bounds``: what everybody knows of each cell of two dimensions, from the bands of
    what is counted in it.
    """
    return _Publication(cells, tables, threshold, bounds).protected()


def protect_together(
    counts: Mapping[str, Mapping[Key, int]],
    tables: Sequence[Table],
    threshold: int = THRESHOLD,
    bounds: Mapping[str, Bounds] | None = None,
) -> dict[Table, dict[Key, dict[str, int | None]]]:
    """Several counts of the same cells, such as households and persons: where one is hidden all are, since any would tell of as few people."""
    each = {name: protect(cells, tables, threshold, bounds[name] if bounds else None) for name, cells in counts.items()}
    found: dict[Table, dict[Key, dict[str, int | None]]] = {table: {} for table in tables}
    for table, of_table in found.items():
        for key in next(iter(each.values()))[table]:
            figures = {name: shown[table][key] for name, shown in each.items()}
            hidden = None in figures.values()
            of_table[key] = dict.fromkeys(figures) if hidden else figures
    return found


class _Publication:
    def __init__(self, cells: Mapping[Key, int], tables: Sequence[Table], threshold: int, bounds: Bounds | None) -> None:
        self.threshold = threshold
        self.room = Room(cells, bounds) if bounds is not None else None
        self.tables = list(dict.fromkeys(tables))
        self.values: dict[Place, int] = {}
        #: The cells that a published one is the sum of; empty ones tell nothing and are left out.
        self.parts: dict[Place, frozenset[Key]] = {}
        found: dict[Place, set[Key]] = {}
        for key, count in cells.items():
            for table in self.tables:
                place = (table, tuple(key[n] for n in table))
                self.values[place] = self.values.get(place, 0) + count
                found.setdefault(place, set())
                if count:
                    found[place].add(key)
        self.parts = {place: frozenset(parts) for place, parts in found.items()}
        self.hidden = {place for place, count in self.values.items() if 0 < count < threshold}
        self.lines = list(self._lines())

    def protected(self) -> dict[Table, dict[Key, int | None]]:
        while self._hide_in_lines() or self._hide_derived() or self._hide_bounded():
            pass
        shown: dict[Table, dict[Key, int | None]] = {table: {} for table in self.tables}
        for (table, key), count in self.values.items():
            shown[table][key] = None if (table, key) in self.hidden else count
        return shown

    def _lines(self) -> Iterator[tuple[Place, list[Place]]]:
        """A cell of one table with those of a finer one that it is the sum of."""
        for coarse, fine in permutations(self.tables, 2):
            if not set(coarse) < set(fine):
                continue
            at = [fine.index(n) for n in coarse]
            children: dict[Key, list[Place]] = {}
            for table, key in self.values:
                if table == fine and self.values[table, key]:
                    children.setdefault(tuple(key[n] for n in at), []).append((table, key))
            for key, places in children.items():
                yield (coarse, key), places

    def _hide_in_lines(self) -> bool:
        """Hide more where a line gives a hidden cell away; whether anything was hidden."""
        before = len(self.hidden)
        for total, places in self.lines:
            hidden = [place for place in places if place in self.hidden]
            while self._gives_away(total, hidden):
                shown = [place for place in places if place not in self.hidden]
                if not shown:
                    self.hidden.add(total)
                    break
                hidden.append(self._hide_one(shown))
        return len(self.hidden) > before

    def _gives_away(self, total: Place, hidden: list[Place]) -> bool:
        if total in self.hidden:
            return not hidden
        return bool(hidden) and (len(hidden) == 1 or sum(self.values[place] for place in hidden) < self.threshold)

    def _hide_one(self, shown: list[Place]) -> Place:
        """The smallest is the least loss."""
        least = min(shown, key=lambda place: (self.values[place], place))
        self.hidden.add(least)
        return least

    def _hide_derived(self) -> bool:
        """Hide one more cell beside the first that can be worked out from shown ones of any tables; whether there was one."""
        span = _Span(self.parts[place] for place in self.values if place not in self.hidden and self.values[place])
        for place in sorted(self.hidden):
            if self.values[place] and span.holds(self.parts[place]):
                beside = self._shown_beside(place)
                self._hide_one(beside)
                return True
        return False

    def _hide_bounded(self) -> bool:
        """Hide more where a hidden cell could not be another within its bounds, or a small one not large; whether anything was hidden."""
        if self.room is None:
            return False
        # a table that is not told tells nothing
        self.room.hide(place for place in self.room.values if place in self.hidden or place not in self.values)
        waiting = sorted(place for place in self.hidden if self.values[place])
        before = len(waiting)
        for place in waiting:
            # what is hidden now is looked at as well; it takes nothing from those before
            more = sorted(self.room.beside(place, self.threshold))
            self.room.hide(more)
            self.hidden.update(more)
            waiting += more
        return len(waiting) > before

    def _shown_beside(self, place: Place) -> list[Place]:
        """Shown cells of the same lines, else whatever shown cell holds a part of it: one of those is used to work it out."""
        of_lines = {
            other for total, places in self.lines if place in places for other in (*places, total) if other not in self.hidden
        }
        same_table = [other for other in of_lines if other[0] == place[0]]
        if same_table:
            return same_table
        return [
            other
            for other, parts in self.parts.items()
            if other not in self.hidden and self.values[other] and parts & self.parts[place]
        ]


class _Span:
    """What can be worked out of shown sums by adding and subtracting: their span, by Gaussian elimination."""

    def __init__(self, sums: Iterator[frozenset[Key]]) -> None:
        rows = sorted(sums, key=len)
        #: Known by themselves, so that they drop out of all other sums.
        self.known = {key for row in rows if len(row) == 1 for key in row}
        self.pivots: dict[Key, dict[Key, int]] = {}
        for row in rows:
            rest = self._reduced(row)
            if rest:
                pivot = min(rest)
                inverse = pow(rest[pivot], -1, _PRIME)
                self.pivots[pivot] = {key: value * inverse % _PRIME for key, value in rest.items()}

    def holds(self, parts: frozenset[Key]) -> bool:
        return not self._reduced(parts)

    def _reduced(self, parts: frozenset[Key]) -> dict[Key, int]:
        rest = dict.fromkeys(parts - self.known, 1)
        while used := rest.keys() & self.pivots.keys():
            pivot = min(used)
            factor = rest[pivot]
            for key, value in self.pivots[pivot].items():
                left = (rest.get(key, 0) - factor * value) % _PRIME
                if left:
                    rest[key] = left
                else:
                    rest.pop(key, None)
        return rest
