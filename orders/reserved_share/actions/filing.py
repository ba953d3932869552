"""Writing, filing and reviewing a unit's share of a year."""

from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.ledger.rules import POLICY_ROLES
from orders.reserved_share import rules
from orders.reserved_share.errors import (
    NoCanteenToShare,
    NotABudgetUnit,
    NothingToFile,
    NotReviewing,
    OtherRevision,
    OwnFiling,
    SharedCanteenChain,
    ShareRefused,
    YearNotOpen,
)
from orders.reserved_share.queries import progress, shares
from orders.reserved_share.rules import Content, Exemption
from orders.reserved_share.schemas import FilingIn, ReservedShareIn, ReviewIn
from orders.reserved_share.states import RESERVED_SHARE, ShareAction
from shop.core import audit, clock, locks, outbox
from shop.core.errors import Fault, IfMatch, Invalid, NotFound, any_version
from shop.core.money import yuan_from_fen
from shop.identity.actor import Actor
from shop.programmes.schemas import ReservedShare as Config

_BEGIN = text(
    "INSERT INTO reserved_share (organisation_id, year, base_fen, percent_bp, reserved_fen)"
    " VALUES (:unit_id, :year, 0, 0, 0) ON CONFLICT (organisation_id, year) DO NOTHING"
)
_LOCK = text("SELECT * FROM reserved_share WHERE organisation_id = :unit_id AND year = :year FOR UPDATE")
_EDIT = text(
    "UPDATE reserved_share SET base_fen = :base_fen, percent_bp = :percent_bp, reserved_fen = :reserved_fen, exemption = :exemption,"
    " exemption_reason = :exemption_reason, shared_with_id = :shared_with_id, contractor = :contractor, status = :status,"
    " version = version + 1 WHERE id = :id"
)
#: The unit that reports for another lies in the same tree of units, or in the same county.
_MAY_REPORT = text(
    """
    SELECT count(*) FROM organisation o JOIN organisation own ON own.id = :unit_id
    WHERE o.id = :other AND o.status = 'approved'
      AND (left(o.region_code, 6) = left(own.region_code, 6) OR split_part(o.path, '/', 2) = split_part(own.path, '/', 2))
      AND EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = ANY (CAST(:roles AS text[]))
                  AND r.valid_from <= :last AND (r.valid_to IS NULL OR :first < r.valid_to))
    """
)
_IS_UNIT = text(
    "SELECT EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = :unit_id AND r.role = ANY (CAST(:roles AS text[]))"
    " AND r.valid_from <= :last AND (r.valid_to IS NULL OR :first < r.valid_to))"
)
#: What counts of a unit: the revision that was accepted, and the one that waits for its answer.
_COUNTING = (
    "reserved_share s JOIN reserved_share_revision v ON v.reserved_share_id = s.id"
    " AND (v.number = s.accepted_number OR (v.number = s.number AND s.status IN ('filed', 'accepted')))"
)
#: What was filed or holds in a year and shares a canteen: with the unit that is named, or of it.
_SHARING = text(
    f"""
    SELECT EXISTS (
        SELECT FROM {_COUNTING}
        WHERE s.year = :year AND v.shared_with_id IS NOT NULL
          AND (s.organisation_id = CAST(:reporting_id AS bigint) OR v.shared_with_id = :unit_id) AND s.organisation_id <> :unit_id)
    """  # noqa: S608
)
#: The unit that is named says itself that it has no canteen.
_WITHOUT_CANTEEN = text(
    f"""
    SELECT EXISTS (
        SELECT FROM {_COUNTING}
        WHERE s.year = :year AND s.organisation_id = :reporting_id AND v.exemption = 'no_canteen')
    """  # noqa: S608
)
_REVISION = text(
    "INSERT INTO reserved_share_revision (reserved_share_id, number, base_fen, percent_bp, reserved_fen, exemption, exemption_reason,"
    " shared_with_id, contractor, reason, filed_by, filed_at)"
    " SELECT id, number + 1, base_fen, percent_bp, reserved_fen, exemption, exemption_reason, shared_with_id, contractor, :reason,"
    " :user_id, :now FROM reserved_share WHERE id = :id"
)
_FILE = text(
    "UPDATE reserved_share SET status = :status, number = number + 1, filed_by = :user_id, filed_at = :now, reviewed_by = NULL,"
    " reviewed_at = NULL, review_reason = NULL, version = version + 1 WHERE id = :id"
)
_DECIDE_REVISION = text(
    "UPDATE reserved_share_revision SET decision = :status, decision_reason = :reason, decided_by = :user_id, decided_at = :now"
    " WHERE reserved_share_id = :id AND number = :number"
)
_DECIDE = text(
    "UPDATE reserved_share SET status = :status, accepted_number = coalesce(CAST(:accepted AS int), accepted_number),"
    " reviewed_by = :user_id, reviewed_at = :now, review_reason = :reason, version = version + 1 WHERE id = :id"
)


def save(session: Session, actor: Actor, year: int, unit_id: int | None, body: ReservedShareIn, if_match: IfMatch) -> None:
    """Write down what a unit is going to file. What was accepted before still holds.

    Raises:
        NotFound: no unit of the caller's branch (404). NotABudgetUnit, YearNotOpen: see there (409).
        ShareRefused: what was written cannot be filed (422).
        IllegalMove: it lies with the department (409). Changed: somebody else wrote meanwhile (412).
    """
    unit = _own_unit(session, actor, unit_id)
    config = _open_year(session, year, unit.id)
    content = body.content(config.percent)
    _refuse(session, year, unit.id, content, config)
    session.execute(_BEGIN, {"unit_id": unit.id, "year": year})
    share = _locked(session, unit.id, year)
    if_match(share.version)
    status = RESERVED_SHARE.after(share.status, ShareAction.EDIT)
    session.execute(_EDIT, {"id": share.id, "status": status, **_values(content)})
    audit.record(session, actor, "reserved_share.edited", "reserved_share", share.id, **_told(content))


def file(session: Session, actor: Actor, year: int, unit_id: int | None, body: FilingIn, if_match: IfMatch = any_version) -> None:
    """Hand it to the department. Each filing is kept as a revision; one that is to change accepted figures says why.

    Raises:
        NotFound, NotABudgetUnit, YearNotOpen, ShareRefused: as :func:`save`.
        NothingToFile, SharedCanteenChain, NoCanteenToShare: see there (409). IllegalMove: it was filed, or nothing was changed since (409).
    """
    unit = _own_unit(session, actor, unit_id)
    config = _open_year(session, year, unit.id)
    share = _locked(session, unit.id, year)
    if share is None:
        raise NothingToFile
    if_match(share.version)
    status = RESERVED_SHARE.after(share.status, ShareAction.FILE)
    content = _content(share)
    _refuse(session, year, unit.id, content, config)
    if share.accepted_number is not None and body.reason is None:
        raise Invalid.one("reason", "reason_needed", "修改已审核的份额须说明理由", "To change accepted figures needs a reason")
    _refuse_chain(session, year, unit.id, content)
    written = {"id": share.id, "status": status, "user_id": actor.user_id, "now": clock.now()}
    session.execute(_REVISION, {**written, "reason": body.reason})
    session.execute(_FILE, written)
    number = share.number + 1
    audit.record(
        session, actor, "reserved_share.filed", "reserved_share", share.id, reason=body.reason, number=number, **_told(content)
    )
    outbox.publish(session, "reserved_share.filed", reserved_share_id=share.id, number=number)


def review(session: Session, actor: Actor, year: int, unit_id: int, body: ReviewIn, if_match: IfMatch = any_version) -> None:
    """Accept what a unit filed, or return it with the reason. Of two who decide at once the second finds it decided.

    Raises:
        NotFound: no unit within reach, or nothing filed (404). OwnFiling, NotReviewing: somebody else's to do (403).
        IllegalMove: nothing awaits review (409). OtherRevision, SharedCanteenChain, NoCanteenToShare: see there (409).
        Invalid: returned without a reason (422).
    """
    unit = shares.unit(session, actor, unit_id)
    share = _locked(session, unit.id, year)
    if share is None:
        raise NotFound
    if_match(share.version)
    if unit.id == actor.organisation_id or share.filed_by == actor.user_id:
        raise OwnFiling
    if not shares.is_reviewer(actor, unit):
        raise NotReviewing
    status = RESERVED_SHARE.after(share.status, ShareAction.ACCEPT if body.accepted else ShareAction.RETURN)
    if body.number != share.number:
        raise OtherRevision(number=share.number)
    if not body.accepted and body.reason is None:
        raise Invalid.one("reason", "reason_needed", "退回须说明理由", "To return it needs a reason")
    if body.accepted:
        _refuse_chain(session, year, unit.id, _content(share))
    written = {"id": share.id, "status": status, "user_id": actor.user_id, "now": clock.now(), "reason": body.reason}
    session.execute(_DECIDE_REVISION, {**written, "number": share.number})
    session.execute(_DECIDE, {**written, "accepted": share.number if body.accepted else None})
    audit.record(session, actor, f"reserved_share.{status}", "reserved_share", share.id, reason=body.reason, number=share.number)
    outbox.publish(session, "reserved_share.reviewed", reserved_share_id=share.id, number=share.number)


def _values(content: Content) -> dict[str, Any]:
    """The columns that hold a content."""
    return {
        **{name: getattr(content, name) for name in Content.__dataclass_fields__},
        "reserved_fen": content.reserved_fen,
    }


def require_open(session: Session, year: int) -> Config:
    """The rules of a year that shares are filed for: the present one and the next.

    Raises:
        YearNotOpen: another (409). NoProgramme: none in force in that year (404).
    """
    this_year = clock.today().year
    if year not in (this_year, this_year + 1):
        raise YearNotOpen(first=this_year, last=this_year + 1)
    return progress.year_of(session, year).config


def _own_unit(session: Session, actor: Actor, unit_id: int | None) -> Row[Any]:
    unit = shares.unit(session, actor, unit_id)
    if not actor.within_branch(unit.path):
        raise NotFound
    return unit


def _open_year(session: Session, year: int, unit_id: int) -> Config:
    config = require_open(session, year)
    first, last = rules.first_and_last(year)
    if not session.execute(_IS_UNIT, {"unit_id": unit_id, "roles": list(POLICY_ROLES), "first": first, "last": last}).scalar_one():
        raise NotABudgetUnit(year=year)
    return config


def _locked(session: Session, unit_id: int, year: int) -> Any:
    return session.execute(_LOCK, {"unit_id": unit_id, "year": year}).first()


def _content(share: Row[Any]) -> Content:
    return Content(
        share.base_fen,
        share.percent_bp,
        Exemption(share.exemption) if share.exemption else None,
        share.exemption_reason,
        share.shared_with_id,
        share.contractor,
    )


def _told(content: Content) -> dict[str, Any]:
    """The figures as the audit trail keeps them."""
    return {
        "base": yuan_from_fen(content.base_fen),
        "percent_bp": content.percent_bp,
        "reserved": yuan_from_fen(content.reserved_fen),
        "exemption": content.exemption,
    }


def _refuse(session: Session, year: int, unit_id: int, content: Content, config: Config) -> None:
    found = rules.faults(content, config, unit_id)
    if content.shared_with_id is not None and not found:
        first, last = rules.first_and_last(year)
        values = {"unit_id": unit_id, "other": content.shared_with_id, "roles": list(POLICY_ROLES), "first": first, "last": last}
        if not session.execute(_MAY_REPORT, values).scalar_one():
            zh = "没有此预算单位，或不在同一系统、同一区县"
            en = "There is no such budget unit in the same tree of units or the same county"
            found = [Fault("shared_with_id", "unknown_unit", zh, en)]
    if found:
        raise ShareRefused(count=len(found), faults=found)


def _refuse_chain(session: Session, year: int, unit_id: int, content: Content) -> None:
    if content.exemption not in (Exemption.SHARED_CANTEEN, Exemption.NO_CANTEEN):
        return
    # two units that name each other at once are looked at one after the other
    locks.hold(session, f"reserved_share.sharing:{year}")
    sharing = {"year": year, "unit_id": unit_id, "reporting_id": content.shared_with_id}
    if content.shared_with_id is not None and session.execute(_WITHOUT_CANTEEN, sharing).scalar_one():
        raise NoCanteenToShare
    if session.execute(_SHARING, sharing).scalar_one():
        raise NoCanteenToShare if content.shared_with_id is None else SharedCanteenChain
