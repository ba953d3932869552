"""Reads of certificates: within the reach of who asks, and what everybody may know of one."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates.reach import IN_REGION, OWN, counts, reach, reads_counts
from catalog.certificates.schemas import CertificateOut, EventOut, PublicCertificateOut, PublicEventOut, RevocationOut
from catalog.certificates.states import CERTIFICATE, CertificateMove, CertificateState, SuspendedBy, certificate_state, state_sql
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

_CERTIFICATE = """
    SELECT c.*, r.name_zh AS district_name, o.path AS supplier_path, v.opened_by AS revocation_opened_by, v.id AS revocation_id,
           v.stated_at IS NOT NULL OR v.statement_due_on < :today AS revocation_heard,
           ARRAY(SELECT s.level FROM suspension s WHERE s.certificate_id = c.id AND (s.until IS NULL OR s.until > :now) ORDER BY s.level)
               AS suspended_by
    FROM certificate c
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region r ON r.code = c.district_code
    LEFT JOIN revocation v ON v.certificate_id = c.id AND v.status = 'open'
"""
_REACH = f"({OWN} OR {IN_REGION})"
_ONE = text(f"{_CERTIFICATE} WHERE c.id = :id AND {_REACH}")
_OF_CASE = text(f"{_CERTIFICATE} WHERE c.case_id = :id")
_EVENTS = text(
    "SELECT e.*, u.name AS actor FROM certificate_event e LEFT JOIN app_user u ON u.id = e.actor_id"
    " WHERE e.certificate_id = :id ORDER BY e.id"
)
_REVOCATIONS = text("SELECT * FROM revocation WHERE certificate_id = :id ORDER BY id DESC")

#: What it takes to make each move.
PERMISSIONS = {
    CertificateMove.WARN: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.SUSPEND: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.REINSTATE: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.RELEASE: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.OPEN_REVOCATION: Permission.CERTIFICATES_SUSPEND,
    CertificateMove.REVOKE: Permission.CERTIFICATES_REVOKE,
}


def certificate_row(session: Session, actor: Actor, certificate_id: int) -> Row[Any]:
    """One certificate as it stands.

    Raises:
        NotFound: there is none within the caller's reach (404).
    """
    row = session.execute(_ONE, {"id": certificate_id, **reach(actor), **clock.present()}).first()
    if row is None:
        raise NotFound
    return row


def certificate(session: Session, actor: Actor, certificate_id: int) -> CertificateOut:
    """One certificate. Raises as :func:`certificate_row`."""
    return out(actor, certificate_row(session, actor, certificate_id))


def of_case(session: Session, actor: Actor, case_id: int) -> CertificateOut | None:
    """The certificate in which a case ended; the caller has made sure that the actor may see the case."""
    row = session.execute(_OF_CASE, {"id": case_id, **clock.present()}).first()
    return out(actor, row) if row else None


def state_of(row: Any) -> CertificateState:
    """The present state of a certificate's row."""
    return certificate_state(
        revoked=row.revoked_at is not None,
        suspended_at=row.suspended_at,
        suspended_until=row.suspended_until,
        held=row.held_at is not None,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        papers_valid_until=row.papers_valid_until,
        now=clock.now(),
        today=clock.today(),
    )


def level_of(actor: Actor) -> SuspendedBy:
    """The level at which an officer suspends and reinstates."""
    return SuspendedBy.CITY if "" in actor.regions(Permission.CERTIFICATES_SUSPEND) else SuspendedBy.COUNTY


def possible(actor: Actor, row: Any) -> list[CertificateMove]:
    """What the actor may do with a certificate now."""
    if actor.is_related(row.supplier_path):
        return []
    moves = dict.fromkeys(CERTIFICATE.possible(state_of(row)))
    return [
        move
        for move in moves
        if (permission := PERMISSIONS.get(move))
        and actor.may(permission)
        and actor.covers_region(permission, row.district_code)
        and not _stands_against(actor, row, move)
    ]


def _stands_against(actor: Actor, row: Any, move: CertificateMove) -> bool:
    """Whether a move that the state allows would be refused for what else is so: who suspended it, how far its revocation is."""
    if move is CertificateMove.REINSTATE:
        return SuspendedBy.BAR in row.suspended_by or (
            SuspendedBy.CITY in row.suspended_by and level_of(actor) is not SuspendedBy.CITY
        )
    if move is CertificateMove.OPEN_REVOCATION:
        return row.revocation_id is not None
    if move is CertificateMove.REVOKE:
        by_same = row.revocation_opened_by is not None and row.revocation_opened_by == actor.user_id
        return row.revocation_id is None or by_same or not row.revocation_heard
    return False


def out(actor: Actor, row: Any) -> CertificateOut:
    """A certificate's row as it looks from outside."""
    shown = {name: getattr(row, name) for name in CertificateOut.model_fields if hasattr(row, name)}
    shown |= counts(row, exact=reads_counts(actor, row))
    return CertificateOut(
        **shown, comparable_price_fen=row.comparable_price_fen, state=state_of(row), possible_actions=possible(actor, row)
    )


class Sort(StrEnum):
    NEWEST = "newest"
    #: What ends first stands first.
    ENDING = "ending"


@dataclass(frozen=True)
class Filters:
    state: CertificateState | None = None
    district: str | None = None
    category: str | None = None
    batch_id: int | None = None
    supplier_id: int | None = None
    product_id: int | None = None
    q: str | None = None
    ends_before: date | None = None


_CONDITIONS = {
    "state": f"{state_sql('c')} = :state",
    "district": "c.district_code = :district",
    "category": "EXISTS (SELECT FROM product p WHERE p.id = c.product_id AND p.category = :category)",
    "batch_id": "c.batch_id = :batch_id",
    "supplier_id": "c.supplier_id = :supplier_id",
    "product_id": "c.product_id = :product_id",
    "q": "(strpos(c.product_name, :q) > 0 OR strpos(c.supplier_name, :q) > 0 OR c.number = :q)",
    "ends_before": "least(c.valid_until, c.papers_valid_until) < :ends_before",
}
_DAY = "c.valid_until - DATE '2000-01-01'"
_ORDERS = {
    Sort.NEWEST: ("c.id DESC", "c.id < :after_id", (int,)),
    Sort.ENDING: (f"{_DAY}, c.id", f"({_DAY}, c.id) > (:after_day, :after_id)", (int, int)),
}


def certificates(
    session: Session, actor: Actor, filters: Filters, *, sort: Sort = Sort.NEWEST, limit: int = 50, after: str | None = None
) -> Page[CertificateOut]:
    """The certificates of an officer's region, or a supplier's own."""
    order, beyond, kinds = _ORDERS[sort]
    values = {name: value for name in _CONDITIONS if (value := getattr(filters, name)) is not None}
    conditions = [_REACH, *(_CONDITIONS[name] for name in values)]
    if start := paging.position(after, *kinds):
        conditions.append(beyond)
        values |= {"after_id": start[-1], "after_day": start[0]}
    statement = text(f"{_CERTIFICATE} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :rows")
    rows = session.execute(statement, {**values, **reach(actor), **clock.present(), "rows": limit + 1}).all()

    def place(row: Row[Any]) -> list[Any]:
        return [row.id] if sort is Sort.NEWEST else [(row.valid_until - date(2000, 1, 1)).days, row.id]

    return paging.page(rows, limit, lambda row: out(actor, row), place)


def history(session: Session, actor: Actor, certificate_id: int, language: Language) -> list[EventOut]:
    """Everything that happened to a certificate, the oldest first. Raises as :func:`certificate_row`."""
    row = certificate_row(session, actor, certificate_id)
    config = programmes.config_of(session, clock.today())
    officer = not actor.within_branch(row.supplier_path)
    shown = [name for name in EventOut.model_fields if name not in ("label", "actor")]
    return [
        EventOut(
            **{name: getattr(event, name) for name in shown},
            label=config.term("certificate_event", event.kind, language),
            actor=event.actor if officer else None,
        )
        for event in session.execute(_EVENTS, {"id": certificate_id})
    ]


def revocations(session: Session, actor: Actor, certificate_id: int) -> list[RevocationOut]:
    """The revocations of a certificate that were opened, the latest first. Raises as :func:`certificate_row`."""
    certificate_row(session, actor, certificate_id)
    return [
        RevocationOut.model_validate(row, from_attributes=True) for row in session.execute(_REVOCATIONS, {"id": certificate_id})
    ]


# One statement, whether there is such a certificate or not, so that the time of an answer does not tell which numbers were given.
_PUBLIC = text(
    f"""
    SELECT c.*, {state_sql("c")} AS state, o.uscc AS supplier_uscc, d.name_zh AS district_zh, d.name_en AS district_en,
           t.name_zh AS township_zh, t.name_en AS township_en, b.number AS batch_number,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', e.kind, 'at', e.at, 'reason_code', e.reason_code) ORDER BY e.id), '[]')
            FROM certificate_event e WHERE e.certificate_id = c.id AND e.kind = ANY (CAST(:kinds AS text[]))) AS events
    FROM certificate c
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region d ON d.code = c.district_code
    LEFT JOIN region t ON t.code = c.township_code
    LEFT JOIN catalogue_batch b ON b.id = c.batch_id
    WHERE c.number = :number
    """
)
#: What of a certificate's history is everybody's to know: when it held and when not.
PUBLIC_KINDS = ("issued", "changed", "renewed", "suspended", "reinstated", "held", "released", "revoked")


def public_certificate(session: Session, number: str, language: Language) -> PublicCertificateOut:
    """What a certificate's number stands for now: its scope, its time, its state and how that came; nothing else.

    Raises:
        NotFound: nobody was given this number (404).
    """
    values = {"number": number, "kinds": list(PUBLIC_KINDS), **clock.present()}
    row = session.execute(_PUBLIC, values).first()
    config = programmes.config_of(session, clock.today())
    if row is None:
        raise NotFound
    fields = {name: getattr(row, name) for name in PublicCertificateOut.model_fields if hasattr(row, name)}
    return PublicCertificateOut(
        **fields,
        district_name=getattr(row, f"district_{language}"),
        township_name=getattr(row, f"township_{language}"),
        state_label=config.term("certificate_state", row.state, language),
        history=[_public_event(event, config, language) for event in row.events],
    )


def _public_event(event: dict[str, Any], config: ProgrammeConfig, language: Language) -> PublicEventOut:
    code = event["reason_code"]
    return PublicEventOut(
        kind=event["kind"],
        label=config.term("certificate_event", event["kind"], language),
        on=clock.shanghai_date(datetime.fromisoformat(event["at"])),
        reason=config.term("reason", code, language) if code else None,
    )
