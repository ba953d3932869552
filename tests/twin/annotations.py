"""Compares what the twin shows with the classes of Stripe's SDK, which are made from Stripe's own description of its API."""

import types
from collections.abc import Iterator
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
from stripe._list_object import ListObject
from stripe._stripe_object import StripeObject, UntypedStripeObject

CLASSES = {
    each.OBJECT_NAME: each
    for each in (
        stripe.Account,
        stripe.AccountLink,
        stripe.Balance,
        stripe.BalanceTransaction,
        stripe.BankAccount,
        stripe.Charge,
        stripe.Customer,
        stripe.Dispute,
        stripe.Event,
        stripe.PaymentIntent,
        stripe.PaymentMethod,
        stripe.Payout,
        stripe.Refund,
        stripe.Transfer,
        stripe.TransferReversal,
        stripe.WebhookEndpoint,
    )
}


def strange(value: dict[str, Any], cls: type | None = None, path: str = "") -> Iterator[str]:
    """Every field that the SDK does not know or that must be there and is not, and every value that cannot stand in its field."""
    cls = cls or CLASSES[value["object"]]
    path = path or value.get("object", cls.__name__)
    for name, annotation in cls.__annotations__.items():
        if name not in value and not name.startswith("_") and name != "OBJECT_NAME" and type(None) not in _flat(annotation):
            yield f"{path}.{name} is missing"
    for name, each in value.items():
        here = f"{path}.{name}"
        if name not in cls.__annotations__:
            yield f"{here} is unknown"
        else:
            yield from _misfits(each, cls.__annotations__[name], here)


def _flat(annotation: Any) -> Iterator[Any]:
    """The alternatives of a union."""
    if get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _flat(each)
    else:
        yield annotation


def _misfits(value: Any, annotation: Any, path: str) -> Iterator[str]:
    kinds = list(_flat(annotation))
    literals = [each for kind in kinds if get_origin(kind) is Literal for each in get_args(kind)]
    if value is None:
        if type(None) not in kinds:
            yield f"{path} may not be null"
    elif literals and isinstance(value, str) and not any(isinstance(kind, ForwardRef) for kind in kinds):
        if value not in literals:
            yield f"{path} is {value!r}, which Stripe never says"
    elif isinstance(value, bool):
        if bool not in kinds:
            yield f"{path} is no boolean"
    elif isinstance(value, int):
        if int not in kinds:
            yield f"{path} is no integer but {kinds}"
    elif isinstance(value, str):
        if str not in kinds:
            yield f"{path} is no text"
    elif isinstance(value, list):
        inner = [get_args(kind)[0] for kind in kinds if get_origin(kind) is list]
        if not inner:
            yield f"{path} is no list"
        for number, each in enumerate(value):
            yield from _misfits(each, inner[0], f"{path}[{number}]")
    else:
        yield from _inside(value, kinds, path)


def _inside(value: dict[str, Any], kinds: list[Any], path: str) -> Iterator[str]:
    kind = value.get("object")
    if kind == "list":
        if not any(get_origin(each) is ListObject or each is ListObject for each in kinds):
            yield f"{path} is no list object"
        for each in value["data"]:
            yield from strange(each, path=f"{path}.data")
        return
    if isinstance(kind, str) and kind in CLASSES:
        yield from strange(value, path=path)
        return
    classes = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, StripeObject)]
    if any(kind is UntypedStripeObject or get_origin(kind) in (UntypedStripeObject, dict) for kind in kinds):
        return
    if not classes:
        yield f"{path} is no hash but {kinds}"
        return
    yield from strange(value, classes[0], path)
