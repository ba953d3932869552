"""``expand[]``: ids in an answer replaced by the objects they name."""

import copy
from typing import Any

from tests.stripe_twin.errors import invalid
from tests.stripe_twin.world import Object, World

DEEPEST = 4


def expanded(world: World, answer: Object, paths: list[str]) -> Object:
    """A copy of the answer; what it holds by id is put in where a path asks for it.

    Raises:
        StripeError: a path names what cannot be expanded, or goes deeper than four levels.
    """
    whole = copy.deepcopy(answer)
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST + (steps[0] == "data"):
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", "expand")
        _expand(world, whole, steps, path)
    return whole


def _expand(world: World, place: Any, steps: list[str], path: str) -> None:
    if isinstance(place, list):
        for each in place:
            _expand(world, each, steps, path)
        return
    if place is None:
        return
    name, rest = steps[0], steps[1:]
    if not isinstance(place, dict):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if place.get("object") == "charge" and name == "refunds" and name not in place:
        place[name] = refunds_of(world, place)
    if name == "id" or name not in place:
        raise invalid(
            f"This property cannot be expanded ({path}). You may want to try expanding 'data.{path}' instead."
            if place.get("object") == "list"
            else f"This property cannot be expanded ({path}).",
            "expand",
        )
    value = place[name]
    if isinstance(value, str):
        found = world.anything(value)
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", "expand")
        place[name] = copy.deepcopy(found)
    elif isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        place[name] = [copy.deepcopy(world.anything(each)) for each in value]
    elif isinstance(value, bool | int) or (isinstance(value, dict) and not rest and value.get("object") is None):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if rest:
        _expand(world, place[name], rest, path)


def refunds_of(world: World, charge: Object) -> Object:
    rows = [each for each in reversed(world.all("refund")) if each["charge"] == charge["id"]]
    return {
        "object": "list",
        "data": copy.deepcopy(rows[:10]),
        "has_more": len(rows) > 10,
        "url": f"/v1/charges/{charge['id']}/refunds",
    }
