"""Making a pledge, opening it, ending it."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.pledges.actions import proving
from orders.pledges.errors import OnlyMore, PeriodWrong, ProofStands, RegionsRefused, TooManyRecipients
from orders.pledges.queries import pledges as reading
from orders.pledges.schemas import MAX_RECIPIENTS, PledgeIn, RecipientIn
from orders.pledges.states import PLEDGE, PledgeAction, PledgeStatus
from orders.purchasing.errors import NotYourUnit
from shop.core import audit, clock, numbers, outbox
from shop.core.errors import Fault, IfMatch, NotFound, any_version
from shop.identity.actor import Actor
from shop.identity.queries import require_approved

_UNIT = text("SELECT path FROM organisation WHERE id = :id")
_INSERT = text(
    """
    INSERT INTO pledge (organisation_id, title, kind, amount_fen, purpose, valid_from, valid_until, per_head_cap_fen, fund_source, created_by,
        created_at)
    VALUES (:organisation_id, :title, :kind, :amount, :purpose, :valid_from, :valid_until, :per_head_cap, :fund_source, :user_id, :now)
    RETURNING id
    """
)
_KNOWN_REGIONS = text(
    "SELECT code FROM region WHERE code = ANY (:codes)"
    " AND kind IN ('district', 'county', 'autonomous_county', 'functional_zone', 'township')"
    " AND (valid_from IS NULL OR valid_from <= :today) AND (valid_to IS NULL OR :today < valid_to)"
)
_REGIONS = text("INSERT INTO pledge_region (pledge_id, region_code) SELECT :id, unnest(CAST(:codes AS text[]))")
_RECIPIENTS = text(
    """
    INSERT INTO pledge_recipient (pledge_id, name, heads, delivery_address, delivery_contact, delivery_phone)
    SELECT :id, u.* FROM unnest(CAST(:names AS text[]), CAST(:heads AS int[]), CAST(:addresses AS text[]), CAST(:contacts AS text[]),
        CAST(:phones AS text[])) u
    """
)
#: The column of each field that can be changed.
_COLUMNS = {
    "title": "title",
    "kind": "kind",
    "amount": "amount_fen",
    "purpose": "purpose",
    "valid_from": "valid_from",
    "valid_until": "valid_until",
    "per_head_cap": "per_head_cap_fen",
    "fund_source": "fund_source",
}
#: What may change once a pledge is open to all; amount and end only upwards.
_OPENLY = frozenset({"title", "purpose", "amount", "valid_until"})


def create(session: Session, actor: Actor, body: PledgeIn) -> int:
    """Draft a pledge for the own organisation or one below it. Returns its id.

    Raises:
        NotFound, NotYourUnit: the organisation is unknown, or out of the caller's branch.
        RegionsRefused, PeriodWrong: see there (422).
        RecipientTwice: two recipients of one name (409).
    """
    organisation_id = body.organisation_id or actor.organisation
    path = session.execute(_UNIT, {"id": organisation_id}).scalar_one_or_none()
    if path is None:
        raise NotFound
    if not actor.within_branch(path):
        raise NotYourUnit
    _check_period(body.valid_from, body.valid_until)
    values = body.model_dump(include=set(_COLUMNS))
    pledge_id: int = session.execute(
        _INSERT, {**values, "organisation_id": organisation_id, "user_id": actor.user_id, "now": clock.now()}
    ).scalar_one()
    _write_regions(session, pledge_id, body.regions)
    _write_recipients(session, pledge_id, body.recipients)
    audit.record(session, actor, "pledge.drafted", "pledge", pledge_id, amount_fen=body.amount)
    return pledge_id


def _check_period(valid_from: date, valid_until: date) -> None:
    if valid_until < max(valid_from, clock.today()):
        raise PeriodWrong(faults=[Fault("valid_until", "period_wrong", PeriodWrong.zh, PeriodWrong.en)])


def _write_regions(session: Session, pledge_id: int, codes: Sequence[str]) -> None:
    known = set(session.execute(_KNOWN_REGIONS, {"codes": list(codes), "today": clock.today()}).scalars())
    faults = [
        Fault(f"regions[{at}]", "unknown_region", f"无此区县或乡镇：{code}", f"no such district or township: {code}")
        if code not in known
        else Fault(f"regions[{at}]", "region_twice", f"重复：{code}", f"named twice: {code}")
        for at, code in enumerate(codes)
        if code not in known or code in codes[:at]
    ]
    if faults:
        raise RegionsRefused(faults=faults)
    session.execute(_REGIONS, {"id": pledge_id, "codes": list(codes)})


def _write_recipients(session: Session, pledge_id: int, recipients: Sequence[RecipientIn]) -> None:
    session.execute(
        _RECIPIENTS,
        {
            "id": pledge_id,
            "names": [each.name for each in recipients],
            "heads": [each.heads for each in recipients],
            "addresses": [each.delivery_address for each in recipients],
            "contacts": [each.delivery_contact for each in recipients],
            "phones": [each.delivery_phone for each in recipients],
        },
    )


def edit(session: Session, actor: Actor, pledge_id: int, changes: dict[str, Any], if_match: IfMatch) -> None:
    """Change a draft; of an open pledge only its words, a higher amount, a later end.

    Raises:
        NotFound: not a pledge of the caller's branch.
        Changed: somebody changed it meanwhile (412).
        IllegalMove: it is closed or cancelled (409).
        OnlyMore: an open pledge would become less (409).
        RegionsRefused, PeriodWrong, RecipientTwice: as for :func:`create`.
    """
    row = reading.locked(session, actor, pledge_id)
    if_match(row.version)
    PLEDGE.after(row.status, PledgeAction.EDIT)
    # what cannot be empty is left as it is
    changes = {name: value for name, value in changes.items() if value is not None or name == "per_head_cap"}
    if row.status == PledgeStatus.OPEN:
        changes = _unlike(session, pledge_id, changes)
        _only_more(row, changes)
    _check_period(changes.get("valid_from", row.valid_from), changes.get("valid_until", row.valid_until))
    sets = "".join(f", {_COLUMNS[name]} = :{name}" for name in changes if name in _COLUMNS)
    session.execute(text(f"UPDATE pledge SET version = version + 1{sets} WHERE id = :id"), {**changes, "id": pledge_id})  # noqa: S608
    if "regions" in changes:
        session.execute(text("DELETE FROM pledge_region WHERE pledge_id = :id"), {"id": pledge_id})
        _write_regions(session, pledge_id, changes["regions"])
    if "recipients" in changes:
        session.execute(text("DELETE FROM pledge_recipient WHERE pledge_id = :id"), {"id": pledge_id})
        _write_recipients(session, pledge_id, [RecipientIn.model_validate(each) for each in changes["recipients"]])
    audit.record(session, actor, "pledge.edited", "pledge", pledge_id, fields=sorted(changes))


def _unlike(session: Session, pledge_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes without regions and recipients that are as they stand: a form sends everything back, also what it leaves as it is."""
    standing = {
        "regions": [row.code for row in reading.regions_of(session, pledge_id)],
        "recipients": [RecipientIn.model_validate(row, from_attributes=True) for row in reading.recipients_of(session, pledge_id)],
    }
    given = changes | {"recipients": [RecipientIn.model_validate(each) for each in changes.get("recipients", ())]}
    same = {name for name, stands in standing.items() if sorted(given.get(name, ()), key=str) == sorted(stands, key=str)}
    return {name: value for name, value in changes.items() if name not in same}


def _only_more(row: Row[Any], changes: dict[str, Any]) -> None:
    less = changes.get("amount", row.amount_fen) < row.amount_fen or changes.get("valid_until", row.valid_until) < row.valid_until
    changed = {name for name, value in changes.items() if name not in _COLUMNS or value != getattr(row, _COLUMNS[name])}
    if less or changed - _OPENLY:
        raise OnlyMore


def add_recipient(session: Session, actor: Actor, pledge_id: int, body: RecipientIn, if_match: IfMatch = any_version) -> None:
    """Name one more group that gets goods, as long as orders can be added.

    Raises:
        NotFound, IllegalMove: as for :func:`edit`.
        RecipientTwice: there is one of this name (409).
        TooManyRecipients: see there (409).
    """
    row = reading.locked(session, actor, pledge_id)
    if_match(row.version)
    PLEDGE.after(row.status, PledgeAction.EDIT)
    if len(reading.recipients_of(session, pledge_id)) >= MAX_RECIPIENTS:
        raise TooManyRecipients(most=MAX_RECIPIENTS)
    _write_recipients(session, pledge_id, [body])
    session.execute(text("UPDATE pledge SET version = version + 1 WHERE id = :id"), {"id": pledge_id})
    audit.record(session, actor, "pledge.recipient_added", "pledge", pledge_id, heads=body.heads)


def open_(session: Session, actor: Actor, pledge_id: int, if_match: IfMatch = any_version) -> None:
    """Pledge openly: it gets its number, and the counties hear of it.

    Raises:
        NotFound: not a pledge of the caller's branch.
        IllegalMove: it is no draft (409).
        OrganisationNotApproved: see there (409).
        PeriodWrong: it would have ended before today (422).
    """
    row = reading.locked(session, actor, pledge_id)
    if_match(row.version)
    PLEDGE.after(row.status, PledgeAction.OPEN)
    require_approved(session, row.organisation_id)
    _check_period(row.valid_from, row.valid_until)
    year = clock.today().year
    number = f"YG-{year}-{numbers.next_number(session, f'pledge:{year}'):06d}"
    _move(session, actor, row, PledgeAction.OPEN, "number = :number, opened_at = :now", number=number)
    outbox.publish(session, "pledge.opened", pledge_id=pledge_id)


def close(session: Session, actor: Actor, pledge_id: int, if_match: IfMatch = any_version) -> None:
    """End a pledge: no more orders are added. What was accepted is put on paper, unless a proof says it already.

    Raises:
        NotFound: not a pledge of the caller's branch.
        IllegalMove: it is not open (409).
    """
    row = reading.locked(session, actor, pledge_id)
    if_match(row.version)
    _move(session, actor, row, PledgeAction.CLOSE, "closed_at = :now")
    proving.issue_if_new(session, actor, row)


def cancel(session: Session, actor: Actor, pledge_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take a pledge back; its orders are free to count elsewhere.

    Raises:
        NotFound: not a pledge of the caller's branch.
        IllegalMove: it is closed or cancelled (409).
        ProofStands: a proof was issued for it (409).
    """
    row = reading.locked(session, actor, pledge_id)
    if_match(row.version)
    PLEDGE.after(row.status, PledgeAction.CANCEL)
    if standing := proving.standing(session, pledge_id):
        raise ProofStands(number=standing.number)
    for table in ("pledge_order", "pledge_agreement"):
        session.execute(text(f"DELETE FROM {table} WHERE pledge_id = :id"), {"id": pledge_id})  # noqa: S608
    _move(session, actor, row, PledgeAction.CANCEL, "reason = :reason", reason=reason)
    if row.number is not None:  # of a draft nobody has heard
        outbox.publish(session, "pledge.cancelled", pledge_id=pledge_id)


def _move(session: Session, actor: Actor, row: Row[Any], action: PledgeAction, sets: str, **values: Any) -> None:
    """Write the new status of a locked pledge, and the record of it."""
    status = PLEDGE.after(row.status, action)
    session.execute(
        text(f"UPDATE pledge SET status = :status, version = version + 1, {sets} WHERE id = :id"),  # noqa: S608
        {"now": clock.now(), **values, "status": status, "id": row.id},
    )
    reason = values.get("reason")
    audit.record(session, actor, f"pledge.{action}", "pledge", row.id, reason=reason, from_status=row.status, to_status=str(status))
