"""Who hears of what happens to agreements; and call-offs that are ordered without a click."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.agreements.actions import drafts
from orders.agreements.rules import Side
from orders.agreements.states import AgreementStatus, ChangeStatus, DraftStatus
from shop.core.errors import Problem
from shop.core.outbox import Handler
from shop.identity import tokens
from shop.notifications.actions import notify

_AGREEMENT = text("SELECT * FROM agreement WHERE id = :id")
_CHANGE = text(
    "SELECT c.*, a.number, a.buyer_id, a.supplier_id FROM agreement_change c JOIN agreement a ON a.id = c.agreement_id WHERE c.id = :id"
)
_DRAFT = text(
    """
    SELECT d.id, d.status, d.due_on, d.drafted_at, p.name AS place, a.number, a.buyer_id, a.auto_order, a.buyer_signed_by
    FROM call_off_draft d JOIN agreement a ON a.id = d.agreement_id JOIN delivery_place p ON p.id = d.delivery_place_id WHERE d.id = :id
    """
)
_LOSS = text(
    """
    SELECT k.id, k.grams, k.month, p.name AS product, a.buyer_id, sum(s.planned_grams)::bigint AS planned, sum(s.cut_grams)::bigint AS cut
    FROM crop_loss k JOIN product p ON p.id = k.product_id JOIN crop_loss_share s ON s.crop_loss_id = k.id
    JOIN agreement_line l ON l.id = s.agreement_line_id JOIN agreement a ON a.id = l.agreement_id
    WHERE k.id = :id GROUP BY k.id, p.name, a.buyer_id ORDER BY a.buyer_id
    """
)


def _sides(agreement: Any) -> dict[Side, int]:
    return {Side.BUYER: agreement.buyer_id, Side.SUPPLIER: agreement.supplier_id}


def _tell(session: Session, kind: str, cause: str, agreement_id: int, to: int, **data: Any) -> None:
    notify(
        session,
        origin=f"{kind}:{cause}:{to}",
        kind=kind,
        subject_type="agreement",
        subject_id=agreement_id,
        organisation_id=to,
        **data,
    )


def _found(session: Session, payload: dict[str, Any]) -> Row[Any]:
    return session.execute(_AGREEMENT, {"id": payload["agreement_id"]}).one()


def _proposed(session: Session, payload: dict[str, Any]) -> None:
    agreement = _found(session, payload)
    cause = f"{agreement.id}:{payload['version']}"
    _tell(session, "agreement.proposed", cause, agreement.id, agreement.supplier_id, number=agreement.number, title=agreement.title)


def _revised(session: Session, payload: dict[str, Any]) -> None:
    agreement = _found(session, payload)
    cause = f"{agreement.id}:{payload['version']}"
    _tell(session, "agreement.revised", cause, agreement.id, agreement.supplier_id, number=agreement.number, title=agreement.title)


def _signed(session: Session, payload: dict[str, Any]) -> None:
    """The other side hears that its signature is waited for; both hear when there is nothing to wait for any more."""
    agreement = _found(session, payload)
    cause = f"{agreement.id}:{payload['version']}"
    sides = _sides(agreement)
    if agreement.status == AgreementStatus.ACTIVE:
        for to in sides.values():
            _tell(session, "agreement.made", str(agreement.id), agreement.id, to, number=agreement.number, title=agreement.title)
    elif agreement.status == AgreementStatus.PROPOSED:
        to = next(other for side, other in sides.items() if side != payload["side"])
        _tell(session, "agreement.signed", cause, agreement.id, to, number=agreement.number, title=agreement.title)


def _ended(kind: str, to: Side) -> Handler:
    def handle(session: Session, payload: dict[str, Any]) -> None:
        agreement = _found(session, payload)
        _tell(
            session, kind, str(agreement.id), agreement.id, _sides(agreement)[to], number=agreement.number, reason=agreement.reason
        )

    return handle


def _change_proposed(session: Session, payload: dict[str, Any]) -> None:
    change = session.execute(_CHANGE, {"id": payload["agreement_change_id"]}).one()
    to = next(other for side, other in _sides(change).items() if side != change.side)
    _tell(session, f"agreement.{change.kind}_proposed", str(change.id), change.agreement_id, to, number=change.number)


def _change_answered(session: Session, payload: dict[str, Any]) -> None:
    change = session.execute(_CHANGE, {"id": payload["agreement_change_id"]}).one()
    withdrawn = change.status == ChangeStatus.WITHDRAWN
    to = next(other for side, other in _sides(change).items() if (side == change.side) != withdrawn)
    _tell(session, f"agreement.change_{change.status}", str(change.id), change.agreement_id, to, number=change.number)


def _drafted(session: Session, payload: dict[str, Any]) -> None:
    """Ordered at once where the agreement says so; what stands against it, or a draft that waits for a click, is told to the buyer."""
    draft = session.execute(_DRAFT, {"id": payload["call_off_draft_id"]}).one()
    if draft.status != DraftStatus.OPEN:
        return
    kind, data = "call_off.drafted", {}
    if draft.auto_order:
        try:
            with session.begin_nested():
                drafts.order(session, tokens.actor_of_user(session, draft.buyer_signed_by), draft.id)
            return
        except Problem as problem:
            kind, data = "call_off.stuck", {"problem": problem.code}
            session.execute(
                text("UPDATE call_off_draft SET problem = :code, version = version + 1 WHERE id = :id"),
                {"id": draft.id, "code": problem.code},
            )
    notify(
        session,
        origin=f"{kind}:{draft.id}:{draft.drafted_at.isoformat()}",
        kind=kind,
        subject_type="call_off_draft",
        subject_id=draft.id,
        organisation_id=draft.buyer_id,
        number=draft.number,
        place=draft.place,
        due_on=draft.due_on.isoformat(),
        **data,
    )


def _late(session: Session, payload: dict[str, Any]) -> None:
    agreement = _found(session, payload)
    cause = f"{agreement.id}:{payload['due_on']}:{payload['instalments']}"
    for to in _sides(agreement).values():
        _tell(
            session,
            "agreement.instalments_late",
            cause,
            agreement.id,
            to,
            number=agreement.number,
            due_on=payload["due_on"],
            count=payload["instalments"],
        )


def _lost(session: Session, payload: dict[str, Any]) -> None:
    """Every buyer hears what its own agreements lose, in kilograms."""
    for share in session.execute(_LOSS, {"id": payload["crop_loss_id"]}):
        notify(
            session,
            origin=f"crop_loss.declared:{share.id}:{share.buyer_id}",
            kind="crop_loss.declared",
            subject_type="crop_loss",
            subject_id=share.id,
            organisation_id=share.buyer_id,
            product=share.product,
            month=f"{share.month:%Y-%m}",
            planned=_kilograms(share.planned),
            cut=_kilograms(share.cut),
            left=_kilograms(share.planned - share.cut),
        )


def _kilograms(grams: int) -> str:
    return f"{grams // 1000}.{grams % 1000:03d}".rstrip("0").rstrip(".")


HANDLERS: dict[str, Handler] = {
    "agreement.declined": _ended("agreement.declined", Side.BUYER),
    "agreement.instalments_late": _late,
    "agreement.proposed": _proposed,
    "agreement.revised": _revised,
    "agreement.signed": _signed,
    "agreement.withdrawn": _ended("agreement.withdrawn", Side.SUPPLIER),
    "agreement_change.answered": _change_answered,
    "agreement_change.proposed": _change_proposed,
    "call_off.drafted": _drafted,
    "crop_loss.declared": _lost,
}
