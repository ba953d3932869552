"""A buyer rates what it accepted; the supplier answers."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.evaluations import rules
from orders.evaluations.errors import AlreadyAnswered, NoLongerChangeable, NotAPhoto, NothingAccepted, TooManyPhotos
from orders.evaluations.schemas import AnswerIn, EvaluationIn
from orders.purchasing.actions.moving import locked
from shop.core import audit, clock, outbox, uploads
from shop.core.errors import IfMatch, NotFound
from shop.identity.actor import Actor

_LOCK = text("SELECT * FROM evaluation WHERE supplier_order_id = :id FOR UPDATE")
_WRITE = text(
    """
    INSERT INTO evaluation AS e (supplier_order_id, buyer_id, supplier_id, quality, price, delivery, packaging, text, rated_by, rated_at)
    VALUES (:id, :buyer_id, :supplier_id, :quality, :price, :delivery, :packaging, :text, :user_id, :now)
    ON CONFLICT (supplier_order_id) DO UPDATE
    SET quality = excluded.quality, price = excluded.price, delivery = excluded.delivery, packaging = excluded.packaging,
        text = excluded.text, changed_at = :now, version = e.version + 1
    RETURNING id
    """
)
#: What of the order was accepted; more of it may have been since the first time.
_PRODUCTS = text(
    """
    INSERT INTO evaluation_product (evaluation_id, product_id, certificate_id)
    SELECT DISTINCT ON (product_id) CAST(:evaluation_id AS bigint), product_id, certificate_id
    FROM order_line WHERE supplier_order_id = :id AND accepted_quantity > 0 ORDER BY product_id, certificate_id
    ON CONFLICT DO NOTHING
    """
)
_ANY_ACCEPTED = text("SELECT EXISTS (SELECT FROM order_line WHERE supplier_order_id = :id AND accepted_quantity > 0)")
_ANSWER = text(
    "UPDATE evaluation SET answer = :text, answered_by = :user_id, answered_at = :now, version = version + 1 WHERE id = :id"
)
_PHOTOS = text("SELECT count(*) FROM evaluation_file WHERE evaluation_id = :id")
_REMOVE_PHOTO = text("DELETE FROM evaluation_file WHERE evaluation_id = :id AND file_id = :file_id RETURNING file_id")
_ADD_PHOTO = text("INSERT INTO evaluation_file (evaluation_id, file_id) VALUES (:id, :file_id)")


def rate(session: Session, actor: Actor, supplier_order_id: int, body: EvaluationIn, if_match: IfMatch) -> None:
    """Rate a supplier order, or change what was said of it within 30 days. The order's row is locked, so that two who rate at once are one
    after the other.

    Raises:
        NotFound: no order of the caller's branch (404). NothingAccepted, NoLongerChangeable: see there (409).
        Changed: somebody else changed it meanwhile (412).
    """
    order = locked(session, actor, supplier_order_id, "buyer")
    before = session.execute(_LOCK, {"id": order.id}).first()
    now = clock.now()
    if before is None and not session.execute(_ANY_ACCEPTED, {"id": order.id}).scalar_one():
        raise NothingAccepted
    if before is not None:
        if_match(before.version)
        _require_changeable(before)
    values = {"id": order.id, "buyer_id": order.buyer_id, "supplier_id": order.supplier_id, "user_id": actor.user_id, "now": now}
    evaluation_id = session.execute(_WRITE, {**values, **body.model_dump()}).scalar_one()
    session.execute(_PRODUCTS, {"id": order.id, "evaluation_id": evaluation_id})
    ratings = {name: getattr(body, name) for name in rules.RATED}
    verb = "changed" if before else "written"
    audit.record(session, actor, f"evaluation.{verb}", "evaluation", evaluation_id, supplier_order_id=order.id, **ratings)
    outbox.publish(session, "evaluation.written", evaluation_id=evaluation_id)


def answer(session: Session, actor: Actor, supplier_order_id: int, body: AnswerIn) -> None:
    """What the supplier says to it, once.

    Raises:
        NotFound: no order of the caller's branch, or it was not rated (404). AlreadyAnswered: see there (409).
    """
    evaluation = _evaluation(session, locked(session, actor, supplier_order_id, "supplier").id)
    if evaluation.answer is not None:
        raise AlreadyAnswered
    session.execute(_ANSWER, {"id": evaluation.id, "text": body.text, "user_id": actor.user_id, "now": clock.now()})
    audit.record(session, actor, "evaluation.answered", "evaluation", evaluation.id)
    outbox.publish(session, "evaluation.answered", evaluation_id=evaluation.id)


def add_photo(session: Session, actor: Actor, supplier_order_id: int, name: str | None, content: bytes) -> None:
    """Add a photo to the own evaluation while it may be changed.

    Raises:
        NotFound: as :func:`answer`. NoLongerChangeable, TooManyPhotos: see there (409).
        NotAPhoto (422), TooLarge (413), UnreadableFile (422): what was sent.
    """
    evaluation = _evaluation(session, locked(session, actor, supplier_order_id, "buyer").id)
    _require_changeable(evaluation)
    if session.execute(_PHOTOS, {"id": evaluation.id}).scalar_one() >= rules.MOST_PHOTOS:
        raise TooManyPhotos(most=rules.MOST_PHOTOS)
    if not uploads.content_type(content).startswith("image/"):
        raise NotAPhoto
    kept = uploads.keep(session, actor.user_id, name, content)
    session.execute(_ADD_PHOTO, {"id": evaluation.id, "file_id": kept.id})
    audit.record(session, actor, "evaluation.photo_added", "evaluation", evaluation.id, sha256=kept.sha256)


def remove_photo(session: Session, actor: Actor, supplier_order_id: int, file_id: int) -> None:
    """Take a photo off the own evaluation while it may be changed.

    Raises:
        NotFound: as :func:`answer`, or it has no such photo (404). NoLongerChangeable: see there (409).
    """
    evaluation = _evaluation(session, locked(session, actor, supplier_order_id, "buyer").id)
    _require_changeable(evaluation)
    if session.execute(_REMOVE_PHOTO, {"id": evaluation.id, "file_id": file_id}).first() is None:
        raise NotFound
    audit.record(session, actor, "evaluation.photo_removed", "evaluation", evaluation.id, file_id=file_id)


def _evaluation(session: Session, supplier_order_id: int) -> Any:
    found = session.execute(_LOCK, {"id": supplier_order_id}).first()
    if found is None:
        raise NotFound
    return found


def _require_changeable(evaluation: Row[Any]) -> None:
    if not rules.is_changeable(evaluation.rated_at, clock.now()):
        raise NoLongerChangeable(days=rules.CHANGEABLE.days)
