"""``expand[]``: ids in an answer replaced by the objects they name."""

import copy
from typing import Any

from tests.stripe_twin.errors import StripeError, invalid
from tests.stripe_twin.world import Object, World

DEEPEST = 4
EXPANDABLE = {
    "balance_transaction": {"source"},
    "bank_account": {"account", "customer"},
    "charge": {
        "balance_transaction",
        "customer",
        "failure_balance_transaction",
        "on_behalf_of",
        "payment_intent",
        "refunds",
        "review",
        "source_transfer",
        "transfer",
    },
    "customer": {"default_source", "test_clock"},
    "dispute": {"charge", "payment_intent"},
    "payment_intent": {"customer", "latest_charge", "on_behalf_of", "payment_method", "review", "source"},
    "payment_method": {"customer"},
    "payout": {"balance_transaction", "destination", "failure_balance_transaction", "original_payout", "reversed_by"},
    "refund": {"balance_transaction", "charge", "failure_balance_transaction", "payment_intent"},
    "transfer": {"balance_transaction", "destination", "destination_payment", "source_transaction"},
    "transfer_reversal": {"balance_transaction", "source_refund", "transfer"},
}
_NAMES = set().union(*EXPANDABLE.values())
_LISTS = ("list", "search_result")


def _refused(path: str, began: bool = True) -> StripeError:
    return StripeError(f"This property cannot be expanded ({path}).", param="expand", began=began)


def check(paths: list[str]) -> None:
    """Before anything is done: whether these are paths at all.

    Raises:
        StripeError: a name that no object can expand, or more than four levels.
    """
    for path in paths:
        steps = path.split(".")
        names = steps[1:] if steps[0] == "data" else steps
        if len(names) > DEEPEST:
            raise invalid(f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", "expand")
        if not names or set(names) - _NAMES:
            raise _refused(path, began=False)


def expanded(world: World, answer: Object, paths: list[str]) -> Object:
    """A copy of the answer; what it holds by id is put in where a path asks for it.

    Raises:
        StripeError: a path does not fit this object.
    """
    whole = copy.deepcopy(answer)
    for path in paths:
        _expand(world, whole, path.split("."), path)
    return whole


def _expand(world: World, place: Any, steps: list[str], path: str) -> None:
    if isinstance(place, list):
        for each in place:
            _expand(world, each, steps, path)
    elif place is not None and steps:
        name, rest = steps[0], steps[1:]
        if place["object"] in _LISTS and name == "data":
            _expand(world, place["data"], rest, path)
            return
        if name not in EXPANDABLE.get(place["object"], ()):
            raise _refused(path)
        place[name] = refunds_of(world, place) if name == "refunds" else _fetched(world, place.get(name), path)
        _expand(world, place[name], rest, path)


def _fetched(world: World, value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value  # nothing, or put in by an earlier path
    if found := world.anything(value):
        return copy.deepcopy(found)
    if world.note(value).get("deleted"):
        return {"id": value, "object": "customer", "deleted": True}
    raise _refused(path)


def refunds_of(world: World, charge: Object) -> Object:
    rows = [each for each in reversed(world.all("refund")) if each["charge"] == charge["id"]]
    return {
        "object": "list",
        "data": copy.deepcopy(rows[:10]),
        "has_more": len(rows) > 10,
        "url": f"/v1/charges/{charge['id']}/refunds",
    }
