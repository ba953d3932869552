"""The lives of a pledge, a proposed basket and a proof."""

from enum import StrEnum

from shop.core.states import StateTable


class PledgeStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class PledgeAction(StrEnum):
    #: Change what is pledged; of an open pledge, only to more.
    EDIT = "edit"
    OPEN = "open"
    #: Add and take out orders and agreements, ask for baskets.
    FILL = "fill"
    #: Put on paper what was accepted.
    PROVE = "prove"
    CLOSE = "close"
    CANCEL = "cancel"


_S, _A = PledgeStatus, PledgeAction

PLEDGE = StateTable(
    "pledge",
    {
        (_S.DRAFT, _A.EDIT): _S.DRAFT,
        (_S.DRAFT, _A.OPEN): _S.OPEN,
        (_S.DRAFT, _A.CANCEL): _S.CANCELLED,
        (_S.OPEN, _A.EDIT): _S.OPEN,
        (_S.OPEN, _A.FILL): _S.OPEN,
        (_S.OPEN, _A.PROVE): _S.OPEN,
        (_S.OPEN, _A.CLOSE): _S.CLOSED,
        (_S.OPEN, _A.CANCEL): _S.CANCELLED,
        # goods may still be accepted or taken back
        (_S.CLOSED, _A.PROVE): _S.CLOSED,
    },
)


class ProposalStatus(StrEnum):
    WAITING = "waiting"
    #: There is no basket; what stands in the way is being found out.
    EXPLAINING = "explaining"
    READY = "ready"
    INFEASIBLE = "infeasible"
    FAILED = "failed"
    ORDERED = "ordered"


class ProposalAction(StrEnum):
    FIND = "find"
    MISS = "miss"
    EXPLAIN = "explain"
    FAIL = "fail"
    ORDER = "order"
    #: The request for its order was refused or withdrawn.
    RELEASE = "release"


_P, _M = ProposalStatus, ProposalAction

PROPOSAL = StateTable(
    "basket_proposal",
    {
        (_P.WAITING, _M.FIND): _P.READY,
        (_P.WAITING, _M.MISS): _P.EXPLAINING,
        (_P.WAITING, _M.FAIL): _P.FAILED,
        (_P.EXPLAINING, _M.EXPLAIN): _P.INFEASIBLE,
        (_P.EXPLAINING, _M.FAIL): _P.FAILED,
        (_P.READY, _M.ORDER): _P.ORDERED,
        (_P.ORDERED, _M.RELEASE): _P.READY,
    },
    by_itself=frozenset(_M) - {_M.ORDER},
)

#: How much of the work is done, in per cent.
PROGRESS: dict[ProposalStatus, int] = {_P.WAITING: 0, _P.EXPLAINING: 50}


class ProofState(StrEnum):
    """What a proof is worth when somebody looks."""

    VALID = "valid"
    #: What it was issued for was partly returned, corrected or taken out of the pledge since.
    CHANGED = "changed"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


def proof_state(*, revoked: bool, superseded: bool, taken_back_fen: int) -> ProofState:
    """More accepted later leaves a proof true for its day; anything of it that is gone since does not."""
    if revoked:
        return ProofState.REVOKED
    if superseded:
        return ProofState.SUPERSEDED
    return ProofState.CHANGED if taken_back_fen else ProofState.VALID
