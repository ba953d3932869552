"""What was seen at the provider takes effect here, each kind by its own one way."""

from sqlmodel import Session

from orders.online import seen
from orders.online.actions import connecting, disputing, refunding, settling


def apply(session: Session, observed: seen.Seen | None) -> bool:
    """Take over what was seen; returns whether it is known here. Safe to run twice, and in any order."""
    match observed:
        case seen.Intent():
            return settling.settle_intent(session, observed)
        case seen.Refunded():
            return refunding.settle_refund(session, observed)
        case seen.Disputed():
            return disputing.settle_dispute(session, observed)
        case seen.Transferred():
            return connecting.settle_transfer(session, observed)
        case seen.Account():
            return connecting.settle_account(session, observed)
    return False
