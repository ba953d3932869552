"""How far hidden counts by two dimensions may still lie from what they are, for whoever knows bounds of each cell. Pure.

The cells, their sums by either dimension and the total of all are a circulation: from the whole to each value of the first dimension, on through a
cell to each value of the second, and back to the whole. To raise one count is to send a flow round a circle that raises or lowers others, and only
hidden ones may differ from what is known. A shown one may be hidden at the price of its count, so the cheapest circle tells what is to be hidden
(the network method of Kelly, Golden and Assad, "Cell suppression", Networks 22, 1992).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from math import inf

Key = tuple[str, ...]
Table = tuple[int, ...]
Place = tuple[Table, Key]
#: The least and the most that a cell may be.
Bounds = Mapping[Key, tuple[int, int]]

_Node = tuple[int, str]
#: A count on a circle, and whether it is raised (1) or lowered (-1).
_Step = tuple[Place, int]
#: From each node on: the count between, which way it goes, and the other node.
_Near = dict[_Node, list[tuple[Place, int, _Node]]]
_START: _Node = (0, "")
_END: _Node = (3, "")
CELLS: Table = (0, 1)


class Room:
    """The counts of all cells that are not zero, by two dimensions; in ``bounds`` each lies. What is hidden grows."""

    def __init__(self, cells: Mapping[Key, int], bounds: Bounds) -> None:
        self.hidden: set[Place] = set()
        self.values: dict[Place, int] = {}
        self.ends: dict[Place, tuple[_Node, _Node]] = {}
        self.bounds: dict[Place, tuple[float, float]] = {}
        for key, count in cells.items():
            if not count:
                continue
            first, second = (1, key[0]), (2, key[1])
            for place, ends in (
                ((CELLS, key), (first, second)),
                (((0,), key[:1]), (_START, first)),
                (((1,), key[1:]), (second, _END)),
                (((), ()), (_END, _START)),
            ):
                self.values[place] = self.values.get(place, 0) + count
                self.ends[place] = ends
                # sums are bounded by their parts alone
                self.bounds[place] = (0, inf)
            least, most = bounds.get(key, (count, count))
            self.bounds[CELLS, key] = min(least, count), max(most, count)
        self.near: _Near = {}
        #: The same of hidden ones only, among which a circle is looked for first.
        self.open: _Near = {}
        for place in self.ends:
            self._join(self.near, place)

    def hide(self, places: Iterable[Place]) -> None:
        for place in places:
            if place in self.ends and place not in self.hidden:
                self.hidden.add(place)
                self._join(self.open, place)

    def _join(self, near: _Near, place: Place) -> None:
        tail, head = self.ends[place]
        near.setdefault(tail, []).append((place, 1, head))
        near.setdefault(head, []).append((place, -1, tail))

    def beside(self, place: Place, threshold: int) -> set[Place]:
        """What must be hidden beside a hidden count so that it may be as large as the threshold, or if it is, so that it may be another."""
        value, (_, most) = self.values[place], self.bounds[place]
        if value < threshold:
            return self._freed(place, 1, int(min(threshold, most)) - value)
        either = [self._freed(place, way, 1) for way in (1, -1) if self._left(place, way, {}) >= 1]
        return min(either, key=lambda places: sum(self.values[each] for each in places), default=set())

    def _freed(self, place: Place, way: int, by: int) -> set[Place]:
        """What must be hidden for a count to be raised (or lowered) by so much, with what is known of all others."""
        moved: dict[Place, int] = {place: way * by}
        freed: set[Place] = set()
        while by > 0:
            circle = self._cheapest(self.open, place, way, moved, freed) or self._cheapest(self.near, place, way, moved, freed)
            pushed = int(min([by, *(self._left(each, sign, moved) for each, sign in circle)]))
            for each, sign in circle:
                moved[each] = moved.get(each, 0) + sign * pushed
                if each not in self.hidden:
                    freed.add(each)
            by -= pushed
        return freed

    def _left(self, place: Place, way: int, moved: Mapping[Place, int]) -> float:
        """How much more a count may be raised or lowered within its bounds."""
        least, most = self.bounds[place]
        now = self.values[place] + moved.get(place, 0)
        return most - now if way > 0 else now - least

    def _cheapest(self, near: _Near, but: Place, by_way: int, moved: Mapping[Place, int], freed: Collection[Place]) -> list[_Step]:
        """The way through these counts back to where one begins that is raised (or lowered), so that the least is hidden, of those the shortest. Among
        all counts there always is one, over the sums."""
        goal, start = self.ends[but][::by_way]
        seen: dict[_Node, tuple[_Node, _Step]] = {}
        best = {start: (0, 0)}
        heap = [(0, 0, start)]
        while heap:
            price, steps, node = heappop(heap)
            if node == goal:
                return list(_back(seen, goal, start))
            if (price, steps) > best[node]:
                continue
            for place, way, other in near.get(node, ()):
                if place == but or self._left(place, way, moved) < 1:
                    continue
                free = place in self.hidden or place in freed
                further = price + (0 if free else self.values[place]), steps + 1
                if other not in best or further < best[other]:
                    best[other] = further
                    seen[other] = node, (place, way)
                    heappush(heap, (*further, other))
        return []


def _back(seen: Mapping[_Node, tuple[_Node, _Step]], goal: _Node, start: _Node) -> Iterator[_Step]:
    while goal != start:
        goal, step = seen[goal]
        yield step
