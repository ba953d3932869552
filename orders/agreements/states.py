"""The life of an agreement, and of what hangs on it. That an agreement is over follows from its dates, whenever somebody looks."""

from datetime import date
from enum import StrEnum

from shop.core.states import StateTable


class AgreementStatus(StrEnum):
    """What is written down."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class AgreementState(StrEnum):
    """What it amounts to today."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    UPCOMING = "upcoming"
    ACTIVE = "active"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class AgreementMove(StrEnum):
    EDIT = "edit"
    PROPOSE = "propose"
    REVISE = "revise"
    SIGN_FIRST = "sign_first"
    SIGN_SECOND = "sign_second"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


_S, _M = AgreementStatus, AgreementMove

AGREEMENT = StateTable(
    "agreement",
    {
        (_S.DRAFT, _M.EDIT): _S.DRAFT,
        (_S.DRAFT, _M.PROPOSE): _S.PROPOSED,
        (_S.DRAFT, _M.WITHDRAW): _S.WITHDRAWN,
        (_S.PROPOSED, _M.REVISE): _S.DRAFT,
        (_S.PROPOSED, _M.SIGN_FIRST): _S.PROPOSED,
        (_S.PROPOSED, _M.SIGN_SECOND): _S.ACTIVE,
        (_S.PROPOSED, _M.DECLINE): _S.DECLINED,
        (_S.PROPOSED, _M.WITHDRAW): _S.WITHDRAWN,
    },
)


def state_on(status: str, valid_from: date, valid_until: date, terminated_on: date | None, today: date) -> AgreementState:
    """The state on a day. First and last day belong to the time of an agreement, and so does the day on which it is terminated."""
    if status != AgreementStatus.ACTIVE:
        return AgreementState(status)
    if terminated_on is not None and today > terminated_on:
        return AgreementState.TERMINATED
    if today > valid_until:
        return AgreementState.EXPIRED
    return AgreementState.UPCOMING if today < valid_from else AgreementState.ACTIVE


def state_sql(a: str) -> str:
    """SQL: the state of agreement ``a`` on ``:today``; as :func:`state_on`."""
    return (
        f"CASE WHEN {a}.status <> 'active' THEN {a}.status WHEN {a}.terminated_on < :today THEN 'terminated'"
        f" WHEN {a}.valid_until < :today THEN 'expired' WHEN {a}.valid_from > :today THEN 'upcoming' ELSE 'active' END"
    )


class InstalmentStatus(StrEnum):
    PLANNED = "planned"
    DRAFTED = "drafted"
    ORDERED = "ordered"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why nothing is delivered on a day of the schedule."""

    CLOSURE = "closure"
    PUBLIC_HOLIDAY = "public_holiday"
    CROP_LOSS = "crop_loss"
    DISCARDED = "discarded"
    ENDED = "ended"
    #: The schedule before this one has its delivery of the day ordered.
    ALREADY_ORDERED = "already_ordered"


#: Reasons that a new look at the calendar may take back.
OF_THE_CALENDAR = (SkipReason.CLOSURE, SkipReason.PUBLIC_HOLIDAY)


class DraftStatus(StrEnum):
    OPEN = "open"
    ORDERED = "ordered"
    DISCARDED = "discarded"


class ChangeKind(StrEnum):
    CHANGE = "change"
    TERMINATION = "termination"
    RENEWAL = "renewal"


class ChangeStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ChangeMove(StrEnum):
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


CHANGE = StateTable(
    "agreement_change",
    {
        (ChangeStatus.PROPOSED, ChangeMove.ACCEPT): ChangeStatus.ACCEPTED,
        (ChangeStatus.PROPOSED, ChangeMove.DECLINE): ChangeStatus.DECLINED,
        (ChangeStatus.PROPOSED, ChangeMove.WITHDRAW): ChangeStatus.WITHDRAWN,
    },
)
