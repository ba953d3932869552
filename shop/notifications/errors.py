"""Refusals of notifications."""

from collections.abc import Iterable

from shop.core.errors import Fault, Invalid


class UnknownKind(Invalid):
    """There is no such kind of notification."""

    code = "unknown_kind"
    zh, en = "没有此类通知", "There is no such kind of notification"

    @classmethod
    def of(cls, kinds: Iterable[str]) -> "UnknownKind":
        return cls(faults=[Fault(f"kinds.{kind}", cls.code, cls.zh, cls.en) for kind in kinds])
