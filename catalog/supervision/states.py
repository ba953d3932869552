"""The lives of what supervision does."""

from enum import StrEnum

from shop.core.states import StateTable

# --- complaints -----------------------------------------------------------------------------------------------------


class ComplaintState(StrEnum):
    RECEIVED = "received"
    #: The supplier has made its statement.
    STATED = "stated"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


class ComplaintMove(StrEnum):
    STATE = "state"
    UPHOLD = "uphold"
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"


#: It waits for its decision.
OPEN_COMPLAINTS = (ComplaintState.RECEIVED, ComplaintState.STATED)

COMPLAINT = StateTable(
    "complaint",
    {
        (ComplaintState.RECEIVED, ComplaintMove.STATE): ComplaintState.STATED,
        **{(state, ComplaintMove.UPHOLD): ComplaintState.UPHELD for state in OPEN_COMPLAINTS},
        **{(state, ComplaintMove.DISMISS): ComplaintState.DISMISSED for state in OPEN_COMPLAINTS},
        **{(state, ComplaintMove.WITHDRAW): ComplaintState.WITHDRAWN for state in OPEN_COMPLAINTS},
    },
)
