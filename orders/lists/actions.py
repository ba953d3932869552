"""Keeping lists of goods, ordering from them, and ordering again what was ordered before."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session, col, select

from orders.lists import queries
from orders.lists.errors import ListEmpty, ListFull, NotYourList, UnknownSkus
from orders.lists.models import SavedList
from orders.lists.rules import may_edit
from orders.lists.schemas import LinesIn, ListOrderIn, OrderedOut, ReorderIn, SavedListIn, SavedListPatch
from orders.purchasing import checking
from orders.purchasing.actions.pricing import buyer_of
from orders.purchasing.queries import purchase_order, require_buyer_side
from orders.purchasing.schemas import MAX_LINES, CheckOut, OrderHeadIn, OrderLineIn
from orders.requests.actions import submit
from shop.core import audit, clock
from shop.core.errors import Fault, IfMatch, Language, NotFound
from shop.core.quantities import MAX_QUANTITY
from shop.identity.actor import Actor

_KNOWN = text("SELECT id FROM sku WHERE id = ANY (CAST(:skus AS bigint[]))")
_ADD = text(
    f"""
    INSERT INTO saved_list_line AS l (list_id, sku_id, quantity)
    SELECT :list_id, u.sku_id, u.quantity
    FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[])) WITH ORDINALITY AS u (sku_id, quantity, n) ORDER BY u.n
    ON CONFLICT (list_id, sku_id) DO UPDATE SET quantity = least(l.quantity + excluded.quantity, {MAX_QUANTITY})
    """  # noqa: S608
)
_SET = text("UPDATE saved_list_line SET quantity = :quantity WHERE list_id = :list_id AND sku_id = :sku_id RETURNING id")
_REMOVE = text("DELETE FROM saved_list_line WHERE list_id = :list_id AND sku_id = :sku_id RETURNING id")
_EMPTY = text("DELETE FROM saved_list_line WHERE list_id = :list_id")
_COUNT = text("SELECT count(*) FROM saved_list_line WHERE list_id = :list_id")
_IMPORTED = text(
    """
    SELECT r.sku_id, r.ordered_quantity AS quantity FROM order_import_row r
    JOIN order_import i ON i.id = r.import_id
    JOIN organisation home ON home.id = i.organisation_id
    WHERE r.import_id = :id AND home.path LIKE CAST(:branch AS text) AND r.kind = 'line' AND NOT r.skipped
      AND r.sku_id IS NOT NULL AND r.ordered_quantity IS NOT NULL
    ORDER BY r.row_no
    """
)


def create(session: Session, actor: Actor, body: SavedListIn) -> int:
    """Begin a list, empty or with lines; returns its id.

    Raises:
        ListNameTaken: the caller has one of this name (409). NotFound: no such order or import in reach (404).
        UnknownSkus: lines of SKUs that do not exist (422).
    """
    assert actor.user_id is not None  # somebody signed in
    now = clock.now()
    made = SavedList(
        organisation_id=actor.organisation,
        owner_id=actor.user_id,
        name=body.name,
        shared=body.shared,
        created_at=now,
        updated_at=now,
    )
    session.add(made)
    session.flush()
    lines = _wanted(session, actor, body)
    if lines:
        _add(session, made, lines)
    audit.record(session, actor, "saved_list.created", "saved_list", made.id, shared=made.shared, lines=made.line_count)
    return made.id


def edit(session: Session, actor: Actor, list_id: int, body: SavedListPatch, if_match: IfMatch) -> None:
    """Rename a list, or share it or not.

    Raises:
        NotFound: no such list in reach (404). NotYourList: not the caller's to change (403). ListNameTaken (409). Changed (412).
    """
    held = _editable(session, actor, list_id)
    if_match(held.version)
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(held, name, value)
    _keep(session, held)
    audit.record(session, actor, "saved_list.edited", "saved_list", list_id, **body.model_dump(exclude_none=True))


def delete(session: Session, actor: Actor, list_id: int) -> None:
    """Drop a list; orders made from it stay.

    Raises:
        NotFound (404), NotYourList (403): as :func:`edit`.
    """
    held = _editable(session, actor, list_id)
    session.execute(_EMPTY, {"list_id": list_id})
    session.delete(held)
    session.flush()
    audit.record(session, actor, "saved_list.deleted", "saved_list", list_id)


def add_lines(session: Session, actor: Actor, list_id: int, body: LinesIn) -> None:
    """Add goods; what stands in the list already is added up.

    Raises:
        NotFound (404), NotYourList (403): as :func:`edit`. UnknownSkus (422), ListFull (409): see there.
    """
    held = _editable(session, actor, list_id)
    lines = _wanted(session, actor, body)
    _add(session, held, lines)
    audit.record(session, actor, "saved_list.filled", "saved_list", list_id, lines=len(lines))


def set_line(session: Session, actor: Actor, list_id: int, sku_id: int, quantity: Decimal) -> None:
    """Change the quantity of a line.

    Raises:
        NotFound: no such list in reach, or no such line in it (404). NotYourList: as :func:`edit` (403).
    """
    held = _editable(session, actor, list_id)
    if session.execute(_SET, {"list_id": list_id, "sku_id": sku_id, "quantity": quantity}).first() is None:
        raise NotFound
    _keep(session, held)


def remove_line(session: Session, actor: Actor, list_id: int, sku_id: int) -> None:
    """Take a line out.

    Raises:
        As :func:`set_line`.
    """
    held = _editable(session, actor, list_id)
    if session.execute(_REMOVE, {"list_id": list_id, "sku_id": sku_id}).first() is None:
        raise NotFound
    held.line_count -= 1
    _keep(session, held)


def check_list(session: Session, actor: Actor, list_id: int, buyer_id: int | None, language: Language) -> CheckOut:
    """What an order of the list would be now; orders nothing.

    Raises:
        NotFound: no such list in reach (404). And what the buyer may be refused for.
    """
    queries.found(session, actor, list_id)
    buyer = buyer_of(session, actor, buyer_id)
    return checking.dry_run(session, buyer.id, queries.lines_of_list(session, list_id), language)


def order_list(session: Session, actor: Actor, list_id: int, body: ListOrderIn, language: Language) -> OrderedOut:
    """Order what is in the list: all of it, or (``leave_out_faulty``) all that can be ordered.

    Raises:
        NotFound: no such list in reach (404). ListEmpty: there is nothing to order (409). LinesRefused: lines that cannot be met (422).
        And what :func:`orders.requests.actions.submit` refuses.
    """
    queries.found(session, actor, list_id)
    head = OrderHeadIn(**body.model_dump(exclude={"leave_out_faulty"}))
    lines = queries.lines_of_list(session, list_id)
    done = _order(session, actor, head, lines, language, leave_out_faulty=body.leave_out_faulty)
    audit.record(session, actor, "saved_list.ordered", "saved_list", list_id, lines=done.check.orderable)
    return done


def reorder(session: Session, actor: Actor, purchase_order_id: int, body: ReorderIn, language: Language) -> OrderedOut:
    """Try the lines of an order at today's prices, or order them again.

    Raises:
        NotFound: not an order of the own branch (404). LinesRefused, ListEmpty: as :func:`order_list`.
    """
    require_buyer_side(session, actor, purchase_order_id)
    before = purchase_order(session, actor, purchase_order_id)
    head = body.head or OrderHeadIn(**before.model_dump(include=set(OrderHeadIn.model_fields) - {"buyer_reference", "deliver_by"}))
    lines = queries.lines_of_order(session, purchase_order_id)
    if body.dry_run:
        buyer = buyer_of(session, actor, head.buyer_id)
        return OrderedOut(check=checking.dry_run(session, buyer.id, lines, language))
    done = _order(session, actor, head, lines, language, leave_out_faulty=body.leave_out_faulty)
    audit.record(session, actor, "purchase_order.reordered", "purchase_order", purchase_order_id, lines=done.check.orderable)
    return done


def _order(
    session: Session, actor: Actor, head: OrderHeadIn, lines: list[OrderLineIn], language: Language, *, leave_out_faulty: bool
) -> OrderedOut:
    buyer = buyer_of(session, actor, head.buyer_id)
    checked = checking.dry_run(session, buyer.id, lines, language) if lines else None
    if checked is None:
        raise ListEmpty
    if leave_out_faulty:
        lines = [line for line, told in zip(lines, checked.lines, strict=True) if told.fault is None]
    if not lines:
        raise ListEmpty
    submitted = submit(session, actor, head, lines)
    return OrderedOut(check=checked, purchase_order=submitted.purchase_order, purchase_request_id=submitted.purchase_request_id)


def _wanted(session: Session, actor: Actor, body: LinesIn) -> list[OrderLineIn]:
    """The lines of the one source that was named."""
    if body.from_purchase_order_id is not None:
        require_buyer_side(session, actor, body.from_purchase_order_id)
        return queries.lines_of_order(session, body.from_purchase_order_id)
    if body.from_order_import_id is not None:
        branch = f"{actor.organisation_path}%" if actor.organisation_path else None
        rows = session.execute(_IMPORTED, {"id": body.from_order_import_id, "branch": branch}).all()
        if not rows:
            raise NotFound
        return [OrderLineIn(sku_id=row.sku_id, quantity=row.quantity) for row in rows]
    return body.lines or []


def _add(session: Session, held: SavedList, lines: Sequence[OrderLineIn]) -> None:
    wanted: dict[int, Decimal] = {}
    for line in lines:
        wanted[line.sku_id] = min(wanted.get(line.sku_id, Decimal(0)) + line.quantity, MAX_QUANTITY)
    known = set(session.execute(_KNOWN, {"skus": list(wanted)}).scalars())
    faults = [
        Fault(f"lines[{at}].sku_id", "unknown_sku", "没有此规格", "There is no such SKU", {"sku_id": line.sku_id})
        for at, line in enumerate(lines)
        if line.sku_id not in known
    ]
    if faults:
        raise UnknownSkus(count=len(faults), faults=faults)
    session.execute(_ADD, {"list_id": held.id, "skus": list(wanted), "quantities": list(wanted.values())})
    held.line_count = session.execute(_COUNT, {"list_id": held.id}).scalar_one()
    if held.line_count > MAX_LINES:
        raise ListFull(limit=MAX_LINES)
    _keep(session, held)


def _editable(session: Session, actor: Actor, list_id: int) -> SavedList:
    """The list, locked until the transaction ends."""
    queries.found(session, actor, list_id)
    held = session.exec(select(SavedList).where(col(SavedList.id) == list_id).with_for_update()).first()
    if held is None:
        raise NotFound
    if not may_edit(
        owner_id=held.owner_id,
        shared=held.shared,
        home_id=held.organisation_id,
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
    ):
        raise NotYourList
    return held


def _keep(session: Session, held: SavedList) -> None:
    held.version += 1
    held.updated_at = clock.now()
    session.add(held)
    session.flush()
