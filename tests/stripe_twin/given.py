"""The parameters of a request: Stripe's nested form encoding, and reading them with its checks.

A handler reads what it knows; ``done`` then refuses what nobody has read, so a misspelt parameter never passes in silence.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from tests.stripe_twin.errors import invalid, not_modelled

_NAME = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*")
_PART = re.compile(r"\[([^\[\]]*)\]")
METADATA_KEYS = 50


def parse(encoded: str) -> dict[str, Any]:
    """``a[b]=1&c[]=2&d[0][e]=3`` as ``{"a": {"b": "1"}, "c": ["2"], "d": [{"e": "3"}]}``.

    Raises:
        StripeError: brackets that do not match, or one name used as a text and as a hash.
    """
    found: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if not _NAME.fullmatch(name):
            raise invalid(f"Invalid parameter name: {name}", name)
        head, _, rest = name.partition("[")
        parts = [head, *_PART.findall(f"[{rest}" if rest else "")]
        place = found
        for here in parts[:-1]:
            here = here or str(len(place))
            step = place.setdefault(here, {})
            if not isinstance(step, dict):
                raise invalid(f"Invalid {name}: used both as a value and as a hash", name)
            place = step
        place[parts[-1] or str(len(place))] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(each) for name, each in value.items()}
    if inner and all(name.isdecimal() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


class Given:
    """What was sent, read name by name. An empty text means: unset."""

    def __init__(self, values: dict[str, Any], path: str = "") -> None:
        self.values = values
        self.path = path
        self.read: set[str] = set()
        self.inner: list[Given] = []

    def __contains__(self, name: str) -> bool:
        self.read.add(name)
        return name in self.values

    def called(self, name: str) -> str:
        return f"{self.path}[{name}]" if self.path else name

    def _take(self, name: str, required: bool) -> Any:
        self.read.add(name)
        value = self.values.get(name)
        if required and value is None:
            raise invalid(f"Missing required param: {self.called(name)}.", self.called(name), "parameter_missing")
        if required and value == "":
            raise invalid(
                f"You passed an empty string for '{self.called(name)}', which cannot be unset.",
                self.called(name),
                "parameter_invalid_empty",
            )
        return value

    def text(
        self, name: str, *, required: bool = False, choices: tuple[str, ...] = (), longest: int = 5000, default: str | None = None
    ) -> str | None:
        value = self._take(name, required)
        if value is None:
            return default
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", self.called(name), "parameter_invalid_string")
        if choices and value and value not in choices:
            raise invalid(f"Invalid {self.called(name)}: must be one of {', '.join(choices)}", self.called(name))
        if len(value) > longest:
            raise invalid(
                f"Invalid string: {value[:20]}…; must be at most {longest} characters",
                self.called(name),
                "string_too_long",
            )
        return value

    def integer(
        self, name: str, *, required: bool = False, least: int | None = None, most: int | None = None, default: int | None = None
    ) -> int | None:
        value = self._take(name, required)
        if value is None or value == "":
            return default
        if not isinstance(value, str) or not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise invalid(f"Invalid integer: {value}", self.called(name), "parameter_invalid_integer")
        number = int(value)
        if least is not None and number < least:
            raise invalid(
                f"Invalid integer: {number}. This value must be greater than or equal to {least}.",
                self.called(name),
                "parameter_invalid_integer",
            )
        if most is not None and number > most:
            raise invalid(
                f"Invalid integer: {number}. This value must be less than or equal to {most}.",
                self.called(name),
                "parameter_invalid_integer",
            )
        return number

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._take(name, False)
        if value in (None, ""):
            return default
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", self.called(name))
        return bool(value == "true")

    def texts(self, name: str, *, required: bool = False) -> list[str] | None:
        value = self._take(name, required)
        if value is None:
            return None
        if value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid("Invalid array", self.called(name))
        return value

    def nested(self, name: str) -> "Given | None":
        """A hash inside; None if it was not sent. What it does not read is refused by the outermost ``done``."""
        value = self._take(name, False)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid object", self.called(name))
        inner = Given(value, self.called(name))
        self.inner.append(inner)
        return inner

    def free(self, name: str) -> dict[str, Any] | None:
        """A hash that is kept as it is, unread."""
        value = self._take(name, False)
        if value in (None, ""):
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid object", self.called(name))
        return value

    def metadata(self, present: dict[str, str] | None = None) -> dict[str, str]:
        """``present`` with what was sent laid over it: an empty value takes a key out, an empty text all of them."""
        kept = dict(present or {})
        value = self._take("metadata", False)
        if value is None:
            return kept
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise invalid("Invalid object", "metadata")
        for key, each in value.items():
            if len(key) > 40:
                raise invalid(
                    f"Metadata keys can have up to 40 characters, but you passed in a key that has {len(key)}.", "metadata"
                )
            if not isinstance(each, str):
                raise invalid("Metadata values must be strings", f"metadata[{key}]")
            if len(each) > 500:
                raise invalid(
                    f"Metadata values can have up to 500 characters, but you passed in a value that is {len(each)} characters.",
                    f"metadata[{key}]",
                )
            if each:
                kept[key] = each
            else:
                kept.pop(key, None)
        if len(kept) > METADATA_KEYS:
            raise invalid(f"Metadata can have up to {METADATA_KEYS} keys, but you set {len(kept)}.", "metadata")
        return kept

    def unmodelled(self, *names: str) -> None:
        """Parameters that Stripe has and the twin has not; none of them passes in silence."""
        for name in names:
            self.read.add(name)
            if name in self.values:
                raise not_modelled(f"the parameter {self.called(name)}", self.called(name))

    def done(self) -> None:
        """Raises:
        StripeError: a parameter was sent that nobody has read.
        """
        for name in self.values:
            if name not in self.read:
                raise invalid(f"Received unknown parameter: {self.called(name)}", self.called(name), "parameter_unknown")
        for each in self.inner:
            each.done()
