"""Reads of lists of households: masked for those who may read of them, in full for the few who open one."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, OWN, reach
from catalog.households import rules
from catalog.households.schemas import MemberOut
from shop.core import clock, paging, sealing
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

_CASE = text(
    f"""
    SELECT c.id, c.supplier_id, c.status, c.district_code, o.path AS supplier_path
    FROM certification_case c JOIN organisation o ON o.id = c.supplier_id
    WHERE c.id = :id AND ({OWN} OR (c.status <> 'draft' AND {IN_REGION}))
    """
)
_MEMBERS = text(
    "SELECT id, sealed, mode FROM household_member WHERE case_id = :id AND (CAST(:beyond AS bigint) IS NULL OR id > :beyond)"
    " ORDER BY id LIMIT :rows"
)
_COUNTS = text("SELECT count(DISTINCT household_hash) AS households, count(*) AS persons FROM household_member WHERE case_id = :id")


def case_row(session: Session, actor: Actor, case_id: int, permission: Permission) -> Row[Any]:
    """The case of a list.

    Raises:
        NotFound: there is none where the actor has this permission (404).
    """
    row = session.execute(_CASE, {"id": case_id, **reach(actor, permission)}).first()
    if row is None:
        raise NotFound
    return row


def members(
    session: Session, actor: Actor, case_id: int, language: Language, *, limit: int = 50, after: str | None = None
) -> Page[MemberOut]:
    """The list of a case, masked. Raises as :func:`case_row`."""
    case_row(session, actor, case_id, Permission.HOUSEHOLDS_READ)
    start, config = paging.position(after, int), programmes.config_of(session, clock.today())
    found = rows(session, case_id, start[0] if start else None, limit + 1)
    return paging.page(found, limit, lambda row: shown(row, config, language, masked=True), lambda row: [row.id])


def rows(session: Session, case_id: int, beyond: int | None = None, limit: int | None = None) -> Sequence[Row[Any]]:
    """The sealed rows of a list, in their order."""
    return session.execute(_MEMBERS, {"id": case_id, "beyond": beyond, "rows": limit}).all()


def counts(session: Session, case_id: int) -> Row[Any]:
    """How many ``households`` and ``persons`` a list holds."""
    return session.execute(_COUNTS, {"id": case_id}).one()


def shown(row: Row[Any], config: ProgrammeConfig, language: Language, *, masked: bool) -> MemberOut:
    """One person of a list."""
    person = sealing.unseal(row.sealed)
    return MemberOut(
        name=rules.masked_name(person["name"]) if masked else person["name"],
        id_number=rules.masked_id_number(person["id_number"]) if masked else person["id_number"],
        household_no=person["household_no"],
        village=person["village"],
        mode=row.mode,
        mode_label=config.term("linkage_mode", row.mode, language),
    )
