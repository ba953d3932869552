"""Lists with cursors and filters, and search."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.stripe_twin.errors import invalid, missing
from tests.stripe_twin.given import Given
from tests.stripe_twin.world import Object, World

_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def times(given: Given, name: str = "created") -> Callable[[Object], bool]:
    """The filter ``created=…`` or ``created[gte]=…``."""
    if isinstance(given.values.get(name), dict):
        inner = given.nested(name)
        bounds = [(test, inner.integer(bound)) for bound, test in _BOUNDS.items()] if inner else []
        return lambda obj: all(test(obj[name], bound) for test, bound in bounds if bound is not None)
    exact = given.integer(name)
    return lambda obj: exact is None or obj[name] == exact


def listed(
    world: World, given: Given, url: str, found: Iterable[Object], *filters: str, created: bool = True, hidden: Iterable[str] = ()
) -> Object:
    """A page of ``found``, newest first; ``filters`` are names of parameters that must equal the field of the same name."""
    wanted = {name: given.text(name) for name in filters}
    right_time = times(given) if created else lambda obj: True
    limit = given.integer("limit", least=1, most=100, default=10) or 10
    after, before = given.text("starting_after"), given.text("ending_before")
    for name in hidden:
        given.text(name)
    given.done()
    if after and before:
        raise invalid("You cannot parameterize a query with both starting_after and ending_before.", "ending_before")
    rows = [
        each
        for each in sorted(found, key=lambda each: -world.order[each["id"]])
        if right_time(each) and all(value in (None, each.get(name)) for name, value in wanted.items())
    ]
    cursor = after or before
    if cursor:
        if cursor not in world.order:
            raise missing(rows[0]["object"] if rows else "object", cursor, "starting_after" if after else "ending_before", 400)
        place = world.order[cursor]
        rows = [each for each in rows if (world.order[each["id"]] < place if after else world.order[each["id"]] > place)]
    page = rows[:limit] if not before else rows[-limit:]
    return {"object": "list", "data": page, "has_more": len(rows) > len(page), "url": url}


_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[a-z_]+)(?:\[(?P<quote>["'])(?P<key>[^"']*)(?P=quote)\])?\s*(?P<how>:|~|<=|>=|<|>)\s*
    (?:(?P<mark>["'])(?P<text>(?:\\.|(?!(?P=mark)).)*)(?P=mark)|(?P<bare>null|-?\d+))\s*""",
    re.VERBOSE,
)


def _clauses(query: str) -> tuple[list[re.Match[str]], bool]:
    found: list[re.Match[str]] = []
    joints: set[str] = set()
    place = 0
    while place < len(query):
        clause = _CLAUSE.match(query, place)
        if not clause:
            raise invalid(f"We were unable to parse your search query at position {place}: {query}", "query")
        found.append(clause)
        place = clause.end()
        if place < len(query):
            joint = re.compile(r"(AND|OR)\b|(?=-?[a-z])", re.IGNORECASE).match(query, place)
            if not joint:
                raise invalid(f"We were unable to parse your search query at position {place}: {query}", "query")
            joints.add((joint[1] or "AND").upper())
            place = joint.end()
    if len(joints) > 1:
        raise invalid("You cannot combine AND and OR in one search query", "query")
    return found, "OR" in joints


def _holds(clause: re.Match[str], obj: Object, fields: tuple[str, ...]) -> bool:
    name, key = clause["field"], clause["key"]
    if name not in fields:
        raise invalid(f"Field `{name}` is an unsupported search field for resource `{obj['object']}s`.", "query")
    value: Any = (obj["metadata"].get(key) if key is not None else obj["metadata"]) if name == "metadata" else obj.get(name)
    text = re.sub(r"\\(.)", r"\1", clause["text"]) if clause["text"] is not None else clause["bare"]
    if clause["bare"] == "null":
        answer = value is None
    elif value is None:
        answer = False
    elif clause["how"] == ":":
        answer = str(value).lower() == text.lower()
    elif clause["how"] == "~":
        answer = text.lower() in str(value).lower()
    else:
        bound = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}[clause["how"]]
        answer = _BOUNDS[bound](int(value), int(text))
    return answer != bool(clause["not"])


def searched(world: World, given: Given, url: str, kind: str, fields: tuple[str, ...]) -> Object:
    """Stripe's search; what was changed less than ``search_lag`` ago is not found yet."""
    query = given.text("query", required=True) or ""
    limit = given.integer("limit", least=1, most=100, default=10) or 10
    page = given.text("page")
    given.done()
    clauses, either = _clauses(query)
    seen_until = world.clock.now() - world.settings.search_lag
    rows = [
        each
        for each in sorted(world.all(kind), key=lambda each: -world.order[each["id"]])
        if world.touched[each["id"]] <= seen_until
        and (any if either else all)([_holds(clause, each, fields) for clause in clauses])
    ]
    start = int(page) if page and page.isdecimal() else 0
    more = len(rows) > start + limit
    return {
        "object": "search_result",
        "data": rows[start : start + limit],
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "url": url,
    }
