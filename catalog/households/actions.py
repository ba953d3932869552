"""What is done with lists of households: the supplier brings one, few officers open one."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlmodel import Session

from catalog.certificates.errors import OwnCase
from catalog.households import queries, rules
from catalog.households.errors import ListFrozen, ListRefused
from catalog.households.rules import Member
from catalog.households.schemas import MOST_FAULTS, CountsOut, MemberOut
from shop.core import audit, clock, sealing
from shop.core.errors import Fault, Forbidden, Language, NotFound
from shop.core.small_cells import band
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes

_LOCKED = text("SELECT status, district_code FROM certification_case WHERE id = :id FOR UPDATE")
_DELETE = text("DELETE FROM household_member WHERE case_id = ANY (:ids)")
_INSERT = text(
    "INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)"
    " SELECT :id, u.person, u.household, u.sealed, u.mode, :now"
    " FROM unnest(CAST(:persons AS bytea[]), CAST(:households AS bytea[]), CAST(:sealed AS bytea[]), CAST(:modes AS text[]))"
    " WITH ORDINALITY AS u (person, household, sealed, mode, place) ORDER BY u.place"
)
_REHASH = text(
    "UPDATE household_member SET household_hash = u.household FROM unnest(CAST(:ids AS bigint[]), CAST(:households AS bytea[]))"
    " AS u (id, household) WHERE household_member.id = u.id"
)
#: In the order of the list, which is that of its ids.
_COPY = text(
    "INSERT INTO household_member (case_id, person_hash, household_hash, sealed, mode, created_at)"
    " SELECT t.case_id, m.person_hash, m.household_hash, m.sealed, m.mode, :now"
    " FROM unnest(CAST(:ids AS bigint[])) AS t (case_id), household_member m WHERE m.case_id = :from_id ORDER BY t.case_id, m.id"
)
_COUNT = text(
    "UPDATE certification_case SET households = :households, persons = :persons, version = version + 1 WHERE id = ANY (:ids)"
)


def bring(session: Session, actor: Actor, case_id: int, members: Sequence[Member], *, dry_run: bool = False) -> CountsOut:
    """Put a list in the place of the one that the own application had; its households and persons are counted from it.

    Raises:
        NotFound: there is none within reach (404). Forbidden: another supplier's (403).
        ListFrozen: it was handed in and not returned (409).
        ListRefused: persons that cannot be, or stand there twice (422).
    """
    row = queries.case_row(session, actor, case_id, Permission.CERTIFICATIONS_APPLY)
    if row.supplier_id != actor.organisation_id:
        raise Forbidden
    case = session.execute(_LOCKED, {"id": case_id}).one()
    if case.status not in ("draft", "returned"):
        raise ListFrozen
    config = programmes.config_of(session, clock.today())
    refuse(rules.faults(members, config.terms.get("linkage_mode", {}).keys(), clock.today()))
    households = len({member.household_no for member in members})
    counts = CountsOut(case_id=case_id, households=households, persons=len(members), dry_run=dry_run)
    if dry_run:
        return counts
    session.execute(_DELETE, {"ids": [case_id]})
    session.execute(
        _INSERT,
        {
            "id": case_id,
            "persons": [sealing.keyed_hash("person", member.id_number) for member in members],
            "households": [sealing.keyed_hash("household", case.district_code, member.household_no) for member in members],
            "sealed": [
                sealing.seal({field: getattr(member, field) for field in ("name", "id_number", "household_no", "village")})
                for member in members
            ],
            "modes": [member.mode for member in members],
            "now": clock.now(),
        },
    )
    session.execute(_COUNT, {"ids": [case_id], "households": households, "persons": len(members)})
    # the record is read by some who may not read the list
    counted = {"households": band(households), "persons": band(len(members))}
    audit.record(session, actor, "households.listed", "certification_case", case_id, **counted)
    return counts


def copy(session: Session, actor: Actor, from_id: int, case_ids: Sequence[int], households: int, persons: int) -> None:
    """Put the list of one case, of so many households and persons, in the place of those that other cases had. Whoever calls holds all of them,
    knows that they are of one supplier and that theirs may be changed, and that all are of one county: what is sealed and hashed is then the same."""
    if not case_ids:
        return
    session.execute(_DELETE, {"ids": list(case_ids)})
    session.execute(_COPY, {"from_id": from_id, "ids": list(case_ids), "now": clock.now()})
    session.execute(_COUNT, {"ids": list(case_ids), "households": households, "persons": persons})
    counted = {"households": band(households), "persons": band(persons), "from_case_id": from_id}
    audit.record_each(session, actor, "households.listed", "certification_case", [(each, counted) for each in case_ids])


def move(session: Session, case_id: int, district_code: str) -> None:
    """Take the households of a list for households of another county, where its product is said to come from now."""
    listed = queries.rows(session, case_id)
    numbers = [sealing.unseal(row.sealed)["household_no"] for row in listed]
    hashes = [sealing.keyed_hash("household", district_code, number) for number in numbers]
    session.execute(_REHASH, {"ids": [row.id for row in listed], "households": hashes})


def refuse(found: Sequence[tuple[int, str, Fault]]) -> None:
    """Raises :class:`ListRefused` for the faults found, if any, each named by its place in the request."""
    if found:
        told = [replace(fault, field=f"members[{at}].{field}") for at, field, fault in found[:MOST_FAULTS]]
        raise ListRefused(count=len(found), faults=told)


def reveal(session: Session, actor: Actor, case_id: int, reason: str, language: Language) -> list[MemberOut]:
    """Open the list of a case. Who did, and why, is on record.

    Raises:
        NotFound: there is none in a region where the actor may (404). OwnCase: the own organisation's (403).
    """
    row = queries.case_row(session, actor, case_id, Permission.HOUSEHOLDS_REVEAL)
    if actor.is_related(row.supplier_path):
        raise OwnCase
    if row.status == "draft":
        raise NotFound
    config = programmes.config_of(session, clock.today())
    opened = [queries.shown(each, config, language, masked=False) for each in queries.rows(session, case_id)]
    audit.record(session, actor, "households.revealed", "certification_case", case_id, reason=reason, persons=band(len(opened)))
    return opened
