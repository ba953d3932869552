"""The life of a campaign."""

from datetime import date
from enum import StrEnum

from shop.core.states import StateTable


class PromotionStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ENDED = "ended"
    CANCELLED = "cancelled"


class PromotionAction(StrEnum):
    EDIT = "edit"
    PUBLISH = "publish"
    END = "end"
    CANCEL = "cancel"


_S, _A = PromotionStatus, PromotionAction

PROMOTION = StateTable(
    "promotion",
    {
        (_S.DRAFT, _A.EDIT): _S.DRAFT,
        (_S.DRAFT, _A.PUBLISH): _S.PUBLISHED,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.PUBLISHED, _A.END): _S.ENDED,
        (_S.PUBLISHED, _A.CANCEL): _S.CANCELLED,
    },
)

#: SQL: the status of ``p`` on ``:today``, as :func:`status_on`.
STATUS_SQL = "CASE WHEN p.status = 'published' AND p.ends_on < :today THEN 'ended' ELSE p.status END"


def status_on(status: str, ends_on: date, today: date) -> PromotionStatus:
    """The status on a day: a published campaign has ended once its last day is over."""
    stored = PromotionStatus(status)
    return PromotionStatus.ENDED if stored is PromotionStatus.PUBLISHED and ends_on < today else stored
