"""Changing, ending or renewing an agreement: one side proposes, the other answers. Nothing changes by one side alone."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import Session

from catalog.products.rules import highest_agreed_sql
from orders.agreements import rules
from orders.agreements.actions import harvest as promises
from orders.agreements.actions import planning
from orders.agreements.actions.calling_off import drawn
from orders.agreements.actions.drafting import columns_of, freeze, price_faults
from orders.agreements.actions.renewing import renew
from orders.agreements.errors import CapBelowDrawn, ChangeOpen, NotInForce, OwnChange, TermsRefused
from orders.agreements.queries import harvest
from orders.agreements.queries.planned import beyond
from orders.agreements.queries.reach import locked
from orders.agreements.rules import Side
from orders.agreements.schemas.terms import ChangeIn, RenewalIn, TerminationIn
from orders.agreements.states import CHANGE, AgreementState, ChangeKind, ChangeMove, ChangeStatus, state_on
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, NotFound
from shop.core.money import yuan_from_fen
from shop.core.quantities import plain
from shop.identity.actor import Actor

_BODIES: dict[ChangeKind, type[BaseModel]] = {
    ChangeKind.CHANGE: ChangeIn,
    ChangeKind.TERMINATION: TerminationIn,
    ChangeKind.RENEWAL: RenewalIn,
}
_SUPPLIER = text("SELECT supplier_id FROM agreement WHERE id = :id")
_OPEN = text("SELECT 1 FROM agreement_change WHERE agreement_id = :id AND status = 'proposed'")
_LOCK = text("SELECT * FROM agreement_change WHERE id = :change_id AND agreement_id = :id FOR UPDATE")
_PROPOSE = text(
    """
    INSERT INTO agreement_change (agreement_id, kind, side, content, reason, schedule_warnings, status, proposed_by, proposed_at, hash_before)
    VALUES (:id, :kind, :side, CAST(:content AS jsonb), :reason, CAST(:warnings AS jsonb), 'proposed', :user_id, :now, :hash) RETURNING id
    """
)
_ANSWER = text(
    """
    UPDATE agreement_change SET status = :status, answered_by = :user_id, answered_at = :now, answer = :answer, hash_after = :hash_after,
        renewed_as_id = :renewed_as_id WHERE id = :change_id
    """
)


def propose(session: Session, actor: Actor, agreement_id: int, body: ChangeIn | TerminationIn | RenewalIn) -> int:
    """Put a change, an early end or a renewal before the other side. What could not be carried out now is refused now; the caps
    that its schedule would pass are kept with it. Returns its id.

    Raises:
        NotFound: no agreement of the caller's branch (404). NotInForce: nothing signed, or over (409). ChangeOpen: one waits (409).
        Whatever carrying it out would raise.
    """
    _hold(session, agreement_id)
    agreement, side = locked(session, actor, agreement_id)
    kind = next(kind for kind, form in _BODIES.items() if type(body) is form)
    _require_running(agreement, kind)
    if session.execute(_OPEN, {"id": agreement_id}).first():
        raise ChangeOpen
    trial = session.begin_nested()
    try:
        made = _carry_out(session, agreement, kind, body, {Side.BUYER: actor.user_id, Side.SUPPLIER: actor.user_id}, to=side)
        passed = beyond(session, [made or agreement_id]).get(made or agreement_id, [])
    finally:
        trial.rollback()
    change_id: int = session.execute(
        _PROPOSE,
        {
            "id": agreement_id,
            "kind": kind,
            "side": side,
            "content": body.model_dump_json(exclude={"reason"}, exclude_unset=True),
            "reason": body.reason,
            "warnings": json.dumps([{"code": fault.code, **fault.data} for fault in passed]),
            "user_id": actor.user_id,
            "now": clock.now(),
            "hash": agreement.terms_hash,
        },
    ).scalar_one()
    audit.record(
        session,
        actor,
        "agreement_change.proposed",
        "agreement",
        agreement_id,
        reason=body.reason,
        kind=kind,
        agreement_change_id=change_id,
    )
    outbox.publish(session, "agreement_change.proposed", agreement_change_id=change_id)
    return change_id


def answer(session: Session, actor: Actor, agreement_id: int, change_id: int, move: ChangeMove, said: str | None) -> None:
    """Accept or decline what the other side proposed, or take the own proposal back. Accepting carries it out, and freezes the terms anew.

    Raises:
        NotFound: none of the caller's branch (404). IllegalMove: it was answered (409). OwnChange: the other side answers (403).
        NotInForce: the agreement is over by now (409). Whatever carrying it out raises, such as CapBelowDrawn or OverCommitted.
    """
    _hold(session, agreement_id)
    agreement, side = locked(session, actor, agreement_id)
    change = session.execute(_LOCK, {"id": agreement_id, "change_id": change_id}).first()
    if change is None:
        raise NotFound
    status = CHANGE.after(change.status, move)
    if (change.side == side) != (move is ChangeMove.WITHDRAW):
        raise OwnChange
    renewed_as_id, hash_after = None, None
    if status is ChangeStatus.ACCEPTED:
        kind = ChangeKind(change.kind)
        _require_running(agreement, kind)
        body: Any = _BODIES[kind].model_validate({**change.content, "reason": change.reason})
        signers = {Side(change.side): change.proposed_by, side: actor.user_id}
        renewed_as_id = _carry_out(session, agreement, kind, body, signers, to=side)
        session.execute(text("UPDATE agreement SET version = version + 1 WHERE id = :id"), {"id": agreement_id})
        hash_after = agreement.terms_hash if kind is ChangeKind.RENEWAL else freeze(session, agreement_id)
    session.execute(
        _ANSWER,
        {
            "change_id": change_id,
            "status": status,
            "user_id": actor.user_id,
            "now": clock.now(),
            "answer": said,
            "hash_after": hash_after,
            "renewed_as_id": renewed_as_id,
        },
    )
    audit.record(
        session,
        actor,
        f"agreement_change.{status}",
        "agreement",
        agreement_id,
        reason=said,
        agreement_change_id=change_id,
        hash_before=change.hash_before,
        hash_after=hash_after,
        renewed_as_id=renewed_as_id,
    )
    outbox.publish(session, "agreement_change.answered", agreement_change_id=change_id)


def _hold(session: Session, agreement_id: int) -> None:
    supplier_id = session.execute(_SUPPLIER, {"id": agreement_id}).scalar_one_or_none()
    if supplier_id is None:
        raise NotFound
    promises.hold(session, supplier_id)


def _require_running(agreement: Any, kind: ChangeKind) -> None:
    """A renewal may still come when the old agreement is over."""
    state = state_on(agreement.status, agreement.valid_from, agreement.valid_until, agreement.terminated_on, clock.today())
    late_renewal = kind is ChangeKind.RENEWAL and state in (AgreementState.EXPIRED, AgreementState.TERMINATED)
    if state not in (AgreementState.UPCOMING, AgreementState.ACTIVE) and not late_renewal:
        raise NotInForce(state=state)


def _carry_out(
    session: Session, agreement: Any, kind: ChangeKind, body: Any, signers: dict[Side, int | None], *, to: Side
) -> int | None:
    """Do it, unless it promises more of a harvest than there is; ``to``: who is told so. Returns the id of the agreement that a renewal makes."""
    products = promises.products_of(session, [agreement.id])
    before = harvest.months(session, products)
    made = None
    if kind is ChangeKind.RENEWAL:
        made = renew(session, agreement, body, signers)
    else:
        carry: Callable[[Session, Any, Any], None] = _change if kind is ChangeKind.CHANGE else _terminate
        carry(session, agreement, body)
    promises.refuse_over(before, harvest.months(session, products), to)
    return made


def _refused(field: str, code: str, zh: str, en: str) -> TermsRefused:
    return TermsRefused(count=1, faults=[Fault(field, code, zh, en)])


def _terminate(session: Session, agreement: Any, body: TerminationIn) -> None:
    today = clock.today()
    end = agreement.terminated_on or agreement.valid_until
    if not max(today, agreement.valid_from) - timedelta(days=1) <= body.last_day < end:
        zh = "终止日须早于现有截止日，且不早于昨天（尚未生效的，不早于生效前一日）"
        en = "before the present last day, and not before yesterday or the eve of the first day"
        raise _refused("last_day", "not_possible", zh, en)
    session.execute(
        text("UPDATE agreement SET terminated_on = :last_day WHERE id = :id"), {"id": agreement.id, "last_day": body.last_day}
    )
    planning.end_after(session, agreement.id, body.last_day)


_HEAD = text(
    """
    UPDATE agreement SET valid_until = coalesce(CAST(:valid_until AS date), valid_until),
        amount_cap_fen = coalesce(CAST(:amount_cap AS bigint), amount_cap_fen),
        tolerance_percent = coalesce(CAST(:tolerance_percent AS numeric), tolerance_percent),
        minimum_amount_fen = coalesce(CAST(:minimum_amount AS bigint), minimum_amount_fen),
        call_off_lead_days = coalesce(CAST(:call_off_lead_days AS int), call_off_lead_days),
        auto_order = coalesce(CAST(:auto_order AS boolean), auto_order), terms = coalesce(CAST(:terms AS text), terms)
    WHERE id = :id
    RETURNING *
    """
)
_LINES = text(
    f"""
    SELECT l.*, {highest_agreed_sql("p", "s")} AS highest_fen
    FROM agreement_line l JOIN sku s ON s.id = l.sku_id JOIN product p ON p.id = s.product_id WHERE l.agreement_id = :id ORDER BY l.line_no
    """  # noqa: S608
)
_LINES_CHANGED = text(
    """
    UPDATE agreement_line l SET quantity_cap = coalesce(w.quantity_cap, l.quantity_cap), amount_cap_fen = coalesce(w.amount_cap, l.amount_cap_fen),
        minimum_quantity = coalesce(w.minimum, l.minimum_quantity), price_kind = coalesce(w.kind, l.price_kind),
        unit_price_fen = CASE WHEN w.kind IS NULL THEN l.unit_price_fen ELSE w.price END,
        percent_off = CASE WHEN w.kind IS NULL THEN l.percent_off ELSE w.percent END
    FROM unnest(CAST(:line_nos AS int[]), CAST(:quantity_caps AS numeric[]), CAST(:amount_caps AS bigint[]), CAST(:minimums AS numeric[]),
        CAST(:kinds AS text[]), CAST(:prices AS bigint[]), CAST(:percents AS numeric[]))
      AS w (line_no, quantity_cap, amount_cap, minimum, kind, price, percent)
    WHERE l.agreement_id = :id AND l.line_no = w.line_no
    """
)
_OLD_TIERS = text(
    """
    DELETE FROM agreement_price_tier WHERE agreement_line_id IN (
        SELECT l.id FROM agreement_line l JOIN unnest(CAST(:line_nos AS int[]), CAST(:kinds AS text[])) AS w (line_no, kind) USING (line_no)
        WHERE l.agreement_id = :id AND w.kind IS NOT NULL)
    """
)
_NEW_TIERS = text(
    """
    INSERT INTO agreement_price_tier (agreement_line_id, min_quantity, unit_price_fen)
    SELECT l.id, t.least, t.fen
    FROM unnest(CAST(:tier_lines AS int[]), CAST(:tier_least AS numeric[]), CAST(:tier_fen AS bigint[])) AS t (line_no, least, fen)
    JOIN agreement_line l ON l.agreement_id = :id AND l.line_no = t.line_no
    """
)
_CLIP = text(
    """
    UPDATE schedule_entry SET ended = ended OR starts_on > :last_day, ends_on = greatest(least(ends_on, CAST(:last_day AS date)), starts_on)
    WHERE agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)
    """
)


def _change(session: Session, agreement: Any, body: ChangeIn) -> None:
    today = clock.today()
    end = body.valid_until
    if end is not None and (end < max(today, agreement.valid_from) or (end - agreement.valid_from).days > 366 * 5):
        raise _refused("valid_until", "not_possible", "截止日须在今天之后、五年之内", "from today on, within five years")
    if agreement.terminated_on is not None and end is not None:
        raise _refused("valid_until", "terminated", "协议已约定终止", "an earlier end was agreed on")
    values = body.model_dump(exclude={"reason", "lines", "schedule"})
    changed = session.execute(_HEAD, {**values, "id": agreement.id}).one()
    known = {row.line_no: row.highest_fen for row in session.execute(_LINES, {"id": agreement.id})}
    if unknown := [i for i, line in enumerate(body.lines) if line.line_no not in known]:
        raise _refused(f"lines[{unknown[0]}].line_no", "unknown_line", "协议没有此行", "the agreement has no such line")
    if dear := [
        fault for i, line in enumerate(body.lines) for fault in price_faults(f"lines[{i}].price", line.price, known[line.line_no])
    ]:
        raise TermsRefused(count=len(dear), faults=dear)
    if body.lines:
        columns = {**columns_of([(line.line_no, line) for line in body.lines]), "id": agreement.id}
        for statement in (_LINES_CHANGED, _OLD_TIERS, _NEW_TIERS):
            session.execute(statement, columns)
    _refuse_caps(session, changed, body)
    if end is not None and end < agreement.valid_until:
        session.execute(_CLIP, {"id": agreement.id, "last_day": end})
        planning.end_after(session, agreement.id, end)
    if body.schedule is not None:
        planning.replace_schedule(session, changed, body.schedule, today)


def _refuse_caps(session: Session, agreement: Any, body: ChangeIn) -> None:
    """Caps of the change that lie below what was drawn, or below a minimum. Another tolerance concerns every cap."""
    fields = {line.line_no: f"lines[{i}]." for i, line in enumerate(body.lines)}
    before, tolerance, all_of_them = drawn(session, agreement.id), agreement.tolerance_percent, body.tolerance_percent is not None
    below, low = [], []
    for line in session.execute(_LINES, {"id": agreement.id}):
        have, field = before[line.id], fields.get(line.line_no, "")
        if not field and not all_of_them:
            continue
        if line.quantity_cap is not None and have.quantity > rules.with_tolerance(line.quantity_cap, tolerance):
            below.append(_below(f"{field}quantity_cap" if field else "tolerance_percent", plain(have.quantity)))
        if line.amount_cap_fen is not None and have.amount_fen > rules.fen_with_tolerance(line.amount_cap_fen, tolerance):
            below.append(_below(f"{field}amount_cap" if field else "tolerance_percent", yuan_from_fen(have.amount_fen)))
        if (
            field
            and line.quantity_cap is not None
            and line.minimum_quantity is not None
            and line.minimum_quantity > line.quantity_cap
        ):
            low.append(f"{field}minimum_quantity")
    cap, total = agreement.amount_cap_fen, sum(each.amount_fen for each in before.values())
    if cap is not None and (body.amount_cap is not None or all_of_them) and total > rules.fen_with_tolerance(cap, tolerance):
        below.append(_below("amount_cap" if body.amount_cap is not None else "tolerance_percent", yuan_from_fen(total)))
    if cap is not None and agreement.minimum_amount_fen is not None and agreement.minimum_amount_fen > cap:
        low.append("minimum_amount")
    if below:
        raise CapBelowDrawn(faults=below)
    if low:
        zh, en = "最低数量或金额不能高于上限", "the minimum lies above the cap"
        raise TermsRefused(count=len(low), faults=[Fault(field, "minimum_above_cap", zh, en) for field in low])


def _below(field: str, drawn_already: str) -> Fault:
    zh, en = f"已下单 {drawn_already}", f"{drawn_already} was ordered already"
    return Fault(field, "cap_below_drawn", zh, en, {"drawn": drawn_already})
