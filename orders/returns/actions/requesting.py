"""What the buyer does with a return."""

from sqlalchemy import text
from sqlmodel import Session

from orders.returns import queries, rules
from orders.returns.actions import balances
from orders.returns.actions.moving import locked, step
from orders.returns.errors import ReturnEnded, ReturnLinesWrong, ReturnPeriodOver, TooManyFiles
from orders.returns.models import GoodsReturn
from orders.returns.schemas import ReturnIn, SendIn
from orders.returns.states import ENDED, ReturnMove, ReturnStatus
from shop.core import audit, clock, numbers, outbox, uploads
from shop.core.errors import IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

#: As many files may each side add to a return.
MOST_FILES = 20

_LINES = text(
    """
    INSERT INTO goods_return_line (goods_return_id, acceptance_line_id, order_line_id, quantity, received_quantity, restocked_quantity,
                                   replaced_quantity, returned_quantity, grams, amount_fen)
    SELECT :id, al.id, al.order_line_id, u.quantity, 0, 0, 0, 0, 0, 0
    FROM unnest(CAST(:lines AS bigint[]), CAST(:quantities AS numeric[])) AS u (line, quantity) JOIN acceptance_line al ON al.id = u.line
    ORDER BY al.id
    """
)
_FILES_OF_SIDE = text(
    "SELECT count(*) FROM goods_return_file g JOIN stored_file s ON s.id = g.file_id JOIN app_user u ON u.id = s.uploaded_by"
    " WHERE g.goods_return_id = :id AND (u.organisation_id = :supplier_id) = :by_supplier"
)


def request(session: Session, actor: Actor, shipment_id: int, body: ReturnIn) -> int:
    """Ask to give accepted goods of a shipment back, or to have them exchanged; returns the return's id. What is asked for is held: two who
    ask at once together never ask for more than was accepted.

    Raises:
        NotFound: not a shipment to the caller's branch (404). NotAccepted: it has not been accepted (409).
        ReturnPeriodOver: too late for this reason (409).
        ReturnLinesWrong: unknown lines, more than is left, a wrong step (422).
    """
    acceptance = queries.acceptance(session, actor, shipment_id)
    if not (actor.within_branch(acceptance.buyer_path) or actor.within_branch(acceptance.unit_path)):
        raise NotFound
    now = clock.now()
    today = clock.shanghai_date(now)
    config = programmes.config_of(session, today).returns
    until = rules.last_day(clock.shanghai_date(acceptance.accepted_at), body.reason_code, config.days, config.quality_days)
    if today > until:
        raise ReturnPeriodOver(until=until.isoformat())
    asked = None if body.lines is None else [(line.order_line_id, line.quantity) for line in body.lines]
    wanted, faults = rules.to_return(queries.accepted_lines(session, acceptance.id), asked)
    if faults:
        raise ReturnLinesWrong(count=len(faults), faults=faults)
    balances.hold(session, wanted)
    made = GoodsReturn(
        number=f"TH{today.year}-{numbers.next_number(session, f'goods_return:{today.year}'):06}",
        supplier_order_id=acceptance.supplier_order_id,
        acceptance_id=acceptance.id,
        kind=body.kind.value,
        reason_code=body.reason_code.value,
        reason=body.reason,
        requested_by=actor.user_id or 0,
        requested_at=now,
    )
    session.add(made)
    session.flush()
    session.execute(_LINES, {"id": made.id, "lines": list(wanted), "quantities": list(wanted.values())})
    audit.record(session, actor, "goods_return.requested", "goods_return", made.id, reason=body.reason, kind=body.kind)
    outbox.publish(session, "return.moved", return_id=made.id, status=ReturnStatus.REQUESTED, version=1)
    return made.id


def cancel(session: Session, actor: Actor, return_id: int, note: str | None, if_match: IfMatch = any_version) -> None:
    """Keep the goods after all, while they are not on their way.

    Raises:
        NotFound: not a return of the caller's branch (404). Changed: another version than the caller read (412).
        IllegalMove: they are on their way, or it is over (409).
    """
    row = locked(session, actor, return_id, "buyer", if_match)
    step(session, actor, row, ReturnMove.CANCEL, reason=note)
    balances.let_go(session, return_id)


def send(session: Session, actor: Actor, return_id: int, body: SendIn, if_match: IfMatch = any_version) -> None:
    """Send the goods back, as the supplier approved.

    Raises:
        NotFound: not a return of the caller's branch (404). Changed: another version than the caller read (412).
        IllegalMove: it is not approved, or was sent already (409).
    """
    row = locked(session, actor, return_id, "buyer", if_match)
    session.execute(
        text("UPDATE goods_return SET carrier = :carrier, waybill = :waybill WHERE id = :id"),
        {"id": return_id, **body.model_dump()},
    )
    step(session, actor, row, ReturnMove.SEND)


def close(session: Session, actor: Actor, return_id: int, if_match: IfMatch = any_version) -> None:
    """The goods sent in exchange have come: the first sale stands for them, and they can be given back again.

    Raises:
        NotFound: not a return of the caller's branch (404). Changed: another version than the caller read (412).
        IllegalMove: nothing was sent in exchange (409).
    """
    row = locked(session, actor, return_id, "buyer", if_match)
    step(session, actor, row, ReturnMove.CLOSE)
    balances.let_go(session, return_id)


def add_file(session: Session, actor: Actor, return_id: int, name: str | None, content: bytes) -> None:
    """Add a photograph or paper; either side may, while the return is open or was refused.

    Raises:
        NotFound: not a return of the caller's organisation (404). ReturnEnded, TooManyFiles: see there (409).
        TooLarge (413), UnreadableFile (422): as for every upload.
    """
    row = locked(session, actor, return_id, "either")
    if row.status in ENDED and row.status != ReturnStatus.REFUSED:
        raise ReturnEnded
    side = {"id": return_id, "supplier_id": row.supplier_id, "by_supplier": actor.organisation_id == row.supplier_id}
    if session.execute(_FILES_OF_SIDE, side).scalar_one() >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    kept = uploads.keep(session, actor.user_id, name, content)
    session.execute(
        text("INSERT INTO goods_return_file (goods_return_id, file_id) VALUES (:id, :file)"), {"id": return_id, "file": kept.id}
    )
    audit.record(session, actor, "goods_return.file_added", "goods_return", return_id, sha256=kept.sha256)
