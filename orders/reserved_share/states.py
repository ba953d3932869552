"""The life of a filing."""

from enum import StrEnum

from shop.core.states import StateTable


class ShareStatus(StrEnum):
    DRAFT = "draft"
    FILED = "filed"
    RETURNED = "returned"
    ACCEPTED = "accepted"


class ShareAction(StrEnum):
    EDIT = "edit"
    FILE = "file"
    ACCEPT = "accept"
    RETURN = "return"


_S, _A = ShareStatus, ShareAction

#: What was accepted before holds until a revision of it is accepted, whatever the status says meanwhile.
RESERVED_SHARE = StateTable(
    "reserved_share",
    {
        (_S.DRAFT, _A.EDIT): _S.DRAFT,
        (_S.DRAFT, _A.FILE): _S.FILED,
        (_S.FILED, _A.ACCEPT): _S.ACCEPTED,
        (_S.FILED, _A.RETURN): _S.RETURNED,
        (_S.RETURNED, _A.EDIT): _S.RETURNED,
        (_S.RETURNED, _A.FILE): _S.FILED,
        (_S.ACCEPTED, _A.EDIT): _S.DRAFT,
    },
)
