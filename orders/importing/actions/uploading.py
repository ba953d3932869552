"""Taking in a list, and what its sender says about its columns. It is read afterwards, by whoever hears of it."""

from sqlmodel import Session, col, select

from orders.importing.models import OrderImport
from orders.importing.rules import Basis
from orders.importing.schemas import ColumnsIn
from orders.importing.states import ORDER_IMPORT, ImportAction
from orders.purchasing.actions.pricing import buyer_of
from shop.core import audit, clock, outbox, uploads, workbooks
from shop.core.errors import IfMatch, NotFound
from shop.identity.actor import Actor
from shop.identity.models import Organisation


def upload(
    session: Session, actor: Actor, name: str | None, content: bytes, *, buyer_id: int | None, columns: ColumnsIn | None
) -> int:
    """Keep a list for an order of the buyer (default: the own unit); returns its id.

    Raises:
        NotFound, NotYourUnit, BuyerNotApproved, OutsideProgramme: as for placing an order.
        UnreadableSpreadsheet: the file is empty (422). TooLarge: see there (413).
    """
    assert actor.user_id is not None  # somebody signed in
    buyer = buyer_of(session, actor, buyer_id)
    if not content:
        raise workbooks.UnreadableSpreadsheet
    file = uploads.keep(session, actor.user_id, name, content, workbooks.kind(content))
    made = OrderImport(
        buyer_id=buyer.id,
        organisation_id=actor.organisation,
        uploaded_by=actor.user_id,
        uploaded_at=clock.now(),
        file_id=file.id,
        name=file.name,
        sha256=file.sha256,
    )
    if columns:
        _say(made, columns)
    session.add(made)
    session.flush()
    audit.record(session, actor, "order_import.uploaded", "order_import", made.id, buyer_id=buyer.id, sha256=file.sha256)
    outbox.publish(session, "order_import.uploaded", order_import_id=made.id)
    return made.id


def set_columns(session: Session, actor: Actor, import_id: int, body: ColumnsIn, if_match: IfMatch) -> None:
    """Say where the header is and what its columns are; the list is read again, and choices made before are forgotten.

    Raises:
        NotFound: no such import of the own branch (404). IllegalMove: it was ordered (409). Changed: it changed meanwhile (412).
    """
    held = locked(session, actor, import_id)
    if_match(held.version)
    held.status = ORDER_IMPORT.after(held.status, ImportAction.SET_COLUMNS).value
    held.fault, held.rows_total, held.rows_done = None, 0, 0
    _say(held, body)
    keep(session, held)
    audit.record(session, actor, "order_import.columns_set", "order_import", import_id, columns=held.columns)
    outbox.publish(session, "order_import.uploaded", order_import_id=import_id)


def _say(held: OrderImport, body: ColumnsIn) -> None:
    held.sheet = body.sheet or held.sheet
    held.header_row = body.header_row
    held.columns = {column: {"at": number - 1, "basis": Basis.USER} for column, number in body.columns.items()}
    held.keep_columns = body.save


def locked(session: Session, actor: Actor | None, import_id: int) -> OrderImport:
    """The import, locked until the transaction ends. ``actor`` None: the program itself.

    Raises:
        NotFound: no such import of the actor's branch (404).
    """
    statement = select(OrderImport).where(col(OrderImport.id) == import_id).with_for_update()
    held = session.exec(statement.execution_options(populate_existing=True)).first()
    if held is None:
        raise NotFound
    if actor is not None:
        home = session.get_one(Organisation, held.organisation_id)
        if not actor.within_branch(home.path):
            raise NotFound
    return held


def keep(session: Session, held: OrderImport) -> None:
    held.version += 1
    session.add(held)
    session.flush()
