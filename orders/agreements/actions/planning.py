"""From a schedule to its instalments, and again when the calendar of a buyer changes."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.agreements import rules
from orders.agreements.errors import ScheduleRefused
from orders.agreements.rules import MOST_INSTALMENTS, Closure, Due, Entry
from orders.agreements.schemas.terms import ScheduleIn
from orders.agreements.states import OF_THE_CALENDAR
from shop.core.errors import Fault
from shop.core.quantities import is_multiple, plain

_LINES = text(
    "SELECT l.line_no, l.id, s.step FROM agreement_line l JOIN sku s ON s.id = l.sku_id WHERE l.agreement_id = :id ORDER BY l.line_no"
)
_UNITS = text(
    "SELECT id FROM organisation WHERE id = ANY (:ids) AND path LIKE (SELECT path || '%' FROM organisation WHERE id = :buyer_id)"
)
# A place keeps its row when a change names it again, because earlier instalments went there.
_PLACES = text(
    """
    INSERT INTO delivery_place (agreement_id, name, address, contact, phone, unit_id)
    SELECT :id, u.* FROM unnest(CAST(:names AS text[]), CAST(:addresses AS text[]), CAST(:contacts AS text[]), CAST(:phones AS text[]),
        CAST(:units AS bigint[])) u
    ON CONFLICT (agreement_id, name) DO UPDATE SET address = excluded.address, contact = excluded.contact, phone = excluded.phone,
        unit_id = excluded.unit_id
    RETURNING name, id
    """
)
_ENTRY = text(
    """
    INSERT INTO schedule_entry (agreement_line_id, delivery_place_id, weekdays, every_weeks, quantity, starts_on, ends_on, in_term_only,
        skips_public_holidays)
    VALUES (:agreement_line_id, :delivery_place_id, CAST(:weekdays AS smallint[]), :every_weeks, :quantity, :starts_on, :ends_on,
        :in_term_only, :skips_public_holidays)
    """
)
_ENTRIES = text(
    """
    SELECT e.id, e.weekdays, e.every_weeks, e.starts_on, least(e.ends_on, a.terminated_on) AS ends_on, e.in_term_only,
           e.skips_public_holidays, a.buyer_id, d.unit_id
    FROM schedule_entry e JOIN agreement_line l ON l.id = e.agreement_line_id JOIN agreement a ON a.id = l.agreement_id
    JOIN delivery_place d ON d.id = e.delivery_place_id
    WHERE l.agreement_id = ANY (:ids) AND NOT e.ended ORDER BY e.id
    """
)
_CLOSURES = text(
    "SELECT organisation_id, name, starts_on, ends_on FROM closure_period WHERE organisation_id = ANY (:ids) AND ends_on >= :from_day"
    " ORDER BY starts_on, id"
)
_CALENDAR = text("SELECT day, working FROM workday WHERE day BETWEEN :first AND :last")
# What was drafted, ordered or discarded stays; what the calendar says of the others is written anew, what crops lost stays lost.
_WRITE = text(
    f"""
    INSERT INTO instalment AS i (schedule_entry_id, agreement_line_id, delivery_place_id, due_on, planned_quantity, quantity, status,
        skip_reason, skip_note)
    SELECT e.id, e.agreement_line_id, e.delivery_place_id, w.due_on, e.quantity, e.quantity,
           CASE WHEN w.skipped IS NULL THEN 'planned' ELSE 'skipped' END, w.skipped, w.note
    FROM unnest(CAST(:entries AS bigint[]), CAST(:days AS date[]), CAST(:skipped AS text[]), CAST(:notes AS text[]))
      AS w (entry_id, due_on, skipped, note)
    JOIN schedule_entry e ON e.id = w.entry_id
    ON CONFLICT (schedule_entry_id, due_on) DO UPDATE
    SET status = excluded.status, skip_reason = excluded.skip_reason, skip_note = excluded.skip_note
    WHERE (i.status = 'planned' OR i.skip_reason IN ({", ".join(f"'{reason}'" for reason in OF_THE_CALENDAR)}))
      AND (i.skip_reason IS DISTINCT FROM excluded.skip_reason OR i.skip_note IS DISTINCT FROM excluded.skip_note)
    """  # noqa: S608
)


def write_schedule(session: Session, agreement: Any, body: ScheduleIn, *, from_day: date) -> None:
    """Write places, entries and their instalments; nothing of it lies before ``from_day``. ``agreement`` is a row of its table.

    Raises:
        ScheduleRefused: unknown lines, places or units, days outside the agreement, too many instalments (422).
    """
    lines = {row.line_no: row for row in session.execute(_LINES, {"id": agreement.id})}
    if faults := _faults(session, agreement, body, lines, from_day):
        raise ScheduleRefused(count=len(faults), faults=faults)
    rows = session.execute(
        _PLACES,
        {
            "id": agreement.id,
            "names": [place.name for place in body.places],
            "addresses": [place.address for place in body.places],
            "contacts": [place.contact for place in body.places],
            "phones": [place.phone for place in body.places],
            "units": [place.unit_id for place in body.places],
        },
    )
    places = {row.name: row.id for row in rows}
    session.execute(
        _ENTRY,
        [
            {
                "agreement_line_id": lines[entry.line_no].id,
                "delivery_place_id": places[entry.place],
                "weekdays": sorted(set(entry.weekdays)),
                "every_weeks": entry.every_weeks,
                "quantity": entry.quantity,
                "starts_on": max(entry.starts_on or agreement.valid_from, from_day),
                "ends_on": entry.ends_on or agreement.valid_until,
                "in_term_only": entry.in_term_only,
                "skips_public_holidays": entry.skips_public_holidays,
            }
            for entry in body.entries
        ],
    )
    materialise(session, [agreement.id], from_day)


def _faults(session: Session, agreement: Any, body: ScheduleIn, lines: dict[int, Any], from_day: date) -> list[Fault]:
    faults = []
    units = {place.unit_id for place in body.places if place.unit_id}
    known = set(session.execute(_UNITS, {"ids": list(units), "buyer_id": agreement.buyer_id}).scalars()) if units else set()
    for i, place in enumerate(body.places):
        if place.unit_id and place.unit_id not in known:
            faults.append(
                Fault(f"places[{i}].unit_id", "not_of_buyer", "不是采购单位的下级单位", "not a unit of the buyer's branch")
            )
    names = {place.name for place in body.places}
    for i, entry in enumerate(body.entries):
        field, line = f"entries[{i}]", lines.get(entry.line_no)
        first, last = entry.starts_on or agreement.valid_from, entry.ends_on or agreement.valid_until
        if line is None:
            faults.append(Fault(f"{field}.line_no", "unknown_line", "协议没有此行", "the agreement has no such line"))
        elif not is_multiple(entry.quantity, line.step):
            zh, en = "数量不是步长的整数倍", "the quantity is not a multiple of the step"
            faults.append(Fault(f"{field}.quantity", "wrong_step", zh, en, {"step": plain(line.step)}))
        if entry.place not in names:
            faults.append(Fault(f"{field}.place", "unknown_place", "没有此地点", "there is no such place"))
        if not agreement.valid_from <= first <= max(first, from_day) <= last <= agreement.valid_until:
            faults.append(Fault(f"{field}.starts_on", "outside_agreement", "日期须在协议期内", "not within the agreement's days"))
    if not faults and _count(body, agreement) > MOST_INSTALMENTS:
        zh, en = f"供货批次不能超过 {MOST_INSTALMENTS} 个", f"a schedule has at most {MOST_INSTALMENTS} instalments"
        faults.append(Fault("entries", "too_many_instalments", zh, en))
    return faults


def _count(body: ScheduleIn, agreement: Any) -> int:
    """How many instalments there would be at most."""
    return sum(
        (((entry.ends_on or agreement.valid_until) - (entry.starts_on or agreement.valid_from)).days // (7 * entry.every_weeks) + 1)
        * len(set(entry.weekdays))
        for entry in body.entries
    )


def materialise(session: Session, agreement_ids: Sequence[int], from_day: date) -> None:
    """Write the instalments of these agreements from a day on, or look at the calendar again where they are written already."""
    entries = session.execute(_ENTRIES, {"ids": list(agreement_ids)}).all()
    if not entries:
        return
    closures = _closures(session, {unit for entry in entries for unit in (entry.buyer_id, entry.unit_id) if unit}, from_day)
    first, last = min(entry.starts_on for entry in entries), max(entry.ends_on for entry in entries)
    published = {row.day: row.working for row in session.execute(_CALENDAR, {"first": first, "last": last})}
    found = [
        (entry.id, due)
        for entry in entries
        for due in _dues(entry, [*closures.get(entry.buyer_id, []), *closures.get(entry.unit_id, [])], published)
        if due.on >= from_day
    ]
    session.execute(
        _WRITE,
        {
            "entries": [entry_id for entry_id, _ in found],
            "days": [due.on for _, due in found],
            "skipped": [due.skipped for _, due in found],
            "notes": [due.note for _, due in found],
        },
    )


def _closures(session: Session, organisation_ids: set[int], from_day: date) -> dict[int, list[Closure]]:
    found: dict[int, list[Closure]] = {}
    for row in session.execute(_CLOSURES, {"ids": list(organisation_ids), "from_day": from_day}):
        found.setdefault(row.organisation_id, []).append(Closure(row.name, row.starts_on, row.ends_on))
    return found


def _dues(row: Any, closures: Sequence[Closure], published: dict[date, bool]) -> list[Due]:
    entry = Entry(row.weekdays, row.every_weeks, row.starts_on, row.ends_on, row.in_term_only, row.skips_public_holidays)
    return list(rules.expand(entry, closures, published))


_END_ENTRIES = text(
    "UPDATE schedule_entry SET ended = true WHERE NOT ended"
    " AND agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)"
)
_END_INSTALMENTS = text(
    """
    UPDATE instalment SET status = 'skipped', skip_reason = 'ended', skip_note = NULL, call_off_draft_id = NULL
    WHERE status IN ('planned', 'drafted') AND due_on > :last_day
      AND agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)
    """
)
_END_DRAFTS = text(
    "UPDATE call_off_draft SET status = 'discarded', version = version + 1 WHERE agreement_id = :id AND status = 'open' AND due_on > :last_day"
)


def end_after(session: Session, agreement_id: int, last_day: date) -> None:
    """Nothing is to come after this day that is not ordered yet."""
    session.execute(_END_INSTALMENTS, {"id": agreement_id, "last_day": last_day})
    session.execute(_END_DRAFTS, {"id": agreement_id, "last_day": last_day})


# What was ordered under the schedule before comes all the same, and is not to come twice.
_SKIP_ORDERED = text(
    """
    UPDATE instalment i SET status = 'skipped', skip_reason = 'already_ordered'
    WHERE i.status = 'planned' AND i.agreement_line_id IN (SELECT id FROM agreement_line WHERE agreement_id = :id)
      AND EXISTS (SELECT FROM instalment o WHERE o.agreement_line_id = i.agreement_line_id AND o.due_on = i.due_on
                  AND o.delivery_place_id = i.delivery_place_id AND o.status = 'ordered')
    """
)


def replace_schedule(session: Session, agreement: Any, body: ScheduleIn, today: date) -> None:
    """From tomorrow on another schedule; a delivery that the old one has ordered already stands for that of its day.

    Raises:
        ScheduleRefused: as for :func:`write_schedule`.
    """
    session.execute(_END_ENTRIES, {"id": agreement.id})
    end_after(session, agreement.id, today)
    write_schedule(session, agreement, body, from_day=max(today + timedelta(days=1), agreement.valid_from))
    session.execute(_SKIP_ORDERED, {"id": agreement.id})
