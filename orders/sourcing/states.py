"""The life of a request for quotation. ``closed`` is told by the clock: it is never written, an open request that was opened is closed."""

from datetime import datetime
from enum import StrEnum

from shop.core.states import StateTable


class RequestStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    #: Its time is over and its quotations can be read; nothing is awarded yet.
    CLOSED = "closed"
    PARTLY_AWARDED = "partly_awarded"
    AWARDED = "awarded"
    CANCELLED = "cancelled"


class RequestAction(StrEnum):
    EDIT = "edit"
    PUBLISH = "publish"
    EXTEND = "extend"
    ANSWER = "answer"
    AWARD_PART = "award_part"
    AWARD_REST = "award_rest"
    #: Leave what is not awarded yet unawarded.
    FINISH = "finish"
    CANCEL = "cancel"
    #: What an award came to fell through: what it took can be awarded again.
    GIVE_BACK_PART = "give_back_part"
    GIVE_BACK_ALL = "give_back_all"


_S, _A = RequestStatus, RequestAction
#: What orders goods, or leaves them be.
AWARDING = frozenset({_A.AWARD_PART, _A.AWARD_REST, _A.FINISH})

QUOTATION_REQUEST = StateTable(
    "quotation_request",
    {
        (_S.DRAFT, _A.EDIT): _S.DRAFT,
        (_S.DRAFT, _A.PUBLISH): _S.OPEN,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.OPEN, _A.EXTEND): _S.OPEN,
        (_S.OPEN, _A.ANSWER): _S.OPEN,
        (_S.OPEN, _A.CANCEL): _S.CANCELLED,
        (_S.CLOSED, _A.AWARD_PART): _S.PARTLY_AWARDED,
        (_S.CLOSED, _A.AWARD_REST): _S.AWARDED,
        (_S.CLOSED, _A.CANCEL): _S.CANCELLED,
        (_S.PARTLY_AWARDED, _A.AWARD_PART): _S.PARTLY_AWARDED,
        (_S.PARTLY_AWARDED, _A.AWARD_REST): _S.AWARDED,
        (_S.PARTLY_AWARDED, _A.FINISH): _S.AWARDED,
        (_S.PARTLY_AWARDED, _A.GIVE_BACK_PART): _S.PARTLY_AWARDED,
        (_S.PARTLY_AWARDED, _A.GIVE_BACK_ALL): _S.CLOSED,
        (_S.AWARDED, _A.GIVE_BACK_PART): _S.PARTLY_AWARDED,
        (_S.AWARDED, _A.GIVE_BACK_ALL): _S.CLOSED,
    },
    by_itself={_A.GIVE_BACK_PART, _A.GIVE_BACK_ALL},
    # to whom; and that the rest is not awarded
    says_more={_A.AWARD_PART, _A.AWARD_REST, _A.FINISH},
)


class QuotationStatus(StrEnum):
    SUBMITTED = "submitted"
    #: A newer one of the same supplier took its place.
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


def request_status(status: str, closes_at: datetime, opened_at: datetime | None, now: datetime) -> RequestStatus:
    """The status at a moment: an open request is closed from the moment of its end on, or once its quotations were opened."""
    if status == RequestStatus.OPEN and (opened_at is not None or now >= closes_at):
        return RequestStatus.CLOSED
    return RequestStatus(status)


def is_open_sql(q: str) -> str:
    """SQL: request ``q`` takes quotations at ``:now``; in words that the index of open requests answers."""
    return f"{q}.status = 'open' AND {q}.opened_at IS NULL AND {q}.closes_at > :now"


def status_sql(q: str) -> str:
    """SQL: the status of request ``q`` at ``:now``; as :func:`request_status`."""
    return (
        f"CASE WHEN {q}.status = 'open' AND ({q}.opened_at IS NOT NULL OR {q}.closes_at <= :now) THEN 'closed' ELSE {q}.status END"
    )
