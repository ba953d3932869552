"""The life of an application for another budget unit."""

from enum import StrEnum

from shop.core.states import StateTable


class ApplicationStatus(StrEnum):
    FILED = "filed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class ApplicationMove(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


_S, _M = ApplicationStatus, ApplicationMove

APPLICATION = StateTable(
    "budget_unit_application",
    {
        (_S.FILED, _M.APPROVE): _S.APPROVED,
        (_S.FILED, _M.REFUSE): _S.REFUSED,
        (_S.FILED, _M.WITHDRAW): _S.WITHDRAWN,
    },
)
