"""The life of a reported value."""

from enum import StrEnum

from shop.core.states import StateTable


class ValueStatus(StrEnum):
    REPORTED = "reported"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class ValueAction(StrEnum):
    REVISE = "revise"
    ACCEPT = "accept"
    RETURN = "return"


_S, _A = ValueStatus, ValueAction

#: What was accepted before holds until a revision of it is accepted, whatever the status says meanwhile.
REPORTED_VALUE = StateTable(
    "reported_value",
    {
        (_S.REPORTED, _A.ACCEPT): _S.ACCEPTED,
        (_S.REPORTED, _A.RETURN): _S.RETURNED,
        (_S.REPORTED, _A.REVISE): _S.REPORTED,
        (_S.ACCEPTED, _A.REVISE): _S.REPORTED,
        (_S.RETURNED, _A.REVISE): _S.REPORTED,
    },
    said={_S.ACCEPTED: "已采纳"},
)
