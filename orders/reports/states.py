"""The life of a monthly report."""

from enum import StrEnum

from shop.core.states import StateTable


class ReportStatus(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class ReportMove(StrEnum):
    EDIT = "edit"
    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN = "return"


_S, _M = ReportStatus, ReportMove

#: What was accepted may still be returned: an error may show while the month is closed.
REPORT = StateTable(
    "monthly report",
    {
        (_S.DRAFT, _M.EDIT): _S.DRAFT,
        (_S.DRAFT, _M.SUBMIT): _S.SUBMITTED,
        (_S.SUBMITTED, _M.ACCEPT): _S.ACCEPTED,
        (_S.SUBMITTED, _M.RETURN): _S.RETURNED,
        (_S.RETURNED, _M.EDIT): _S.RETURNED,
        (_S.RETURNED, _M.SUBMIT): _S.SUBMITTED,
        (_S.ACCEPTED, _M.RETURN): _S.RETURNED,
    },
)
