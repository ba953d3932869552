"""Baskets that fit a budget: asked for by people, worked out in the background, ordered as they are."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges import solver
from orders.pledges.actions.filling import add_if_free, add_order, fillable, is_within, recipient, require_period
from orders.pledges.errors import HeadsNeeded, PerHeadCapPassed, ProposalOutdated, TooManyHeads, TooManyProposals, WhereTo
from orders.pledges.queries import baskets
from orders.pledges.queries import pledges as reading
from orders.pledges.rules.asking import Demand
from orders.pledges.rules.choosing import Item, broken, totals
from orders.pledges.schemas import MAX_HEADS, OrderedOut, ProposalIn, ProposalOrderIn
from orders.pledges.states import PROPOSAL, PledgeStatus, ProposalAction, ProposalStatus
from orders.purchasing.schemas import OrderHeadIn, OrderLineIn
from orders.requests.actions import submit
from shop.core import audit, clock, locks, outbox
from shop.core.errors import Fault, NotFound
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor

#: Baskets of one organisation that may be in work at a time.
AT_ONCE = 3
#: Longer than any basket takes: one that is older was given up by the worker.
GIVEN_UP_HOURS = 1

_IN_WORK = text(
    """
    SELECT count(*) FROM basket_proposal b JOIN pledge p ON p.id = b.pledge_id
    WHERE p.organisation_id = :organisation_id AND b.status IN ('waiting', 'explaining')
    """
)
_ASK = text(
    """
    INSERT INTO basket_proposal (pledge_id, asked, budget_fen, requested_by, requested_at)
    VALUES (:pledge_id, CAST(:asked AS jsonb), :budget, :user_id, :now) RETURNING id
    """
)
_LINES = text(
    """
    INSERT INTO basket_proposal_line (proposal_id, line_no, sku_id, quantity, unit_price_fen, amount_fen, deep, new_village)
    SELECT :id, u.line_no, u.sku_id, u.quantity, u.price, u.amount, u.deep, u.new_village
    FROM unnest(CAST(:skus AS bigint[]), CAST(:quantities AS numeric[]), CAST(:prices AS bigint[]), CAST(:amounts AS bigint[]),
        CAST(:deep AS boolean[]), CAST(:new_village AS boolean[])) WITH ORDINALITY
      AS u (sku_id, quantity, price, amount, deep, new_village, line_no)
    """
)
# The price of each line by now: that of the tier that its quantity reaches.
_PRICES = text(
    """
    SELECT l.line_no, l.sku_id, l.quantity, l.unit_price_fen, l.amount_fen, (
        SELECT t.unit_price_fen FROM price_tier t WHERE t.sku_id = l.sku_id AND t.min_quantity <= l.quantity
        ORDER BY t.min_quantity DESC LIMIT 1) AS price_now
    FROM basket_proposal_line l WHERE l.proposal_id = :id ORDER BY l.line_no
    """
)

#: The basket whose request led to an order. Its pledge is held, so that it stays as it is read.
_APPROVED = text(
    """
    SELECT b.id AS proposal_id, b.pledge_id, b.recipient_id, b.requested_by, p.status, p.valid_from, p.valid_until,
           (po.placed_at AT TIME ZONE 'Asia/Shanghai')::date AS placed_on
    FROM purchase_order po JOIN basket_proposal b ON b.purchase_request_id = po.purchase_request_id JOIN pledge p ON p.id = b.pledge_id
    WHERE po.id = :id FOR SHARE OF p
    """
)
_KEEP_ORDER = text(
    "UPDATE basket_proposal SET purchase_order_id = :order_id WHERE id = :id AND purchase_order_id IS NULL RETURNING id"
)
_RELEASE = text(
    """
    UPDATE basket_proposal SET status = :status, purchase_request_id = NULL, recipient_id = NULL
    WHERE purchase_request_id = :request_id AND purchase_order_id IS NULL RETURNING id
    """
)


def ask(session: Session, actor: Actor, pledge_id: int, body: ProposalIn) -> int:
    """Ask for a basket from a pledge's regions. Returns the id of the proposal, which waits to be worked out.

    Raises:
        NotFound: not a pledge of the caller's branch.
        IllegalMove: it is not open (409).
        HeadsNeeded: a cap for each head, or equal baskets, of nobody knows how many (422).
        TooManyHeads: all recipients together are more than a basket is made for (422).
        TooManyProposals: the organisation waits for others (409).
    """
    pledge = fillable(session, actor, pledge_id)
    # counted one after the other, whichever of its pledges they are for
    locks.hold(session, f"basket_proposals:{pledge.organisation_id}")
    in_work = session.execute(_IN_WORK, {"organisation_id": pledge.organisation_id}).scalar_one()
    if in_work >= AT_ONCE:
        raise TooManyProposals(count=in_work)
    heads = body.heads or sum(each.heads for each in reading.recipients_of(session, pledge_id)) or None
    asked = body.model_copy(update={"heads": heads, "per_head_cap": body.per_head_cap or pledge.per_head_cap_fen})
    if heads is None and (asked.identical or asked.per_head_cap):
        raise HeadsNeeded.one("heads", HeadsNeeded.code, HeadsNeeded.zh, HeadsNeeded.en)
    if heads is not None and heads > MAX_HEADS:
        at_most = Fault("heads", TooManyHeads.code, f"最多 {MAX_HEADS}", f"at most {MAX_HEADS}")
        raise TooManyHeads(faults=[at_most], heads=heads, most=MAX_HEADS)
    values = {"pledge_id": pledge_id, "asked": asked.model_dump_json(), "budget": body.budget, "user_id": actor.user_id}
    proposal_id: int = session.execute(_ASK, {**values, "now": clock.now()}).scalar_one()
    audit.record(session, actor, "basket_proposal.requested", "basket_proposal", proposal_id, budget_fen=body.budget)
    outbox.publish(session, "basket_proposal.requested", proposal_id=proposal_id)
    return proposal_id


def work_out(session: Session, proposal_id: int) -> ProposalStatus | None:
    """Find the basket of a waiting proposal. Returns what became of it; None: another run did it."""
    row = _begin(session, proposal_id, ProposalStatus.WAITING)
    if row is None:
        return None
    demand = baskets.demand(baskets.asked_of(row))
    try:
        found = solver.propose(demand, baskets.catalogue(session, row.pledge_id, row.organisation_id))
    except solver.SolverFailed:
        return _finish(session, row, ProposalAction.FAIL)
    figures = {
        "candidates": found.candidates,
        "baseline": _kept(demand, found.baseline),
        "result": None if found.basket is None else _kept(demand, found.basket),
        "proven": None if found.basket else found.proven,
    }
    if found.basket is None:
        outbox.publish(session, "basket_proposal.unmet", proposal_id=proposal_id)
        return _finish(session, row, ProposalAction.MISS, **figures)
    _write_lines(session, proposal_id, found.basket)
    return _finish(session, row, ProposalAction.FIND, **figures)


def explain(session: Session, proposal_id: int) -> ProposalStatus | None:
    """Say which limit stands in the way of a basket. Returns what became of the proposal; None: another run did it."""
    row = _begin(session, proposal_id, ProposalStatus.EXPLAINING)
    if row is None:
        return None
    demand = baskets.demand(baskets.asked_of(row))
    try:
        obstacles = solver.explain(demand, baskets.catalogue(session, row.pledge_id, row.organisation_id))
    except solver.SolverFailed:
        return _finish(session, row, ProposalAction.FAIL)
    told = [{"limit": str(each.limit), "attainable": each.attainable} for each in obstacles]
    return _finish(session, row, ProposalAction.EXPLAIN, obstacles=told)


def give_up_old(session: Session) -> list[int]:
    """End proposals that no worker came to an end with. Returns their ids."""
    ended = list(
        session.execute(
            text(
                "UPDATE basket_proposal SET status = 'failed', finished_at = :now WHERE status IN ('waiting', 'explaining')"
                " AND requested_at < CAST(:now AS timestamptz) - make_interval(hours => :hours) RETURNING id"
            ),
            {"now": clock.now(), "hours": GIVEN_UP_HOURS},
        ).scalars()
    )
    for proposal_id in ended:
        audit.record(session, audit.SYSTEM, f"basket_proposal.{ProposalAction.FAIL}", "basket_proposal", proposal_id)
    return ended


def order(session: Session, actor: Actor, proposal_id: int, body: ProposalOrderIn) -> OrderedOut:
    """Order a proposed basket as it is, on the pledge's funds, to a recipient or an address; the order counts towards the pledge.

    Raises:
        NotFound: not a proposal of the caller's branch, or no such recipient of the pledge.
        IllegalMove: the proposal is not ready, or was ordered before; the pledge is not open (409).
        OrderOutsidePeriod: an order of today would not count (409).
        ProposalOutdated: prices are not what they were (409).
        PerHeadCapPassed: it is more for each head of the recipient than the pledge allows (409).
        WhereTo: neither a recipient nor an address, or both (422).
        LinesRefused and whatever else placing an order is refused for.
    """
    found = session.execute(text("SELECT pledge_id, status FROM basket_proposal WHERE id = :id"), {"id": proposal_id}).first()
    if found is None:
        raise NotFound
    pledge_id = found.pledge_id
    pledge = fillable(session, actor, pledge_id)
    # before its row is waited for: whoever works it out holds it, and nobody orders a basket unseen
    PROPOSAL.after(found.status, ProposalAction.ORDER)
    require_period(pledge, clock.today())
    row = session.execute(text("SELECT * FROM basket_proposal WHERE id = :id FOR UPDATE"), {"id": proposal_id}).one()
    status = PROPOSAL.after(row.status, ProposalAction.ORDER)
    if (body.recipient_id is None) == (body.delivery_address is None):
        raise WhereTo.one("recipient_id", WhereTo.code, WhereTo.zh, WhereTo.en)
    to = None if body.recipient_id is None else recipient(session, pledge_id, body.recipient_id)
    lines = _lines_at_their_prices(session, proposal_id)
    if to:
        _require_within_heads(pledge, to, sum(line.amount_fen for line in lines))
    wanted = [OrderLineIn(sku_id=line.sku_id, quantity=line.quantity) for line in lines]
    submitted = submit(session, actor, _head(pledge, body, to), wanted)
    placed = submitted.purchase_order
    session.execute(
        text(
            "UPDATE basket_proposal SET status = :status, recipient_id = :recipient_id, purchase_order_id = :order_id,"
            " purchase_request_id = :request_id WHERE id = :id"
        ),
        {
            "status": status,
            "recipient_id": body.recipient_id,
            "order_id": placed.id if placed else None,
            "request_id": submitted.purchase_request_id,
            "id": proposal_id,
        },
    )
    audit.record(session, actor, "basket_proposal.ordered", "basket_proposal", proposal_id)
    if placed:
        add_order(session, actor, pledge_id, placed.id, body.recipient_id)
    return OrderedOut(purchase_order=placed, purchase_request_id=submitted.purchase_request_id)


def _require_within_heads(pledge: Row[Any], to: Row[Any], total: int) -> None:
    cap = pledge.per_head_cap_fen
    if cap is not None and total > to.heads * cap:
        raise PerHeadCapPassed(total=yuan_from_fen(total), heads=to.heads, cap=yuan_from_fen(cap))


def _head(pledge: Row[Any], body: ProposalOrderIn, to: Row[Any] | None) -> OrderHeadIn:
    where = body.model_dump(include={"delivery_address", "delivery_contact", "delivery_phone"})
    if to:
        where = {name: said or getattr(to, name) for name, said in where.items()}
    return OrderHeadIn(
        fund_source=pledge.fund_source,
        buyer_id=pledge.organisation_id,
        **body.model_dump(include={"deliver_by", "buyer_reference", "cost_centre"}),
        **where,
    )


def _lines_at_their_prices(session: Session, proposal_id: int) -> Sequence[Row[Any]]:
    rows = session.execute(_PRICES, {"id": proposal_id}).all()
    if changed := [row.line_no for row in rows if row.price_now != row.unit_price_fen]:
        raise ProposalOutdated(lines=changed)
    return rows


def count_approved(session: Session, purchase_order_id: int) -> None:
    """An order that came from an approved request for a basket counts towards the basket's pledge, if orders can still be added to it."""
    order = session.execute(_APPROVED, {"id": purchase_order_id}).first()
    if order is None:
        return
    kept = session.execute(_KEEP_ORDER, {"id": order.proposal_id, "order_id": purchase_order_id}).first()
    if kept is None or order.status != PledgeStatus.OPEN or not is_within(order, order.placed_on):
        return
    add_if_free(session, order.pledge_id, purchase_order_id, order.recipient_id, order.requested_by)


def release(session: Session, purchase_request_id: int) -> None:
    """A basket whose request was refused or withdrawn can be ordered again."""
    status = PROPOSAL.after(ProposalStatus.ORDERED, ProposalAction.RELEASE)
    for proposal_id in session.execute(_RELEASE, {"request_id": purchase_request_id, "status": status}).scalars():
        audit.record(session, audit.SYSTEM, "basket_proposal.released", "basket_proposal", proposal_id)


def _begin(session: Session, proposal_id: int, status: ProposalStatus) -> Row[Any] | None:
    """A proposal in this status with the buyer of its pledge, locked; None: it is not in it, or another run is at it."""
    return session.execute(
        text(
            "SELECT b.*, p.organisation_id FROM basket_proposal b JOIN pledge p ON p.id = b.pledge_id"
            " WHERE b.id = :id AND b.status = :status FOR UPDATE OF b"
        ),
        {"id": proposal_id, "status": status},
    ).first()


def _kept(demand: Demand, basket: Sequence[Item]) -> dict[str, Any]:
    return baskets.stored(totals(basket), broken(demand, basket))


def _finish(session: Session, row: Row[Any], action: ProposalAction, **values: Any) -> ProposalStatus:
    status = PROPOSAL.after(row.status, action)
    sets = "".join(f", {name} = CAST(:{name} AS jsonb)" if name in _JSON else f", {name} = :{name}" for name in values)
    kept = {name: json.dumps(value) if name in _JSON and value is not None else value for name, value in values.items()}
    done = None if status is ProposalStatus.EXPLAINING else clock.now()
    session.execute(
        text(f"UPDATE basket_proposal SET status = :status, finished_at = :done{sets} WHERE id = :id"),  # noqa: S608
        {**kept, "status": status, "done": done, "id": row.id},
    )
    audit.record(session, audit.SYSTEM, f"basket_proposal.{action}", "basket_proposal", row.id)
    return status


_JSON = frozenset({"result", "baseline", "obstacles"})


def _write_lines(session: Session, proposal_id: int, basket: Sequence[Item]) -> None:
    ordered = sorted(basket, key=lambda item: (-item.amount_fen, item.offer.facts.sku_id))
    session.execute(
        _LINES,
        {
            "id": proposal_id,
            "skus": [item.offer.facts.sku_id for item in ordered],
            "quantities": [item.quantity for item in ordered],
            "prices": [item.unit_price_fen for item in ordered],
            "amounts": [item.amount_fen for item in ordered],
            "deep": [item.offer.facts.deep for item in ordered],
            "new_village": [item.offer.facts.new_village for item in ordered],
        },
    )
