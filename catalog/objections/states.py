"""The life of an objection: an officer looks into it, and it is upheld or dismissed."""

from enum import StrEnum

from shop.core.states import StateTable


class ObjectionState(StrEnum):
    RECEIVED = "received"
    INVESTIGATING = "investigating"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class ObjectionMove(StrEnum):
    INVESTIGATE = "investigate"
    UPHOLD = "uphold"
    DISMISS = "dismiss"


_S, _M = ObjectionState, ObjectionMove

#: It waits for its answer, and stands against passing the case.
OPEN = (_S.RECEIVED, _S.INVESTIGATING)

OBJECTION = StateTable(
    "objection",
    {
        (_S.RECEIVED, _M.INVESTIGATE): _S.INVESTIGATING,
        **{(state, _M.UPHOLD): _S.UPHELD for state in OPEN},
        **{(state, _M.DISMISS): _S.DISMISSED for state in OPEN},
    },
)
