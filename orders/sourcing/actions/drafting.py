"""Writing a request for quotation before it is published."""

import json
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.purchasing.errors import NotYourUnit
from orders.sourcing.actions.moving import keep, locked
from orders.sourcing.errors import BEFORE_CLOSING, ContentRefused, TimeIsPast, TooManyFiles
from orders.sourcing.queries import requests as queries
from orders.sourcing.queries.reach import UNRELATED
from orders.sourcing.schemas.requests import CopyIn, QuotationRequestIn, RequestLineIn
from orders.sourcing.states import RequestAction
from orders.terms.queries import settled
from shop.core import audit, clock, uploads
from shop.core.errors import Changed, Fault, NotFound
from shop.core.models import StoredFile
from shop.identity import queries as identity
from shop.identity.actor import Actor

MOST_FILES = 20

_BUYER = text("SELECT id, path FROM organisation WHERE id = :id")
_COLUMNS = (
    "title, note, kind, matching, districts, fund_source, cost_centre, payment_terms, delivery_address, delivery_contact, delivery_phone, target_shown,"
    " closes_at, questions_until, line_count"
)
_CREATE = text(
    f"""
    INSERT INTO quotation_request (id, number, buyer_id, created_by, created_at, {_COLUMNS})
    SELECT n.id, 'RFQ' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), :buyer_id, :user_id, :now,
        :title, :note, :kind, :matching, CAST(:districts AS text[]), :fund_source, :cost_centre, CAST(:payment_terms AS jsonb), :delivery_address, :delivery_contact,
        :delivery_phone, :target_shown, :closes_at, :questions_until, :line_count
    FROM (SELECT nextval(pg_get_serial_sequence('quotation_request', 'id')) AS id) n RETURNING id
    """  # noqa: S608
)
_CHANGE = text(
    """
    UPDATE quotation_request SET title = :title, note = :note, kind = :kind, matching = :matching, districts = CAST(:districts AS text[]),
        fund_source = :fund_source, cost_centre = :cost_centre, payment_terms = CAST(:payment_terms AS jsonb), delivery_address = :delivery_address, delivery_contact = :delivery_contact,
        delivery_phone = :delivery_phone, target_shown = :target_shown, closes_at = :closes_at, questions_until = :questions_until,
        line_count = :line_count
    WHERE id = :id
    """
)
# A SKU brings its product's name and category, its unit and weight; what it asks for may be another pack of another supplier.
_WRITE_LINES = text(
    """
    INSERT INTO quotation_request_line (quotation_request_id, line_no, sku_id, name, specification, category, unit, unit_grams, quantity,
        target_price_fen, deliver_by, delivery_place)
    SELECT :id, w.line_no, w.sku_id, coalesce(w.name, p.name), coalesce(w.specification, ''), coalesce(p.category, w.category),
        coalesce(s.unit, w.unit), coalesce(s.net_grams, w.unit_grams), w.quantity, w.target_price_fen, w.deliver_by, w.delivery_place
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS w (line_no int, sku_id bigint, name text, specification text, category text, unit text,
        unit_grams bigint, quantity numeric, target_price_fen bigint, deliver_by date, delivery_place text)
    LEFT JOIN sku s ON s.id = w.sku_id LEFT JOIN product p ON p.id = s.product_id
    WHERE w.sku_id IS NULL OR s.id IS NOT NULL
    RETURNING line_no
    """
)
_INVITE = text(
    f"""
    INSERT INTO quotation_invitation (quotation_request_id, supplier_id, matched)
    SELECT :id, o.id, false FROM organisation o JOIN organisation buyer ON buyer.id = :buyer_id
    WHERE o.id = ANY (CAST(:suppliers AS bigint[])) AND {UNRELATED} AND o.status = 'approved'
      AND EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = 'supplier'
                  AND r.valid_from <= :today AND (r.valid_to IS NULL OR :today < r.valid_to))
    RETURNING supplier_id
    """  # noqa: S608
)
_CLEAR = (
    text("DELETE FROM quotation_request_line WHERE quotation_request_id = :id"),
    text("DELETE FROM quotation_invitation WHERE quotation_request_id = :id"),
)
_DETACH = text("DELETE FROM quotation_request_file WHERE quotation_request_id = :id AND file_id = :file_id RETURNING file_id")
_COPY = text(
    f"""
    WITH made AS (
        INSERT INTO quotation_request (id, number, buyer_id, created_by, created_at, copied_from_id, {_COLUMNS})
        SELECT n.id, 'RFQ' || CAST(:day AS text) || lpad(n.id::text, greatest(6, length(n.id::text)), '0'), q.buyer_id, :user_id, :now, q.id,
            q.title, q.note, q.kind, q.matching, q.districts, q.fund_source, q.cost_centre, q.payment_terms, q.delivery_address, q.delivery_contact,
            q.delivery_phone, q.target_shown, :closes_at, :questions_until, q.line_count
        FROM quotation_request q, (SELECT nextval(pg_get_serial_sequence('quotation_request', 'id')) AS id) n WHERE q.id = :id RETURNING id
    ), lines AS (
        INSERT INTO quotation_request_line (quotation_request_id, line_no, sku_id, name, specification, category, unit, unit_grams, quantity,
            target_price_fen, deliver_by, delivery_place)
        SELECT made.id, l.line_no, l.sku_id, l.name, l.specification, l.category, l.unit, l.unit_grams, l.quantity, l.target_price_fen,
            CASE WHEN l.deliver_by >= CAST(:closing_day AS date) THEN l.deliver_by END, l.delivery_place
        FROM quotation_request_line l, made WHERE l.quotation_request_id = :id
    ), asked AS (
        INSERT INTO quotation_invitation (quotation_request_id, supplier_id, matched)
        SELECT made.id, i.supplier_id, false FROM quotation_invitation i, made WHERE i.quotation_request_id = :id AND NOT i.matched
    ), files AS (
        INSERT INTO quotation_request_file (quotation_request_id, file_id)
        SELECT made.id, f.file_id FROM quotation_request_file f, made WHERE f.quotation_request_id = :id
    )
    SELECT id FROM made
    """  # noqa: S608
)


def create(session: Session, actor: Actor, body: QuotationRequestIn) -> int:
    """Write a draft; nobody outside the buyer's branch sees it before it is published. Returns its id.

    Raises:
        NotFound, NotYourUnit: the budget unit is unknown, or not the caller's own or one below it (404, 403).
        OrganisationNotApproved, TimeIsPast: see there (409).
        ContentRefused: unknown SKUs or suppliers, or delivery before the closing day, each named (422).
    """
    buyer_id = _buyer(session, actor, body.buyer_id)
    now = clock.now()
    values = {**_values(session, body), "buyer_id": buyer_id, "user_id": actor.user_id, "now": now}
    request_id: int = session.execute(_CREATE, {**values, "day": _day(now)}).scalar_one()
    _write(session, request_id, buyer_id, body)
    audit.record(session, actor, "quotation_request.created", "quotation_request", request_id, lines=len(body.lines))
    return request_id


def change(session: Session, actor: Actor, request_id: int, body: QuotationRequestIn, version: str | None = None) -> None:
    """Write a draft anew. ``version``: the caller's If-Match.

    Raises:
        NotFound: no such request of the caller's branch (404).
        IllegalMove: it is published (409). Changed: somebody else changed it (412).
        Others as for :func:`create`; the buyer stays.
    """
    row = locked(session, actor, request_id, RequestAction.EDIT)
    if version and version.strip() not in (f'"{row.version}"', "*"):
        raise Changed
    session.execute(_CHANGE, {**_values(session, body), "id": row.id})
    for statement in _CLEAR:
        session.execute(statement, {"id": row.id})
    _write(session, row.id, row.buyer_id, body)
    keep(session, actor, row, RequestAction.EDIT, lines=len(body.lines))


def copy(session: Session, actor: Actor, request_id: int, body: CopyIn) -> int:
    """A new draft with the same lines, suppliers named and files; for what failed, or comes again. Days of delivery that lie before the new end
    are left out. Returns its id.

    Raises:
        NotFound: no such request of the caller's branch (404). TimeIsPast: see there (409).
    """
    row = queries.seen(session, actor, request_id)
    if row.seen_as != "buyer":
        raise NotFound
    now = clock.now()
    if body.closes_at <= now:
        raise TimeIsPast
    values = {
        "id": row.id,
        "user_id": actor.user_id,
        "now": now,
        "day": _day(now),
        "closes_at": body.closes_at,
        "questions_until": body.questions_until or body.closes_at,
        "closing_day": clock.shanghai_date(body.closes_at),
    }
    made: int = session.execute(_COPY, values).scalar_one()
    audit.record(session, actor, "quotation_request.copied", "quotation_request", made, copied_from_id=row.id)
    return made


def attach(session: Session, actor: Actor, request_id: int, name: str | None, content: bytes) -> StoredFile:
    """Attach a specification to a draft.

    Raises:
        NotFound, IllegalMove: as for :func:`change`. TooManyFiles (409), TooLarge (413), UnreadableFile (422): see there.
    """
    row = locked(session, actor, request_id, RequestAction.EDIT)
    held = session.execute(text("SELECT count(*) FROM quotation_request_file WHERE quotation_request_id = :id"), {"id": row.id})
    if held.scalar_one() >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    file = uploads.keep(session, actor.user_id, name, content)
    session.execute(
        text("INSERT INTO quotation_request_file (quotation_request_id, file_id) VALUES (:id, :file_id)"),
        {"id": row.id, "file_id": file.id},
    )
    audit.record(session, actor, "quotation_request.file_added", "quotation_request", row.id, sha256=file.sha256)
    return file


def detach(session: Session, actor: Actor, request_id: int, file_id: int) -> None:
    """Take a specification off a draft again.

    Raises:
        NotFound, IllegalMove: as for :func:`change`; or the draft has no such file (404).
    """
    row = locked(session, actor, request_id, RequestAction.EDIT)
    if session.execute(_DETACH, {"id": row.id, "file_id": file_id}).first() is None:
        raise NotFound
    audit.record(session, actor, "quotation_request.file_removed", "quotation_request", row.id, file_id=file_id)


def _buyer(session: Session, actor: Actor, buyer_id: int | None) -> int:
    buyer = session.execute(_BUYER, {"id": buyer_id or actor.organisation}).first()
    if buyer is None:
        raise NotFound
    if not actor.within_branch(buyer.path):
        raise NotYourUnit
    identity.require_approved(session, buyer.id)
    return int(buyer.id)


def _values(session: Session, body: QuotationRequestIn) -> dict[str, Any]:
    if body.closes_at <= clock.now():
        raise TimeIsPast
    return {
        **body.model_dump(exclude={"lines", "supplier_ids", "buyer_id", "payment_terms"}),
        "payment_terms": settled(session, body.payment_terms),
        "questions_until": body.questions_until or body.closes_at,
        "line_count": len(body.lines),
    }


def _write(session: Session, request_id: int, buyer_id: int, body: QuotationRequestIn) -> None:
    """The lines and the suppliers named, in one statement each."""
    rows = [_line(number, line) for number, line in enumerate(body.lines, 1)]
    written = set(session.execute(_WRITE_LINES, {"id": request_id, "lines": json.dumps(rows, ensure_ascii=False)}).scalars())
    faults = [
        Fault(f"lines[{place}].sku_id", "unknown_sku", "没有此规格", "There is no such SKU")
        for place in range(len(rows))
        if place + 1 not in written
    ]
    closing_day = clock.shanghai_date(body.closes_at)
    faults += [
        Fault(f"lines[{place}].deliver_by", "before_closing", *BEFORE_CLOSING)
        for place, line in enumerate(body.lines)
        if line.deliver_by is not None and line.deliver_by < closing_day
    ]
    values = {"id": request_id, "buyer_id": buyer_id, "suppliers": body.supplier_ids, "today": clock.today()}
    invited = set(session.execute(_INVITE, values).scalars())
    for place, supplier_id in enumerate(body.supplier_ids):
        if supplier_id not in invited:
            told = "不是已通过审核的供应商", "This is no approved supplier that could be asked"
            faults.append(Fault(f"supplier_ids[{place}]", "unknown_supplier", *told))
    if faults:
        raise ContentRefused(count=len(faults), faults=faults)


def _line(number: int, line: RequestLineIn) -> dict[str, Any]:
    unit_grams = 1000 if line.unit == "kg" else line.unit_grams
    return {
        **line.model_dump(mode="json", exclude={"target_price", "unit_grams"}),
        "line_no": number,
        "unit_grams": unit_grams,
        "target_price_fen": line.target_price,
    }


def _day(now: Any) -> str:
    return clock.shanghai_date(now).strftime("%Y%m%d")
