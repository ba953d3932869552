"""The city gathers filed cases, publishes them, and withdraws what should not have been published."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session, col, select

from catalog.batches import states
from catalog.batches.errors import BatchEmpty, CasesRefused, NotInBatch
from catalog.batches.models import CatalogueBatch
from catalog.batches.schemas import BatchIn
from catalog.batches.states import BATCH, BatchMove, BatchStatus
from catalog.certificates.actions import revoking
from catalog.certificates.models import Certificate
from catalog.certification.actions import reviewing
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import Fault, IfMatch, NotFound, any_version
from shop.identity.actor import Actor

_WANTED = text("SELECT id, status, batch_id FROM certification_case WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
_PUT = text("UPDATE certification_case SET batch_id = :batch_id WHERE id = ANY (:ids)")
_EMPTY = text("UPDATE certification_case SET batch_id = NULL WHERE batch_id = :batch_id AND status = 'filing'")
_TAKE_OUT = text(
    "UPDATE certification_case SET batch_id = NULL WHERE id = :case_id AND batch_id = :batch_id AND status = 'filing' RETURNING id"
)


def create(session: Session, actor: Actor, body: BatchIn) -> int:
    """Begin a batch, with the cases given; returns its id.

    Raises:
        CasesRefused: a case is unknown, not filed, or in another batch (422).
    """
    batch = CatalogueBatch(level=body.level.value, title=body.title, created_by=actor.user_id, created_at=clock.now())
    session.add(batch)
    session.flush()
    audit.record(session, actor, "catalogue_batch.created", "catalogue_batch", batch.id)
    if body.case_ids:
        _put(session, actor, batch, body.case_ids)
    return batch.id


def put(session: Session, actor: Actor, batch_id: int, case_ids: Sequence[int], if_match: IfMatch = any_version) -> None:
    """Put filed cases into a batch that is not published.

    Raises:
        NotFound: there is no such batch (404). IllegalMove: it is published (409). CasesRefused: as :func:`create` (422).
    """
    _put(session, actor, _begin(session, batch_id, BatchMove.FILL, if_match), case_ids)


def take_out(session: Session, actor: Actor, batch_id: int, case_id: int, if_match: IfMatch = any_version) -> None:
    """Take a case out of a batch that is not published; it stays filed.

    Raises:
        NotFound (404), IllegalMove (409): as :func:`put`. NotInBatch: it is not in it (409).
    """
    batch = _begin(session, batch_id, BatchMove.FILL, if_match)
    if session.execute(_TAKE_OUT, {"case_id": case_id, "batch_id": batch.id}).first() is None:
        raise NotInBatch
    _keep(session, batch)
    audit.record(session, actor, "catalogue_batch.reduced", "catalogue_batch", batch.id, case_id=case_id)


def discard(session: Session, actor: Actor, batch_id: int, if_match: IfMatch = any_version) -> None:
    """Drop a batch that is not published; its cases stay filed.

    Raises:
        NotFound (404), IllegalMove (409): as :func:`put`.
    """
    batch = _begin(session, batch_id, BatchMove.FILL, if_match)
    session.execute(_EMPTY, {"batch_id": batch.id})
    session.delete(batch)
    session.flush()
    audit.record(session, actor, "catalogue_batch.discarded", "catalogue_batch", batch_id)


def publish(session: Session, actor: Actor, batch_id: int, if_match: IfMatch = any_version) -> None:
    """Publish a batch: it gets its number, and each of its cases a certificate. All of it or nothing; of two at once one wins.

    Raises:
        NotFound (404), IllegalMove (409): as :func:`put`. BatchEmpty: there is nothing to publish (409).
        And everything that stands against the certification of one of its cases.
    """
    batch = _begin(session, batch_id, BatchMove.PUBLISH, if_match)
    now = clock.now()
    year = clock.shanghai_date(now).year
    batch.number = states.number(year, batch.level, numbers.next_number(session, states.series(year, batch.level)))
    batch.status, batch.published_at = BatchStatus.PUBLISHED.value, now
    _keep(session, batch)
    count = reviewing.publish(session, actor, batch.id)
    if not count:
        raise BatchEmpty
    audit.record(session, actor, "catalogue_batch.published", "catalogue_batch", batch.id, number=batch.number, certificates=count)
    outbox.publish(session, "catalogue_batch.published", batch_id=batch.id)


def withdraw(session: Session, actor: Actor, batch_id: int, reason: str, if_match: IfMatch = any_version) -> int:
    """Withdraw a batch that should not have been published: its certificates are revoked. Returns how many were.

    Raises:
        NotFound: there is no such batch (404). IllegalMove: it was not published, or is withdrawn (409).
    """
    batch = _begin(session, batch_id, BatchMove.WITHDRAW, if_match)
    batch.status, batch.withdrawn_at, batch.reason = BatchStatus.WITHDRAWN.value, clock.now(), reason
    _keep(session, batch)
    statement = select(Certificate).where(col(Certificate.batch_id) == batch.id, col(Certificate.revoked_at).is_(None))
    standing = session.exec(statement.order_by(col(Certificate.id)).with_for_update()).all()
    for certificate in standing:
        revoking.end_for_good(session, actor, certificate, "batch_withdrawn", reason)
    audit.record(
        session, actor, "catalogue_batch.withdrawn", "catalogue_batch", batch.id, reason=reason, certificates=len(standing)
    )
    outbox.publish(session, "catalogue_batch.withdrawn", batch_id=batch.id)
    return len(standing)


def _put(session: Session, actor: Actor, batch: CatalogueBatch, case_ids: Sequence[int]) -> None:
    found = {row.id: row for row in session.execute(_WANTED, {"ids": list(case_ids)})}
    faults = []
    for at, case_id in enumerate(case_ids):
        row = found.get(case_id)
        if row is None:
            told = "case_unknown", "申请不存在", "there is no such case"
        elif row.status != "filing":
            told = "case_not_filed", "申请不在备案环节", "the case is not filed"
        elif row.batch_id not in (None, batch.id):
            told = "case_in_other_batch", "申请已列入其他批次", "the case is in another batch"
        else:
            continue
        faults.append(Fault(f"case_ids[{at}]", *told))
    if faults:
        raise CasesRefused(count=len(faults), faults=faults[:200])
    session.execute(_PUT, {"batch_id": batch.id, "ids": list(case_ids)})
    _keep(session, batch)
    audit.record(session, actor, "catalogue_batch.filled", "catalogue_batch", batch.id, cases=len(set(case_ids)))


def _begin(session: Session, batch_id: int, move: BatchMove, if_match: IfMatch = any_version) -> CatalogueBatch:
    statement = select(CatalogueBatch).where(col(CatalogueBatch.id) == batch_id).with_for_update()
    batch = session.exec(statement.execution_options(populate_existing=True)).first()
    if batch is None:
        raise NotFound
    if_match(batch.version)
    BATCH.after(batch.status, move)
    return batch


def _keep(session: Session, batch: CatalogueBatch) -> None:
    batch.version += 1
    session.add(batch)
    session.flush()
