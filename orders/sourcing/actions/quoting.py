"""What suppliers do: ask, decline, send a quotation, replace it, withdraw it. All of it before the end, by the clock of the server.

A quotation is written under the lock of its request, and the clock is read under it. Opening takes the same lock: it waits for quotations
that are being written, and whatever comes after it is too late. So nothing can be added to what somebody has read.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.states import in_force_sql, pausing_sql
from catalog.products.rules import highest_agreed_sql
from orders.sourcing import offers
from orders.sourcing.actions.moving import lock, status_now
from orders.sourcing.errors import (
    BEFORE_CLOSING,
    NotInvited,
    OwnRequest,
    QuestionsOver,
    QuotationOver,
    QuotationRefused,
    QuotationStands,
    RequestClosed,
    TooManyFiles,
    TooManyQuestions,
)
from orders.sourcing.offers import Offered
from orders.sourcing.queries import requests
from orders.sourcing.queries.comparison import prices_of
from orders.sourcing.rules import Kind
from orders.sourcing.schemas.quotations import QuotationIn, QuotationLineIn
from orders.sourcing.states import QuotationStatus, RequestStatus
from shop.core import audit, clock, outbox, uploads
from shop.core.errors import Fault, NotFound
from shop.core.models import StoredFile
from shop.identity import queries as identity
from shop.identity.actor import Actor

MOST_QUESTIONS = 50
MOST_FILES = 10

_SEE = text(
    "UPDATE quotation_invitation SET seen_at = :now WHERE quotation_request_id = :id AND supplier_id = :supplier AND seen_at IS NULL"
)
_DECLINE = text(
    """
    UPDATE quotation_invitation SET declined_at = :now, decline_reason = :reason
    WHERE quotation_request_id = :id AND supplier_id = :supplier RETURNING supplier_id
    """
)
_STANDS = text("SELECT 1 FROM quotation WHERE quotation_request_id = :id AND supplier_id = :supplier AND status = 'submitted'")
_ASKED = text("SELECT count(*) FROM quotation_question WHERE quotation_request_id = :id AND supplier_id = :supplier")
_ASK = text(
    """
    INSERT INTO quotation_question (quotation_request_id, supplier_id, asked_by, asked_at, question)
    VALUES (:id, :supplier, :user_id, :now, :question) RETURNING id
    """
)
_FACTS = text(
    f"""
    SELECT w.line_no::int, l.id AS line_id, l.quantity AS asked, l.unit_grams, w.sku_id,
           coalesce(p.supplier_id = :supplier, false) AS own, coalesce(s.status = 'active' AND p.status = 'active', false) AS active,
           s.net_grams, s.step,
           EXISTS (SELECT FROM certificate c WHERE c.product_id = p.id AND c.supplier_id = p.supplier_id AND {in_force_sql("c")}) AS certified,
           (SELECT jsonb_agg(jsonb_build_array(t.min_quantity::text, t.unit_price_fen) ORDER BY t.min_quantity)
            FROM price_tier t WHERE t.sku_id = s.id) AS list_prices,
           {highest_agreed_sql("p", "s")} AS highest_fen, {pausing_sql("p")} AS paused
    FROM unnest(CAST(:line_nos AS int[]), CAST(:skus AS bigint[])) WITH ORDINALITY AS w (line_no, sku_id, place)
    LEFT JOIN quotation_request_line l ON l.quotation_request_id = :id AND l.line_no = w.line_no
    LEFT JOIN sku s ON s.id = w.sku_id
    LEFT JOIN product p ON p.id = s.product_id
    ORDER BY w.place
    """  # noqa: S608
)
_REPLACE = text(
    """
    UPDATE quotation SET status = 'replaced', ended_at = :now
    WHERE quotation_request_id = :id AND supplier_id = :supplier AND status = 'submitted' RETURNING id
    """
)
# The end is compared once more where the row is written.
_WRITE = text(
    """
    WITH made AS (
        INSERT INTO quotation (quotation_request_id, supplier_id, revision, submitted_by, submitted_at, closes_at, valid_until, note)
        SELECT q.id, :supplier, 1 + (SELECT count(*) FROM quotation t WHERE t.quotation_request_id = q.id AND t.supplier_id = :supplier),
               :user_id, :now, q.closes_at, :valid_until, :note
        FROM quotation_request q WHERE q.id = :id AND q.status = 'open' AND q.opened_at IS NULL AND q.closes_at > :now
        RETURNING id
    ), lines AS (
        INSERT INTO quotation_line (quotation_id, quotation_request_line_id, declined, sku_id, quantity, list_price_fen, deliver_on, note)
        SELECT made.id, w.line_id, w.declined, w.sku_id, w.quantity, w.list_fen, w.deliver_on, w.note
        FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS w
            (line_id bigint, declined boolean, sku_id bigint, quantity numeric, list_fen bigint, deliver_on date, note text), made
        RETURNING id, quotation_request_line_id
    ), prices AS (
        INSERT INTO quotation_price (quotation_line_id, min_quantity, unit_price_fen)
        SELECT lines.id, w.min_quantity, w.unit_price_fen
        FROM jsonb_to_recordset(CAST(:prices AS jsonb)) AS w (line_id bigint, min_quantity numeric, unit_price_fen bigint)
        JOIN lines ON lines.quotation_request_line_id = w.line_id
    ), files AS (
        INSERT INTO quotation_file (quotation_id, file_id)
        SELECT made.id, f.file_id FROM quotation_file f, made WHERE f.quotation_id = CAST(:replaced AS bigint)
    )
    SELECT id FROM made
    """
)
_DETACH = text("DELETE FROM quotation_file WHERE quotation_id = :id AND file_id = :file_id RETURNING file_id")
_OWN = text("SELECT * FROM quotation WHERE id = :id AND supplier_id = CAST(:supplier AS bigint)")
_WITHDRAW = text(
    "UPDATE quotation SET status = 'withdrawn', ended_at = :now WHERE id = :id AND status = 'submitted' RETURNING quotation_request_id"
)


def see(session: Session, actor: Actor, request_id: int) -> None:
    """Note that an invited supplier has looked; the first time counts."""
    if actor.organisation_id is not None:
        session.execute(_SEE, {"id": request_id, "supplier": actor.organisation_id, "now": clock.now()})


def ask(session: Session, actor: Actor, request_id: int, words: str) -> int:
    """Ask the buyer something; all suppliers read it, and none of them who asked. Returns the question's id.

    Raises:
        NotFound: no request that the caller's organisation may answer (404).
        RequestClosed, QuestionsOver, TooManyQuestions, OwnRequest: see there (409).
    """
    _party(session, actor, request_id)
    row = lock(session, request_id)
    now = clock.now()
    if status_now(row) is not RequestStatus.OPEN:
        raise RequestClosed
    if now >= row.questions_until:
        raise QuestionsOver
    who = {"id": request_id, "supplier": actor.organisation}
    if session.execute(_ASKED, who).scalar_one() >= MOST_QUESTIONS:
        raise TooManyQuestions(most=MOST_QUESTIONS)
    values = {**who, "user_id": actor.user_id, "now": now, "question": words}
    question_id: int = session.execute(_ASK, values).scalar_one()
    audit.record(session, actor, "quotation_request.asked", "quotation_request", request_id, question_id=question_id)
    outbox.publish(session, "quotation_request.asked", quotation_request_id=request_id, question_id=question_id)
    return question_id


def decline(session: Session, actor: Actor, request_id: int, reason: str) -> None:
    """Tell that no quotation will come. Who sends one all the same has not declined; the buyer learns that with the quotation.

    Raises:
        NotFound: no request that the caller's organisation may answer (404).
        RequestClosed, NotInvited, QuotationStands, OwnRequest: see there (409).
    """
    row = _party(session, actor, request_id)
    if row.kind == Kind.PUBLISHED:
        raise NotInvited
    now = _in_time(session, request_id)
    values = {"id": request_id, "supplier": actor.organisation, "now": now, "reason": reason}
    if session.execute(_STANDS, values).first():
        raise QuotationStands
    if session.execute(_DECLINE, values).first() is None:
        raise NotInvited
    audit.record(session, actor, "quotation_request.declined", "quotation_request", request_id, reason=reason)


def submit(session: Session, actor: Actor, request_id: int, body: QuotationIn) -> int:
    """Send a quotation, or a newer one in the place of an older one; files go with it. Nobody but the supplier reads it before the end.

    Raises:
        NotFound: no request that the caller's organisation may answer (404).
        OrganisationNotApproved, OwnRequest, RequestClosed: see there (409).
        QuotationRefused: lines that cannot be, each with its reason (422).
    """
    head = _party(session, actor, request_id)
    identity.require_approved(session, actor.organisation)
    offered = _facts(session, actor, request_id, body.lines)
    if faults := _faults(head, body, offered):
        raise QuotationRefused(count=len(faults), faults=faults)
    now = _in_time(session, request_id)
    quotation_id = _write(session, actor, request_id, body, offered, now)
    # no price on record here: the trail is read before the end too
    audit.record(session, actor, "quotation.submitted", "quotation", quotation_id, quotation_request_id=request_id)
    return quotation_id


def withdraw(session: Session, actor: Actor, quotation_id: int) -> None:
    """Take an own quotation back before the end; it is never opened.

    Raises:
        NotFound: no quotation of the caller's organisation (404).
        RequestClosed, QuotationOver: see there (409).
    """
    row = _own(session, actor, quotation_id)
    now = _in_time(session, row.quotation_request_id)
    if session.execute(_WITHDRAW, {"id": row.id, "now": now}).first() is None:
        raise QuotationOver
    audit.record(session, actor, "quotation.withdrawn", "quotation", row.id, quotation_request_id=row.quotation_request_id)


def attach(session: Session, actor: Actor, quotation_id: int, name: str | None, content: bytes) -> StoredFile:
    """Attach a file to an own quotation before the end.

    Raises:
        NotFound, RequestClosed, QuotationOver: as for :func:`withdraw`.
        TooManyFiles (409), TooLarge (413), UnreadableFile (422): see there.
    """
    row = _own_in_force(session, actor, quotation_id)
    held = session.execute(text("SELECT count(*) FROM quotation_file WHERE quotation_id = :id"), {"id": row.id}).scalar_one()
    if held >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    file = uploads.keep(session, actor.user_id, name, content)
    session.execute(
        text("INSERT INTO quotation_file (quotation_id, file_id) VALUES (:id, :file_id)"), {"id": row.id, "file_id": file.id}
    )
    audit.record(session, actor, "quotation.file_added", "quotation", row.id, sha256=file.sha256)
    return file


def detach(session: Session, actor: Actor, quotation_id: int, file_id: int) -> None:
    """Take a file off an own quotation again before the end.

    Raises:
        NotFound, RequestClosed, QuotationOver: as for :func:`withdraw`; or the quotation has no such file (404).
    """
    row = _own_in_force(session, actor, quotation_id)
    if session.execute(_DETACH, {"id": row.id, "file_id": file_id}).first() is None:
        raise NotFound
    audit.record(session, actor, "quotation.file_removed", "quotation", row.id, file_id=file_id)


def _party(session: Session, actor: Actor, request_id: int) -> Row[Any]:
    """A request that the caller's organisation may answer."""
    row = requests.seen(session, actor, request_id)
    if row.seen_as == "buyer" or actor.is_related(row.buyer_path):
        raise OwnRequest
    if row.seen_as != "supplier":
        raise NotFound
    return row


def _in_time(session: Session, request_id: int) -> datetime:
    """The present moment, read under the lock of a request that still takes quotations.

    Raises:
        RequestClosed: its end is past, or it was opened or cancelled (409).
    """
    row = lock(session, request_id)
    now = clock.now()
    if row.status != RequestStatus.OPEN or row.opened_at is not None or now >= row.closes_at:
        raise RequestClosed
    return now


def _own(session: Session, actor: Actor, quotation_id: int) -> Row[Any]:
    row = session.execute(_OWN, {"id": quotation_id, "supplier": actor.organisation_id}).first()
    if row is None:
        raise NotFound
    return row


def _own_in_force(session: Session, actor: Actor, quotation_id: int) -> Row[Any]:
    """An own quotation that may still be changed, under the lock of its request."""
    _in_time(session, _own(session, actor, quotation_id).quotation_request_id)
    row = _own(session, actor, quotation_id)
    if row.status != QuotationStatus.SUBMITTED:
        raise QuotationOver
    return row


def _facts(session: Session, actor: Actor, request_id: int, lines: Sequence[QuotationLineIn]) -> list[Offered]:
    rows = session.execute(
        _FACTS,
        {
            "id": request_id,
            "supplier": actor.organisation,
            "line_nos": [line.line_no for line in lines],
            "skus": [line.sku_id for line in lines],
            **clock.present(),
        },
    ).all()
    return [
        Offered(
            place=place,
            line_no=row.line_no,
            line_id=row.line_id,
            declined=line.declined,
            sku_id=row.sku_id,
            own=row.own,
            active=row.active,
            certified=row.certified,
            asked=row.asked,
            unit_grams=row.unit_grams,
            net_grams=row.net_grams,
            step=row.step,
            given=line.quantity,
            prices=[(tier.min_quantity, tier.unit_price) for tier in line.tiers or []],
            list_prices=prices_of(row.list_prices),
            highest_fen=row.highest_fen,
            paused=row.paused,
        )
        for place, (line, row) in enumerate(zip(lines, rows, strict=True))
    ]


def _faults(head: Row[Any], body: QuotationIn, offered: list[Offered]) -> list[Fault]:
    faults: list[Fault] = []
    closing_day = clock.shanghai_date(head.closes_at)
    if body.valid_until < closing_day:
        told = "报价有效期须不早于报价截止日", "It must be valid on the day of the closing time at least"
        faults.append(Fault("valid_until", "valid_too_short", *told))
    seen: set[int] = set()
    for each in offered:
        faults += offers.offer_faults(each, seen)
        seen.add(each.line_no)
    for place, line in enumerate(body.lines):
        if line.deliver_on is not None and line.deliver_on < closing_day:
            faults.append(Fault(f"lines[{place}].deliver_on", "before_closing", *BEFORE_CLOSING))
    if all(line.declined for line in body.lines):
        faults.append(Fault("lines", "nothing_offered", "至少报价一行；全部不报请谢绝询价", "Offer one line at least, or decline"))
    return faults


def _write(session: Session, actor: Actor, request_id: int, body: QuotationIn, offered: list[Offered], now: datetime) -> int:
    who = {"id": request_id, "supplier": actor.organisation, "now": now}
    replaced = session.execute(_REPLACE, who).scalar()
    lines = [
        {
            "line_id": each.line_id,
            "declined": each.declined,
            "sku_id": each.sku_id,
            "quantity": None if each.declined else str(each.quantity),
            "list_fen": None if each.declined else each.list_fen,
            "deliver_on": line.deliver_on.isoformat() if line.deliver_on else None,
            "note": line.note,
        }
        for each, line in zip(offered, body.lines, strict=True)
    ]
    prices = [
        {"line_id": each.line_id, "min_quantity": str(least), "unit_price_fen": price}
        for each in offered
        for least, price in each.prices
    ]
    values = {
        **who,
        "user_id": actor.user_id,
        "valid_until": body.valid_until,
        "note": body.note,
        "replaced": replaced,
        "lines": json.dumps(lines, ensure_ascii=False),
        "prices": json.dumps(prices),
    }
    quotation_id = session.execute(_WRITE, values).scalar()
    if quotation_id is None:
        raise RequestClosed
    return int(quotation_id)
