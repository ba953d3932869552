"""Who hears of pledges, baskets and proofs; and the work on baskets."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.actions import filling, proposing
from orders.pledges.queries.counting import sums
from orders.pledges.rules.figures import REMIND_DAYS, is_behind, percent
from orders.pledges.states import ProposalStatus
from shop.core import clock
from shop.core.outbox import Handler
from shop.notifications.actions import notify

_PLEDGE = text(
    """
    SELECT p.*, o.name AS organisation_name,
           ARRAY(SELECT DISTINCT left(region_code, 6) FROM pledge_region g WHERE g.pledge_id = p.id ORDER BY 1) AS districts
    FROM pledge p JOIN organisation o ON o.id = p.organisation_id WHERE p.id = :id
    """
)
_PROOF = text("SELECT pledge_id, number, revoke_reason FROM purchase_proof WHERE id = :id")
_PROPOSAL = text(
    "SELECT b.id, b.status, p.number, p.organisation_id FROM basket_proposal b JOIN pledge p ON p.id = b.pledge_id WHERE b.id = :id"
)
_ENDING = text(
    """
    SELECT id, number, organisation_id, amount_fen, valid_until FROM pledge
    WHERE status = 'open' AND valid_until BETWEEN CAST(:today AS date) AND CAST(:today AS date) + CAST(:days AS int) ORDER BY id
    """
)


def _opened(session: Session, payload: dict[str, Any]) -> None:
    """The counties hear that somebody means to buy from them."""
    pledge = session.execute(_PLEDGE, {"id": payload["pledge_id"]}).one()
    _tell_counties(session, "pledge.opened", pledge, str(pledge.id), number=pledge.number, organisation=pledge.organisation_name)


def _cancelled(session: Session, payload: dict[str, Any]) -> None:
    """The counties, who heard of the pledge, hear that it is taken back."""
    pledge = session.execute(_PLEDGE, {"id": payload["pledge_id"]}).one()
    data = {"number": pledge.number, "organisation": pledge.organisation_name, "reason": pledge.reason}
    _tell_counties(session, "pledge.cancelled", pledge, str(pledge.id), **data)


def _of_proof(kind: str) -> Handler:
    """The organisation and the counties hear of a proof that is issued or revoked."""

    def handle(session: Session, payload: dict[str, Any]) -> None:
        proof = session.execute(_PROOF, {"id": payload["proof_id"]}).one()
        pledge = session.execute(_PLEDGE, {"id": proof.pledge_id}).one()
        data = {"number": proof.number, "pledge": pledge.number, "organisation": pledge.organisation_name}
        if kind == "purchase_proof.revoked":
            data["reason"] = proof.revoke_reason
        notify(
            session,
            origin=f"{kind}:{payload['proof_id']}",
            kind=kind,
            subject_type="pledge",
            subject_id=pledge.id,
            organisation_id=pledge.organisation_id,
            **data,
        )
        _tell_counties(session, kind, pledge, str(payload["proof_id"]), **data)

    return handle


def _tell_counties(session: Session, kind: str, row: Row[Any], cause: str, **data: Any) -> None:
    for district in row.districts:
        notify(
            session,
            origin=f"{kind}:{cause}:region {district}",
            kind=kind,
            subject_type="pledge",
            subject_id=row.id,
            region_code=district,
            **data,
        )


def _work_out(session: Session, payload: dict[str, Any]) -> None:
    proposing.work_out(session, payload["proposal_id"])
    _tell_of_basket(session, payload["proposal_id"])


def _explain(session: Session, payload: dict[str, Any]) -> None:
    proposing.explain(session, payload["proposal_id"])
    _tell_of_basket(session, payload["proposal_id"])


def _tell_of_basket(session: Session, proposal_id: int) -> None:
    """The organisation hears how the work on a basket ended."""
    row = session.execute(_PROPOSAL, {"id": proposal_id}).one()
    if row.status in (ProposalStatus.READY, ProposalStatus.INFEASIBLE, ProposalStatus.FAILED):
        notify(
            session,
            origin=f"basket_proposal.{row.status}:{row.id}",
            kind=f"basket_proposal.{row.status}",
            subject_type="basket_proposal",
            subject_id=row.id,
            organisation_id=row.organisation_id,
            number=row.number,
        )


def _count_approved(session: Session, payload: dict[str, Any]) -> None:
    proposing.count_approved(session, payload["purchase_order_id"])


def _release(session: Session, payload: dict[str, Any]) -> None:
    proposing.release(session, payload["purchase_request_id"])


def _moved(session: Session, payload: dict[str, Any]) -> None:
    filling.drop_moved(session, payload["purchase_order_id"])


def remind(session: Session) -> int:
    """Tell those whose pledge ends soon and of which too little was accepted, each once; end baskets that nobody works on any more. Returns
    how many such pledges there are. Safe to run at any time and any number of times."""
    for proposal_id in proposing.give_up_old(session):
        _tell_of_basket(session, proposal_id)
    ending = session.execute(_ENDING, {"today": clock.today(), "days": REMIND_DAYS}).all()
    figures = sums(session, [row.id for row in ending]) if ending else {}
    behind = [row for row in ending if is_behind(figures[row.id].accepted, row.amount_fen)]
    for row in behind:
        notify(
            session,
            origin=f"pledge.ending:{row.id}:{row.valid_until}",
            kind="pledge.ending",
            subject_type="pledge",
            subject_id=row.id,
            organisation_id=row.organisation_id,
            number=row.number,
            ends=row.valid_until.isoformat(),
            percent=percent(figures[row.id].accepted, row.amount_fen),
        )
    return len(behind)


HANDLERS: dict[str, Handler] = {
    "basket_proposal.requested": _work_out,
    "basket_proposal.unmet": _explain,
    "pledge.cancelled": _cancelled,
    "pledge.opened": _opened,
    "purchase_order.placed": _count_approved,
    "purchase_order.reassigned": _moved,
    "purchase_proof.issued": _of_proof("purchase_proof.issued"),
    "purchase_proof.revoked": _of_proof("purchase_proof.revoked"),
    "purchase_request.rejected": _release,
    "purchase_request.withdrawn": _release,
}
