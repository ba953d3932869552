"""Problems a caller can understand: one class per cause, one stable ``code`` each (RFC 9457, ``application/problem+json``).

An error class names what happened; its ``zh`` and ``en`` sentences may hold ``{placeholders}`` that the keyword arguments fill.
A refusal about several fields or lines carries one :class:`Fault` for each.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from shop.core.words import Words, told

Language = Literal["zh", "en"]


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one field or line. ``field`` is the path in the request, such as ``lines[3].quantity``."""

    field: str
    code: str
    zh: str
    en: str
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def told(self, language: Language) -> dict[str, Any]:
        return {
            "field": self.field,
            "code": self.code,
            "message": self.zh if language == "zh" else self.en,
            **self.data,
        }


class BadValue(ValueError):
    """What a validator says of a value, in both languages; pydantic carries it to the answer. Of several fields that do not go together ``field`` is the
    one to change, where it is plainly that one; of a list, its place. ``code``: where callers may want to know this fault from others."""

    def __init__(self, zh: str, en: str, field: str | int | None = None, code: str | None = None) -> None:
        super().__init__(en)
        self.zh = zh
        self.field = field
        self.code = code


class Problem(Exception):
    """Base of every refusal. Subclasses set ``status``, ``code``, ``zh`` and ``en``; ``words`` where a placeholder of theirs is filled by codes, which
    people are told in words. ``(s)`` in ``en`` is the plural of what ``count`` counts."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    zh: ClassVar[str] = "请求有误"
    en: ClassVar[str] = "The request is faulty"
    #: A refusal may have words of its own.
    words: Mapping[str, Words] = {}

    def __init__(self, *, faults: Sequence[Fault] = (), retry_after: int | None = None, **data: Any) -> None:
        super().__init__(self.code)
        self.faults = list(faults)
        self.retry_after = retry_after
        self.data = data

    @classmethod
    def at(cls, field: str, *, row: int | None = None, **data: Any) -> Self:
        """This refusal, with the field that causes it, and the row of a file."""
        problem = cls(**data)
        problem.faults = [problem.fault(field, **({} if row is None else {"row": row}))]
        return problem

    def fault(self, field: str, **where: Any) -> Fault:
        """This refusal as what is wrong with a field."""
        return Fault(field, self.code, self._sentence("zh"), self._sentence("en"), where)

    @property
    def is_done_before(self) -> bool:
        """Whether what is asked for was done before; see :class:`DoneBefore`."""
        return bool(self.data.get("already"))

    def __str__(self) -> str:
        return f"{self.code}: {self._sentence('en')}"

    def _sentence(self, language: Language) -> str:
        english = language == "en"
        spoken = {name: told(self.data[name], words, english=english) for name, words in self.words.items() if name in self.data}
        said = (self.en if english else self.zh).format_map(_Blank(self.data | spoken))
        return said.replace("(s)", "" if self.data.get("count") == 1 else "s")

    def told(self, language: Language) -> dict[str, Any]:
        """The problem document without the request's own members (``instance``, ``request_id``)."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self._sentence(language),
            "status": self.status,
            "code": self.code,
        }
        if self.data:
            document["data"] = self.data
        if self.faults:
            document["errors"] = [fault.told(language) for fault in self.faults]
        return document


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


class Unauthenticated(Problem):
    status, code = 401, "unauthenticated"
    zh, en = "请先登录", "Sign in first"


class Forbidden(Problem):
    status, code = 403, "forbidden"
    zh, en = "没有此操作的权限", "This needs a permission that you do not have"


class NotFound(Problem):
    """Also for what exists but lies out of the caller's reach: existence is not told."""

    status, code = 404, "not_found"
    zh, en = "未找到", "Not found"


class Conflict(Problem):
    status, code = 409, "conflict"
    zh, en = "与当前状态冲突", "This conflicts with the present state"


class DoneBefore(Conflict):
    """What is asked for was done before, by whomever: its ``data`` say ``already``, so that whoever asks twice can tell it from a refusal, whatever its
    code. Nothing has changed; where words were sent along, those of the first time stand. ``as_asked``: whether what stands is what is asked for; of a
    decision to the contrary, another amount or other lines it is a refusal as any."""

    def __init__(self, *, as_asked: bool = True, **given: Any) -> None:
        super().__init__(**({"already": True, **given} if as_asked else given))


class Changed(Problem):
    status, code = 412, "changed_meanwhile"
    zh, en = "内容已被他人修改，请刷新后重试", "It was changed meanwhile; read it again, then retry"


#: Refuses (:class:`Changed`) another version of a resource than the caller read; an action calls it once the resource is locked.
IfMatch = Callable[[int], None]


def any_version(_: int) -> None:
    """The :data:`IfMatch` of somebody who did not read the resource before: a job, or another action."""


def version_read(read: int | None) -> IfMatch:
    """The :data:`IfMatch` of one of several resources, whose version the body names; None: it names none."""

    def check(present: int) -> None:
        if read is not None and read != present:
            raise Changed

    return check


class TooLarge(Problem):
    status, code = 413, "too_large"
    zh, en = "内容超过大小限制（{limit} 字节）", "The content is larger than {limit} bytes"


class Invalid(Problem):
    """The payload itself is at fault; ``faults`` name the fields."""

    status, code = 422, "invalid"
    zh, en = "提交内容有误", "The content is not valid"

    @classmethod
    def one(cls, field: str, code: str, zh: str, en: str) -> "Invalid":
        return cls(faults=[Fault(field, code, zh, en)])


class SomeRefused(Invalid):
    code = "some_refused"
    zh = "{count} 项不能办理，未办理任何一项"
    en = "{count} of these cannot be done; none was"


def refuse_some(field: str, asked: int, refused: Mapping[int, Problem]) -> None:
    """Refuse what was asked of several at once, if any of them is refused: each by its place in ``field``, with ``already`` where it was done before.
    One alone is refused as it is.

    Raises:
        SomeRefused: of several (422). Problem: of one.
    """
    if refused and asked == 1:
        raise refused[0]
    if refused:
        faults = [
            problem.fault(f"{field}[{place}]", **({"already": True} if problem.is_done_before else {}))
            for place, problem in refused.items()
        ]
        raise SomeRefused(count=len(refused), faults=faults)


def unknown_code(field: str, code: object) -> Fault:
    """That what is asked for by a code or an id is nothing there: its figures would read as none."""
    return Fault(field, "unknown_code", f"没有这个代码：{code}", f"there is no such code: {code}")


class TooMany(Problem):
    status, code = 429, "too_many_requests"
    zh, en = "请求过于频繁，请稍后再试", "Too many requests; try again later"


class Unavailable(Problem):
    status, code = 503, "unavailable"
    zh, en = "服务暂不可用，请稍后重试", "The service is not available at the moment; try again"


#: Constraint name -> the problem it means. A domain adds its own beside its tables; any other violation is a plain conflict.
CONSTRAINTS: dict[str, type[Problem]] = {}
