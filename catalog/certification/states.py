"""The course of a case. Which steps it passes, and who takes them, is configured by the programme (its ``pipelines``).

县认定 → 公示 → 市审核 → 备案 (国开办发〔2020〕11号), with the township's opinion before the county's.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from shop.core.states import StateTable
from shop.identity.permissions import Permission


class CaseKind(StrEnum):
    INITIAL = "initial"
    RENEWAL = "renewal"
    CHANGE = "change"
    PRICE = "price"


class CaseStatus(StrEnum):
    DRAFT = "draft"
    TOWNSHIP_REVIEW = "township_review"
    COUNTY_REVIEW = "county_review"
    PUBLIC_NOTICE = "public_notice"
    CITY_REVIEW = "city_review"
    FILING = "filing"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    APPEALED = "appealed"
    WITHDRAWN = "withdrawn"


class CaseMove(StrEnum):
    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    APPROVE = "approve"
    #: A batch publishes what was filed.
    PUBLISH = "publish"
    RETURN = "return"
    REJECT = "reject"
    APPEAL = "appeal"
    GRANT_APPEAL = "grant_appeal"
    DISMISS_APPEAL = "dismiss_appeal"
    WITHDRAW = "withdraw"


class Level(StrEnum):
    """Who acts."""

    SUPPLIER = "supplier"
    TOWNSHIP = "township"
    COUNTY = "county"
    CITY = "city"

    @property
    def permission(self) -> Permission:
        return _PERMISSIONS[self]


_PERMISSIONS = {
    Level.SUPPLIER: Permission.CERTIFICATIONS_APPLY,
    Level.TOWNSHIP: Permission.CERTIFICATIONS_TOWNSHIP_REVIEW,
    Level.COUNTY: Permission.CERTIFICATIONS_COUNTY_REVIEW,
    Level.CITY: Permission.CERTIFICATIONS_CITY_REVIEW,
}

_S, _M = CaseStatus, CaseMove

#: While the supplier may change what it states.
EDITABLE = frozenset({_S.DRAFT, _S.RETURNED})
#: Nothing moves any more, but for an appeal.
CLOSED = frozenset({_S.APPROVED, _S.REJECTED, _S.WITHDRAWN})
#: What the supplier does itself; everything else is an officer's.
SUPPLIER_MOVES = frozenset({_M.SUBMIT, _M.RESUBMIT, _M.APPEAL, _M.WITHDRAW})


def resumes_at(steps: tuple[str, ...], sent_back_from: str) -> str:
    """Where a corrected case goes on: at the step that returned it; but once the public was told, at the step before the notice, because
    what the public saw has changed."""
    if "public_notice" in steps and steps.index(sent_back_from) >= steps.index("public_notice"):
        return steps[max(steps.index("public_notice") - 1, 0)]
    return sent_back_from


def course(steps: Iterable[str], sent_back_from: str | None = None, *, appealed: bool = False) -> StateTable[CaseStatus, CaseMove]:
    """The state table of a case that passes these steps, was last sent back from ``sent_back_from`` and has or has not used its appeal."""
    return _course(tuple(steps), sent_back_from, appealed)


@lru_cache(maxsize=200)
def _course(steps: tuple[str, ...], sent_back_from: str | None, appealed: bool) -> StateTable[CaseStatus, CaseMove]:
    moves: dict[tuple[CaseStatus, CaseMove], CaseStatus] = {(_S.DRAFT, _M.WITHDRAW): _S.WITHDRAWN}
    if steps:
        moves[_S.DRAFT, _M.SUBMIT] = _S(steps[0])
    for step, following in zip(steps, [*steps[1:], _S.APPROVED], strict=bool(steps)):
        here = _S(step)
        moves[here, _M.PUBLISH if here is _S.FILING else _M.APPROVE] = _S(following)
        moves[here, _M.RETURN] = _S.RETURNED
        moves[here, _M.REJECT] = _S.REJECTED
        moves[here, _M.WITHDRAW] = _S.WITHDRAWN
    moves[_S.RETURNED, _M.WITHDRAW] = _S.WITHDRAWN
    if sent_back_from:
        moves[_S.RETURNED, _M.RESUBMIT] = _S(resumes_at(steps, sent_back_from))
        if not appealed:
            moves[_S.REJECTED, _M.APPEAL] = _S.APPEALED
        moves[_S.APPEALED, _M.GRANT_APPEAL] = _S(resumes_at(steps, sent_back_from))
        moves[_S.APPEALED, _M.DISMISS_APPEAL] = _S.REJECTED
        moves[_S.APPEALED, _M.WITHDRAW] = _S.WITHDRAWN
    return StateTable("certification case", moves)
