"""Currencies and amounts in their smallest unit, and Stripe's fee."""

from tests.stripe_twin.errors import invalid
from tests.stripe_twin.given import Given

# the least that Stripe takes of a card, where its documents name a figure
LEAST = {"usd": 50, "eur": 50, "gbp": 30, "hkd": 400, "jpy": 50, "sgd": 50, "aud": 50, "cad": 50, "chf": 50}
CURRENCIES = frozenset(LEAST) | {"cny", "myr", "nzd", "sek", "nok", "dkk", "thb", "krw", "twd", "inr"}
MOST = 99_999_999
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "hkd": "HK$", "cny": "¥", "jpy": "¥"}
ZERO_DECIMALS = {"jpy", "krw"}


def currency(given: Given, required: bool = True) -> str | None:
    name = given.text("currency", required=required)
    if name and name.lower() not in CURRENCIES:
        raise invalid(f"Invalid currency: {name}.", "currency")
    return name.lower() if name else None


def amount(given: Given, name: str = "amount", *, required: bool = True) -> int | None:
    """An amount of money that is to move: at least 1, at most eight digits."""
    value = given.integer(name, required=required)
    if value is not None and value < 1:
        raise invalid("This value must be greater than or equal to 1.", given.called(name), "parameter_invalid_integer")
    if value is not None and value > MOST:
        raise invalid(f"Amount must be no more than {MOST:,} in the smallest unit", given.called(name), "amount_too_large")
    return value


def large_enough(value: int, name: str) -> None:
    if value < LEAST.get(name, 1):
        raise invalid(f"Amount must be at least {written(LEAST[name], name)}", "amount", "amount_too_small")


def written(value: int, name: str) -> str:
    figure = f"{value:,}" if name in ZERO_DECIMALS else f"{value / 100:,.2f}"
    return f"{SIGNS.get(name, '')}{figure} {name.upper()}"


def fee(value: int, per_10_000: int, fixed: int) -> int:
    """A share of ``value``, rounded half up, and a fixed part."""
    return (value * per_10_000 + 5_000) // 10_000 + fixed
