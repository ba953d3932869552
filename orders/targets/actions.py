"""Setting targets, setting them anew, withdrawing them."""

from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from orders.targets import queries
from orders.targets.errors import TargetRefused, TargetWithdrawn
from orders.targets.schemas import RevisionIn, TargetIn
from shop.core import audit, clock, outbox
from shop.core.errors import Fault, IfMatch, any_version
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.targets import OF_A_WHOLE, UNITS
from shop.regions import queries as regions

_INSERT = text(
    """
    INSERT INTO target (programme_code, code, region_code, name_zh, name_en, measure, unit, channel, indicator, first_on, due_on, source, origin)
    VALUES (:programme, :code, :region_code, :name, :name, :measure, :unit, :channel, :indicator, :first_on, :due_on, :source, 'officer')
    RETURNING id
    """
)
_REVISION = text(
    "INSERT INTO target_revision (target_id, number, value, reason, set_by, set_at) VALUES (:id, :number, :value, :reason, :user_id, :now)"
)
_MOVE = text("UPDATE target SET number = :number, version = version + 1 WHERE id = :id")
_WITHDRAW = text("UPDATE target SET withdrawn_at = :now, withdraw_reason = :reason, version = version + 1 WHERE id = :id")


def set_target(session: Session, actor: Actor, body: TargetIn) -> int:
    """Give a district, or the city, a target of the programme that is in force on its first day; returns its id.

    Raises:
        TargetRefused: out of reach, or parts that do not go together (422). TargetThere: see there (409). NoProgramme: see there (404).
    """
    programme = programmes.in_force(session, body.first_on)
    known = {each.code for each in programmes.parsed(programme).indicators}
    if faults := _faults(session, actor, body, known):
        raise TargetRefused(count=len(faults), faults=faults)
    values = body.model_dump(exclude={"value", "reason"})
    made = session.execute(_INSERT, {**values, "programme": programme.code, "unit": UNITS[body.measure]}).scalar_one()
    _write(session, actor, int(made), 1, body)
    return int(made)


def _faults(session: Session, actor: Actor, body: TargetIn, indicators: set[str]) -> list[Fault]:
    found = []
    if not regions.is_here(session, body.region_code) or not actor.covers_region(Permission.TARGETS_SET, body.region_code):
        found.append(Fault("region_code", "unknown_region", "不是本辖区的区县", "no district within reach"))
    if body.first_on > body.due_on:
        found.append(Fault("due_on", "before_first", "早于起始日期", "lies before the first day"))
    found += _of_value(body.measure, body.value)
    if body.channel is not None and body.measure not in ("amount", "tonnes", "sales_growth"):
        found.append(Fault("channel", "not_wanted", "只有销售类目标可按渠道", "only sales have a channel"))
    if (body.indicator is not None) != (body.measure == "indicator_growth"):
        found.append(
            Fault(
                "indicator", "not_wanted", "仅指标增长类目标须填写", "goes with the growth of an indicator, and with nothing else"
            )
        )
    elif body.indicator is not None and body.indicator not in indicators:
        found.append(Fault("indicator", "unknown_indicator", "没有此项指标", "there is no such indicator"))
    return found


def _of_value(measure: str, value: Decimal) -> list[Fault]:
    if measure in OF_A_WHOLE and value > 100:
        return [Fault("value", "more_than_the_whole", "不得大于 100%", "has to be 100 % or less")]
    if UNITS[measure] == "count" and value != value.to_integral_value():
        return [Fault("value", "not_whole", "须为整数", "has to be a whole number")]
    return []


def revise(session: Session, actor: Actor, target_id: int, body: RevisionIn, if_match: IfMatch = any_version) -> None:
    """Set another value, with the reason; those before stay on record.

    Raises:
        NotFound: none within reach (404). TargetWithdrawn: see there (409). TargetRefused: what there cannot be (422).
    """
    head = queries.locked(session, actor, target_id)
    if_match(head.version)
    if head.withdrawn_at is not None:
        raise TargetWithdrawn
    if faults := _of_value(head.measure, body.value):
        raise TargetRefused(count=len(faults), faults=faults)
    session.execute(_MOVE, {"id": target_id, "number": head.number + 1})
    _write(session, actor, target_id, head.number + 1, body)


def _write(session: Session, actor: Actor, target_id: int, number: int, body: RevisionIn) -> None:
    values = {"id": target_id, "number": number, "value": body.value, "reason": body.reason}
    session.execute(_REVISION, {**values, "user_id": actor.user_id, "now": clock.now()})
    audit.record(session, actor, "target.set", "target", target_id, reason=body.reason, number=number, value=str(body.value))
    outbox.publish(session, "target.set", target_id=target_id, number=number)


def withdraw(session: Session, actor: Actor, target_id: int, reason: str, if_match: IfMatch = any_version) -> None:
    """Take a target back; it stays on record.

    Raises:
        NotFound: none within reach (404). TargetWithdrawn: see there (409).
    """
    head = queries.locked(session, actor, target_id)
    if_match(head.version)
    if head.withdrawn_at is not None:
        raise TargetWithdrawn
    session.execute(_WITHDRAW, {"id": target_id, "reason": reason, "now": clock.now()})
    audit.record(session, actor, "target.withdrawn", "target", target_id, reason=reason)
    outbox.publish(session, "target.withdrawn", target_id=target_id)
