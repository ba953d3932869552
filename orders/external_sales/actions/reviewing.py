"""Handing claims in, giving them up, and what officers say of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.counting import actions as counting
from orders.counting.actions import Use
from orders.counting.rules import DocumentKind, Subject
from orders.external_sales import queries, rules
from orders.external_sales.actions.judging import fall, judge
from orders.external_sales.actions.moving import LINES, line_ids, locked, own, step
from orders.external_sales.errors import OwnClaim, PapersMissing, ReasonNeeded, SomeNotReady
from orders.external_sales.rules import NUMBERED, Brought, Side
from orders.external_sales.states import EXTERNAL_SALE, SaleMove, SaleStatus
from orders.ledger import actions as ledger
from shop.core import clock
from shop.core.db import array
from shop.core.errors import Fault, IfMatch, NotFound, Problem, any_version, refuse_some
from shop.core.states import IllegalMove
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

#: As many faults as are told at once.
MOST_FAULTS = 200

_DOCUMENTS = text("SELECT * FROM external_sale_document WHERE sale_id = ANY (CAST(:ids AS bigint[])) ORDER BY sale_id, id")


def submit(session: Session, actor: Actor, sale_ids: Sequence[int], if_match: IfMatch = any_version) -> int:
    """Hand in claims of the own organisation, all or none; returns how many of them are held. One that rests on a document that another claim
    names, or that another sale may be, is held, and so is the other one.

    Raises:
        NotFound: it is none of the caller's organisation (404). IllegalMove: it was handed in before (409). SomeRefused: of many, the same of each (422).
        PapersMissing: of a single claim, every paper that it lacks (422). SomeNotReady: of many, the same by number (422).
    """
    counting.alone(session)
    rows = locked(session, sale_ids)
    found = {row.id: row for row in rows}
    refused = {place: why for place, each in enumerate(sale_ids) if (why := _not_handed_in(actor, found.get(each)))}
    refuse_some("ids", len(sale_ids), refused)
    for row in rows:
        if_match(row.version)
    papers = session.execute(_DOCUMENTS, {"ids": array(sale_ids)}).all()
    _require_papers(session, rows, papers)
    step(session, actor, rows, SaleMove.SUBMIT)
    sides = {row.id: row.side for row in rows}
    uses = [
        Use(paper.sale_id, DocumentKind(paper.kind), paper.number, paper.issuer, paper.amount_fen, sides[paper.sale_id])
        for paper in papers
        if paper.kind in NUMBERED
    ]
    counting.use(session, Subject.EXTERNAL_SALE, uses)
    return len(judge(session, sale_ids) & sides.keys())


def _not_handed_in(actor: Actor, sale: Row[Any] | None) -> Problem | None:
    """Why a claim is not handed in, whatever its papers are."""
    if sale is None or not actor.within_branch(sale.claimant_path):
        return NotFound()
    try:
        EXTERNAL_SALE.after(sale.status, SaleMove.SUBMIT)
    except IllegalMove as refused:
        return refused
    return None


def _require_papers(session: Session, rows: Sequence[Any], papers: Sequence[Any]) -> None:
    evidence = programmes.config_of(session, clock.today()).counting.evidence
    brought: dict[int, list[Brought]] = {}
    for paper in papers:
        brought.setdefault(paper.sale_id, []).append(Brought(paper.kind, paper.file_id is not None))
    lacking = {row.number: rules.missing(row.platform, brought.get(row.id, []), evidence) for row in rows}
    if len(rows) == 1 and (faults := lacking[rows[0].number]):
        raise PapersMissing(count=len(faults), faults=faults)
    if some := {number: faults for number, faults in lacking.items() if faults}:
        told = [
            Fault(f"{number}.{fault.field}", fault.code, f"{number}：{fault.zh}", f"{number}: {fault.en}")
            for number, faults in some.items()
            for fault in faults
        ]
        raise SomeNotReady(count=len(some), faults=told[:MOST_FAULTS])


def withdraw(session: Session, actor: Actor, sale_id: int, if_match: IfMatch) -> None:
    """Give up a claim that no officer has decided about.

    Raises:
        NotFound: not one of the caller's organisation (404). Changed: see there (412). IllegalMove: it was decided (409).
    """
    counting.alone(session)
    row = own(session, actor, sale_id)
    if_match(row.version)
    if row.decided_at is not None:  # accepted before it was held: an officer says what becomes of it
        EXTERNAL_SALE.after(SaleStatus.ACCEPTED, SaleMove.WITHDRAW)
    fall(session, actor, [row], SaleMove.WITHDRAW, None)


def accept(session: Session, actor: Actor, sale_id: int, reason: str | None, if_match: IfMatch) -> None:
    """Accept a claim. A seller's makes the figures from now on, by the rules of the day of the sale; a buyer's is only held against them.
    ``reason``: why it is accepted although it does not pass a check.

    Raises:
        NotFound: none of the caller's district (404). OwnClaim: see there (403). Changed: see there (412).
        IllegalMove: it is not handed in, or is held (409). ReasonNeeded: it does not pass a check (422).
    """
    row = _before_officer(session, actor, sale_id, if_match)
    EXTERNAL_SALE.after(row.status, SaleMove.ACCEPT)
    if reason is None and (failed := queries.failed(session, sale_id, row.total_fen)):
        faults = [Fault("reason", code, zh, en) for code, zh, en in failed]
        raise ReasonNeeded(count=len(faults), faults=faults)
    step(session, actor, [row], SaleMove.ACCEPT, reason=reason)
    if row.side == Side.SELLER:
        ledger.book_claims(session, LINES, line_ids(session, [sale_id]))


def give_back(session: Session, actor: Actor, sale_id: int, reason: str, if_match: IfMatch) -> None:
    """Return a claim to whoever made it, with what is to be mended.

    Raises:
        NotFound: none of the caller's district (404). OwnClaim: see there (403). Changed: see there (412). IllegalMove (409).
    """
    counting.alone(session)
    fall(session, actor, [_before_officer(session, actor, sale_id, if_match)], SaleMove.RETURN, reason)


def refuse(session: Session, actor: Actor, sale_id: int, reason: str, if_match: IfMatch) -> None:
    """Refuse a claim for good. Raises as :func:`give_back`."""
    counting.alone(session)
    fall(session, actor, [_before_officer(session, actor, sale_id, if_match)], SaleMove.REFUSE, reason)


def void(session: Session, actor: Actor, sale_id: int, reason: str, if_match: IfMatch) -> None:
    """Take a claim that was accepted out of the figures, on the days of its sale (of a month that is closed on the first that is open). Raises as :func:`give_back`."""
    counting.alone(session)
    fall(session, actor, [_before_officer(session, actor, sale_id, if_match)], SaleMove.VOID, reason)


def _before_officer(session: Session, actor: Actor, sale_id: int, if_match: IfMatch) -> Any:
    found = locked(session, [sale_id])
    if (
        not found
        or not actor.covers_region(Permission.EXTERNAL_SALES_REVIEW, found[0].district_code)
        or found[0].submitted_at is None
    ):
        raise NotFound
    row = found[0]
    if queries.concerns(actor, row):
        raise OwnClaim
    if_match(row.version)
    return row
