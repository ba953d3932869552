"""Reads of batches: for officers, for everybody, and as a list to be exported."""

# ruff: noqa: S608  statements are put together from constants only; every value that a caller gives is bound

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.batches.schemas import BatchOut, ListedOut, PublicBatchOut, PublicBatchRow
from catalog.batches.states import BATCH, BatchLevel, BatchStatus
from catalog.certificates.reach import counts, reads_counts
from catalog.certificates.states import state_sql
from shop.core import clock, paging
from shop.core.errors import Language, NotFound
from shop.core.paging import Page
from shop.identity.actor import Actor
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.programmes.schemas import ProgrammeConfig

#: The newest first: drafts, then what was published last. A cursor holds when, in microseconds.
_PLACE = "coalesce((extract(epoch FROM b.published_at) * 1000000)::bigint, 9223372036854775806)"
_BEYOND = f"(CAST(:at AS bigint) IS NULL OR ({_PLACE}, b.id) < (:at, :before))"
_NEWEST = f"ORDER BY {_PLACE} DESC, b.id DESC LIMIT :rows"
_BATCH = f"""
    SELECT b.*, {_PLACE} AS place, CASE WHEN b.status = 'draft' THEN (SELECT count(*) FROM certification_case k WHERE k.batch_id = b.id)
                ELSE (SELECT count(*) FROM certificate c WHERE c.batch_id = b.id) END AS cases
    FROM catalogue_batch b
"""
#: What is not published yet is the city's own.
_SEEN = "(b.status <> 'draft' OR :publishes)"
_ONE = text(f"{_BATCH} WHERE b.id = :id AND {_SEEN}")
_BATCHES = text(
    f"""{_BATCH} WHERE {_SEEN} AND (CAST(:status AS text) IS NULL OR b.status = :status)
    AND (CAST(:level AS text) IS NULL OR b.level = :level) AND {_BEYOND} {_NEWEST}"""
)
_PUBLISHED = text(
    f"""{_BATCH} WHERE b.status <> 'draft' AND (CAST(:number AS text) IS NULL OR b.number = :number) AND {_BEYOND} {_NEWEST}"""
)
_LISTED = text(
    f"""
    SELECT c.id, c.number, c.product_name, c.supplier_name, o.uscc AS supplier_uscc, o.path AS supplier_path, c.district_code, c.township_code, d.name_zh AS district_zh,
           d.name_en AS district_en, t.name_zh AS township_zh, t.name_en AS township_en, p.category, c.annual_capacity_kg, c.households,
           c.persons, c.valid_from, c.valid_until, {state_sql("c")} AS state
    FROM certificate c
    JOIN product p ON p.id = c.product_id
    JOIN organisation o ON o.id = c.supplier_id
    JOIN region d ON d.code = c.district_code
    LEFT JOIN region t ON t.code = c.township_code
    WHERE c.batch_id = :id AND (CAST(:beyond AS bigint) IS NULL OR c.id > :beyond)
    ORDER BY c.id LIMIT :rows
    """
)


def batch(session: Session, actor: Actor, batch_id: int, language: Language) -> BatchOut:
    """One batch.

    Raises:
        NotFound: there is none, or it is not published and not the caller's to publish (404).
    """
    row = session.execute(_ONE, {"id": batch_id, "publishes": _publishes(actor)}).first()
    if row is None:
        raise NotFound
    return _out(programmes.config_of(session, clock.today()), actor, row, language)


def batches(
    session: Session,
    actor: Actor,
    language: Language,
    *,
    status: BatchStatus | None = None,
    level: BatchLevel | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[BatchOut]:
    """All batches, the newest first: drafts, then what was published last; those not published only for who publishes them."""
    values = {"publishes": _publishes(actor), "status": status, "level": level, **_start(after)}
    rows = session.execute(_BATCHES, {**values, "rows": limit + 1}).all()
    config = programmes.config_of(session, clock.today())
    return paging.page(rows, limit, lambda row: _out(config, actor, row, language), _place)


def _start(after: str | None) -> dict[str, int | None]:
    """Where a page of batches begins."""
    at, before = paging.position(after, int, int) or (None, None)
    return {"at": at, "before": before}


def _place(row: Row[Any]) -> list[Any]:
    return [row.place, row.id]


def _publishes(actor: Actor) -> bool:
    return actor.may(Permission.CATALOGUE_BATCHES_PUBLISH)


def _out(config: ProgrammeConfig, actor: Actor, row: Row[Any], language: Language) -> BatchOut:
    shown = {name: getattr(row, name) for name in BatchOut.model_fields if hasattr(row, name)}
    label = config.term("batch_level", row.level, language)
    return BatchOut(**shown, level_label=label, possible_actions=BATCH.possible(row.status) if _publishes(actor) else [])


def published(session: Session, language: Language, *, limit: int = 50, after: str | None = None) -> Page[PublicBatchRow]:
    """What was published, the newest first."""
    values = {"number": None, **_start(after), "rows": limit + 1}
    rows = session.execute(_PUBLISHED, values).all()
    config = programmes.config_of(session, clock.today())
    return paging.page(rows, limit, lambda row: _public(config, row, language), _place)


def published_batch(
    session: Session, number: str, language: Language, *, limit: int = 50, after: str | None = None
) -> PublicBatchOut:
    """A published batch with its certificates, in the order of their numbers.

    Raises:
        NotFound: no batch of this number was published (404).
    """
    row = session.execute(_PUBLISHED, {"number": number, **_start(None), "rows": 1}).first()
    if row is None:
        raise NotFound
    start, config = paging.position(after, int), programmes.config_of(session, clock.today())
    found = _listed_rows(session, row.id, start[0] if start else None, limit + 1)
    page = paging.page(found, limit, lambda each: _listed(config, each, language, exact=False), lambda each: [each.id])
    return PublicBatchOut(batch=_public(config, row, language), items=page.items, next=page.next)


def whole_list(session: Session, actor: Actor, batch_id: int, language: Language) -> tuple[BatchOut, list[ListedOut]]:
    """A batch with all of its certificates, for an export. Raises as :func:`batch`."""
    shown = batch(session, actor, batch_id, language)
    config = programmes.config_of(session, clock.today())
    rows = _listed_rows(session, batch_id, None, None)
    return shown, [_listed(config, row, language, exact=reads_counts(actor, row)) for row in rows]


def _listed_rows(session: Session, batch_id: int, beyond: int | None, rows: int | None) -> Sequence[Row[Any]]:
    return session.execute(_LISTED, {"id": batch_id, "beyond": beyond, "rows": rows, **clock.present()}).all()


def _listed(config: ProgrammeConfig, row: Row[Any], language: Language, *, exact: bool) -> ListedOut:
    shown = {name: getattr(row, name) for name in ListedOut.model_fields if hasattr(row, name)}
    shown |= counts(row, exact=exact)
    return ListedOut(
        **shown,
        district_name=getattr(row, f"district_{language}"),
        township_name=getattr(row, f"township_{language}"),
        category_label=config.term("category", row.category, language),
        state_label=config.term("certificate_state", row.state, language),
    )


def _public(config: ProgrammeConfig, row: Row[Any], language: Language) -> PublicBatchRow:
    shown = {name: getattr(row, name) for name in PublicBatchRow.model_fields if hasattr(row, name)}
    return PublicBatchRow(
        **shown,
        level_label=config.term("batch_level", row.level, language),
        certificates=row.cases,
        published_on=clock.shanghai_date(row.published_at),
        withdrawn_on=clock.shanghai_date(row.withdrawn_at) if row.withdrawn_at else None,
    )
