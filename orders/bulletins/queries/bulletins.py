"""Reading bulletins, their files, the lines of revisions, and the grades of a month."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from orders.bulletins import content as frozen
from orders.bulletins import files, states
from orders.bulletins.files import Format
from orders.bulletins.queries import building, copied, ground
from orders.bulletins.schemas.bulletins import (
    BulletinOut,
    BulletinRow,
    GradeOut,
    GradesOut,
    PublicBulletinOut,
    PublicBulletinRow,
)
from orders.bulletins.states import BULLETIN, BulletinMove, BulletinStatus
from shop.core import paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

_ROW = """
    SELECT b.id, b.month, b.year, b.number, b.edition, b.status, b.sha256, b.reason, b.drafted_at, b.published_at, b.version,
           b.drafted_by AS drafter_id, d.name AS drafted_by, p.name AS published_by {more}
    FROM bulletin b JOIN app_user d ON d.id = b.drafted_by LEFT JOIN app_user p ON p.id = b.published_by
"""
_BULLETIN = text(f"{_ROW.format(more=', b.content')} WHERE b.id = :id")
_BULLETINS = text(f"{_ROW.format(more='')} WHERE CAST(:start AS bigint) IS NULL OR b.id < :start ORDER BY b.id DESC LIMIT :rows")
_PUBLIC = """
    SELECT b.id, b.month, b.year, b.number, b.edition, b.status, b.sha256, b.published_at,
           (SELECT max(n.edition) FROM bulletin n WHERE n.month = b.month AND n.status <> 'draft') AS newest {more}
    FROM bulletin b WHERE b.status <> 'draft'
"""
_PUBLISHED = text(
    f"{_PUBLIC.format(more='')} AND (CAST(:year AS int) IS NULL OR (b.year, b.number, b.edition) < (:year, :number, :edition))"
    " ORDER BY b.year DESC, b.number DESC, b.edition DESC LIMIT :rows"
)
_BY_NUMBER = text(f"{_PUBLIC.format(more=', b.content')} AND b.year = :year AND b.number = :number AND b.edition = :edition")
_IN_FORCE = text(
    "SELECT month, year, number, edition, content FROM bulletin WHERE status = 'published' AND month BETWEEN :first AND :last ORDER BY month"
)
_YEARS = text("SELECT DISTINCT year FROM bulletin WHERE status = 'published' ORDER BY year")
_FILE = text("SELECT content, sha256 FROM bulletin_file WHERE bulletin_id = :id AND format = :format")


def _number(row: Row[Any]) -> str | None:
    """A draft of a revision has the bulletin's number, and none of its own before it is published."""
    return None if row.status == BulletinStatus.DRAFT else states.shown(row.year, row.number, row.edition)


def _row(row: Row[Any], language: Language) -> BulletinRow:
    number = _number(row)
    return BulletinRow(
        **{name: getattr(row, name) for name in BulletinRow.model_fields if name not in ("number", "title", "month")},
        number=number,
        title=None if number is None else states.titled(number)[language],
        month=f"{row.month:%Y-%m}",
    )


def bulletins(session: Session, language: Language, *, limit: int, after: str | None) -> Page[BulletinRow]:
    """All editions and drafts, the newest first."""
    start = paging.position(after, int)
    rows = session.execute(_BULLETINS, {"start": start[0] if start else None, "rows": limit + 1}).all()
    return paging.page(rows, limit, lambda row: _row(row, language), lambda row: [row.id])


def _found(session: Session, bulletin_id: int) -> Row[Any]:
    row = session.execute(_BULLETIN, {"id": bulletin_id}).first()
    if row is None:
        raise NotFound
    return row


def bulletin(session: Session, actor: Actor, bulletin_id: int, language: Language) -> BulletinOut:
    """One edition with its content.

    Raises:
        NotFound: there is none (404).
    """
    row = _found(session, bulletin_id)
    may = actor.may(Permission.BULLETINS_PUBLISH)
    possible = {BulletinMove.PUBLISH: may and row.drafter_id != actor.user_id, BulletinMove.DISCARD: may}
    return BulletinOut(
        **_row(row, language).model_dump(),
        content=frozen.read(row.content),
        possible_actions=[move for move in BULLETIN.possible(row.status) if possible.get(move)],
    )


def file(session: Session, bulletin_id: int, kind: Format) -> tuple[str, bytes, str]:
    """A file of an edition: its name, bytes and hash. Those of a draft are made from its content now.

    Raises:
        NotFound: there is none (404).
    """
    row = _found(session, bulletin_id)
    if row.status != BulletinStatus.DRAFT:
        return _kept(session, row, kind)
    made = row.content if kind == "json" else files.made_of(row.content)[kind]
    return f"draft_{row.month:%Y-%m}", made, frozen.digest(made)


def _kept(session: Session, row: Row[Any], kind: Format) -> tuple[str, bytes, str]:
    name = states.shown(row.year, row.number, row.edition) or ""
    if kind == "json":
        return name, row.content, row.sha256
    kept = session.execute(_FILE, {"id": row.id, "format": kind}).one()
    return name, kept.content, kept.sha256


def _public_row(row: Row[Any], language: Language) -> PublicBulletinRow:
    number = states.shown(row.year, row.number, row.edition) or ""
    return PublicBulletinRow(
        number=number,
        title=states.titled(number)[language],
        month=f"{row.month:%Y-%m}",
        edition=row.edition,
        status=row.status,
        sha256=row.sha256,
        published_at=row.published_at,
        newest=states.shown(row.year, row.number, row.newest) or "",
    )


def published(session: Session, language: Language, *, limit: int, after: str | None) -> Page[PublicBulletinRow]:
    """What was published, the newest first; editions that were revised stay."""
    start = paging.position(after, int, int, int) or [None, 0, 0]
    asked = {"year": start[0], "number": start[1], "edition": start[2], "rows": limit + 1}
    rows = session.execute(_PUBLISHED, asked).all()
    return paging.page(rows, limit, lambda row: _public_row(row, language), lambda row: [row.year, row.number, row.edition])


def _numbered(session: Session, number: str) -> Row[Any]:
    year, count, edition = states.read(number)
    row = session.execute(_BY_NUMBER, {"year": year, "number": count, "edition": edition}).first()
    if row is None:
        raise NotFound
    return row


def published_one(session: Session, number: str, language: Language) -> PublicBulletinOut:
    """A published edition.

    Raises:
        NotFound: nothing was published under this number (404).
    """
    row = _numbered(session, number)
    return PublicBulletinOut(**_public_row(row, language).model_dump(), content=frozen.read(row.content))


def published_file(session: Session, number: str, kind: Format) -> tuple[str, bytes, str]:
    """A file of a published edition.

    Raises:
        NotFound: nothing was published under this number (404).
    """
    return _kept(session, _numbered(session, number), kind)


def grades(session: Session, actor: Actor, month: str, language: Language) -> GradesOut:
    """The grade of every district's figure of a month as things stand, and whether it would be published; of the caller's regions with the
    days of outlets that repeat others."""
    found = ground.of_month(session, month)
    doubtful = found.doubtful
    repeated = copied.named(
        session,
        {**found.month.values, **found.config.grading.model_dump()},
        found.successors,
        actor.region_patterns(Permission.BULLETINS_READ),
    )
    return GradesOut(
        month=month,
        districts=[
            GradeOut(
                district=code,
                district_name=found.names[code][0 if language == "zh" else 1],
                amount=sums.now.amount_fen,
                grade=building.graded(found.grades[code]) if code in found.grades else None,
                published=code not in doubtful,
                explanation=found.explained[code][0] if code in found.explained else None,
                copied_days=repeated.get(code, []),
            )
            for code, sums in sorted(found.districts.items())
        ],
    )


def published_years(session: Session) -> list[int]:
    """The years of which months were published."""
    return list(session.execute(_YEARS).scalars())


@dataclass(frozen=True, slots=True)
class InForce:
    """The newest edition of a month: its number, and the districts that it withholds."""

    number: str
    withheld: frozenset[str]


def published_months(session: Session, first: date, last: date) -> dict[date, InForce]:
    """The first days of months of which a bulletin was published, each with its newest edition."""
    return {
        row.month: InForce(
            states.shown(row.year, row.number, row.edition) or "",
            frozenset(each.code for each in frozen.read(row.content).withheld),
        )
        for row in session.execute(_IN_FORCE, {"first": first, "last": last})
    }
