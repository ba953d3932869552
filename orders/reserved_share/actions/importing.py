"""The bases of many units from a department's spreadsheet: drafts that each unit then files."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.rules import POLICY_ROLES
from orders.reserved_share import rules, sheets
from orders.reserved_share.actions.filing import require_open
from orders.reserved_share.errors import ChangedMeanwhile, RowsRefused
from orders.reserved_share.rules import Content
from orders.reserved_share.schemas import ImportOut
from orders.reserved_share.sheets import BaseRow
from shop.core import audit
from shop.core.errors import Fault
from shop.core.sheets import besides, by_row
from shop.identity.actor import Actor
from shop.programmes.schemas import ReservedShare as Config

#: As many faults as are told at once.
MOST_FAULTS = 200

#: Units of the caller's branch by their codes, with the status of their filing.
_UNITS = text(
    """
    SELECT o.uscc, o.id, s.status
    FROM organisation o LEFT JOIN reserved_share s ON s.organisation_id = o.id AND s.year = :year
    WHERE o.uscc = ANY (CAST(:usccs AS text[])) AND o.path LIKE CAST(:branch AS text) AND o.status = 'approved'
      AND EXISTS (SELECT FROM organisation_role r WHERE r.organisation_id = o.id AND r.role = ANY (CAST(:roles AS text[]))
                  AND r.valid_from <= :last AND (r.valid_to IS NULL OR :first < r.valid_to))
    """
)
_WRITE = text(
    """
    INSERT INTO reserved_share AS s (organisation_id, year, base_fen, percent_bp, reserved_fen, version)
    SELECT id, :year, base_fen, percent_bp, reserved_fen, 1
    FROM unnest(CAST(:ids AS bigint[]), CAST(:bases AS bigint[]), CAST(:percents AS int[]), CAST(:reserved AS bigint[]))
      AS u (id, base_fen, percent_bp, reserved_fen) ORDER BY id
    ON CONFLICT (organisation_id, year) DO UPDATE
    SET base_fen = excluded.base_fen, percent_bp = excluded.percent_bp, reserved_fen = excluded.reserved_fen, exemption = NULL,
        exemption_reason = NULL, shared_with_id = NULL, contractor = NULL, version = s.version + 1
    WHERE s.status IN ('draft', 'returned')
    RETURNING organisation_id
    """
)


def take_over(session: Session, actor: Actor, year: int, content: bytes, sheet: str | None, *, dry_run: bool) -> ImportOut:
    """Write the bases of a spreadsheet as drafts of their units: all of them or none. What was filed or accepted is left alone.

    Raises:
        UnreadableSpreadsheet, TooManyRows, RowsRefused: see there (422); every fault by row and column.
        YearNotOpen, ChangedMeanwhile: see there (409). Forbidden: the caller belongs to no organisation (403).
    """
    _ = actor.organisation
    config = require_open(session, year)
    rows, faults, ignored = sheets.read_bases(content, sheet)
    first, last = rules.first_and_last(year)
    asked = {"usccs": [row.uscc for row in rows], "roles": list(POLICY_ROLES), "first": first, "last": last}
    units = {row.uscc: row for row in session.execute(_UNITS, {**asked, "year": year, "branch": f"{actor.organisation_path}%"})}
    contents = [Content(row.base_fen, config.percent * 100 if row.percent_bp is None else row.percent_bp) for row in rows]
    if faults := by_row(besides(faults, _faults(rows, contents, units, config))):
        raise RowsRefused(count=len(faults), faults=faults[:MOST_FAULTS])
    reserved = [each.reserved_fen for each in contents]
    if not dry_run:
        values = {
            "year": year,
            "ids": [units[row.uscc].id for row in rows],
            "bases": [each.base_fen for each in contents],
            "percents": [each.percent_bp for each in contents],
            "reserved": reserved,
        }
        if len(session.execute(_WRITE, values).all()) < len(rows):
            raise ChangedMeanwhile
        audit.record(session, actor, "reserved_share.imported", "organisation", actor.organisation, year=year, rows=len(rows))
    return ImportOut(
        year=year,
        rows=len(rows),
        base=sum(each.base_fen for each in contents),
        reserved=sum(reserved),
        dry_run=dry_run,
        ignored_columns=ignored,
    )


def _faults(rows: Sequence[BaseRow], contents: Sequence[Content], units: dict[str, Any], config: Config) -> list[Fault]:
    found: list[Fault] = []
    seen: set[str] = set()
    for row, content in zip(rows, contents, strict=True):
        unit = units.get(row.uscc)
        if unit is None:
            zh, en = "不是本系统的预算单位", "is no budget unit of your branch"
            found.append(sheets.fault(row.number, "uscc", "unknown_unit", zh, en))
        elif row.uscc in seen:
            found.append(sheets.fault(row.number, "uscc", "unit_twice", "单位重复", "stands there twice"))
        elif unit.status in ("filed", "accepted"):
            zh, en = "已报送或已审核，不能导入", "was filed or accepted already"
            found.append(sheets.fault(row.number, "uscc", "not_open", zh, en))
        seen.add(row.uscc)
        found += [sheets.fault(row.number, each.field, each.code, each.zh, each.en) for each in rules.faults(content, config, 0)]
    return found
