"""Papers of requests and orders."""

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.queries import require_buyer_side
from orders.requests.actions.deciding import locked
from orders.requests.errors import PapersFixed, TooManyFiles
from orders.requests.states import RequestStatus
from shop.core import audit, clock, uploads
from shop.core.errors import Forbidden, NotFound
from shop.identity.actor import Actor

MOST = 50

_LOCK_ORDER = text("SELECT 1 FROM purchase_order WHERE id = :id FOR NO KEY UPDATE")
_COUNT = text(
    "SELECT count(*) FROM purchase_file WHERE purchase_request_id = CAST(:request_id AS bigint) OR purchase_order_id = CAST(:order_id AS bigint)"
)
_TAKEN = text(
    "SELECT 1 FROM purchase_request_step WHERE purchase_request_id = :id AND round = :round AND status <> 'waiting' LIMIT 1"
)
_ADD = text(
    """
    INSERT INTO purchase_file (purchase_request_id, purchase_order_id, file_id, title, uploaded_by, uploaded_at)
    VALUES (:request_id, :order_id, :file_id, :title, :user_id, :now) RETURNING id
    """
)


def attach(
    session: Session,
    actor: Actor,
    name: str | None,
    content: bytes,
    title: str | None,
    *,
    request_id: int | None = None,
    order_id: int | None = None,
) -> int:
    """Add a paper to a request or an order of the own branch; returns its id.

    Raises:
        NotFound: nothing of the caller's branch (404). TooLarge (413), UnreadableFile (422), TooManyFiles (409): see there.
    """
    if request_id is not None:
        locked(session, actor, request_id)
    elif order_id is not None:
        require_own(session, actor, order_id)
        session.execute(_LOCK_ORDER, {"id": order_id})
    subject = {"request_id": request_id, "order_id": order_id}
    if session.execute(_COUNT, subject).scalar_one() >= MOST:
        raise TooManyFiles(most=MOST)
    stored = uploads.keep(session, actor.user_id, name, content)
    file_id: int = session.execute(
        _ADD, {**subject, "file_id": stored.id, "title": title, "user_id": actor.user_id, "now": clock.now()}
    ).scalar_one()
    kind, subject_id = ("purchase_request", request_id) if request_id is not None else ("purchase_order", order_id)
    audit.record(session, actor, f"{kind}.file_added", kind, subject_id or 0, file_id=file_id, name=stored.name)
    return file_id


def detach(session: Session, actor: Actor, request_id: int, file_id: int) -> None:
    """Take back a paper that the caller added, while nobody has decided in view of it.

    Raises:
        NotFound: the request has no such paper (404). Forbidden: somebody else added it (403).
        PapersFixed: a step was taken, and the request was not returned since (409).
    """
    request = locked(session, actor, request_id)
    row = session.execute(
        text("SELECT uploaded_by FROM purchase_file WHERE id = :id AND purchase_request_id = :request_id FOR UPDATE"),
        {"id": file_id, "request_id": request_id},
    ).first()
    if row is None:
        raise NotFound
    if row.uploaded_by != actor.user_id:
        raise Forbidden
    untouched = (
        request.status == RequestStatus.WAITING and not session.execute(_TAKEN, {"id": request_id, "round": request.round}).first()
    )
    if not (untouched or request.status == RequestStatus.RETURNED):
        raise PapersFixed
    session.execute(text("DELETE FROM purchase_file WHERE id = :id"), {"id": file_id})
    audit.record(session, actor, "purchase_request.file_removed", "purchase_request", request_id, file_id=file_id)


def require_own(session: Session, actor: Actor, order_id: int) -> None:
    """Papers of an order are its buyer's own: officers see the order, not these.

    Raises:
        NotFound: not an order of the caller's branch.
    """
    if actor.organisation_id is None:
        raise NotFound
    require_buyer_side(session, actor, order_id)
