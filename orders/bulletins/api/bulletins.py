"""Bulletins over HTTP: to those who make them, and to everybody."""

from typing import Annotated, Literal

from fastapi import Path, Query
from fastapi.responses import Response

from orders.bulletins import files, sheets
from orders.bulletins.actions import publishing
from orders.bulletins.queries import bulletins as queries
from orders.bulletins.queries import lines
from orders.bulletins.schemas.bulletins import (
    BulletinOut,
    BulletinRow,
    ChangesOut,
    DraftIn,
    PublicBulletinOut,
    PublicBulletinRow,
    PublishIn,
    RevisionIn,
)
from shop.core import exports
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission

routes = Routes("bulletins", "/v1")

Number = Annotated[
    str,
    Path(
        description="`2026-03` is the third bulletin of 2026, not that of March; `2026-03-R1` its first revision",
        pattern=r"^20[0-9]{2}-[0-9]{2,4}(-R[1-9][0-9]{0,3})?$",
        examples=["2026-03", "2026-03-R1"],
    ),
]


def _bulletin(call: Call, bulletin_id: int) -> BulletinOut:
    return queries.bulletin(call.session, call.actor, bulletin_id, call.language)


@routes.get("/bulletins", Permission.BULLETINS_READ)
def list_bulletins(call: Call, limit: Limit = 50, after: After = None) -> Page[BulletinRow]:
    """Every edition and every draft, the newest first."""
    return queries.bulletins(call.session, call.language, limit=limit, after=after)


@routes.post("/bulletins", Permission.BULLETINS_PUBLISH)
def draft_bulletin(call: Call, body: DraftIn) -> BulletinOut:
    """Draft the bulletin of a month that the city has closed."""
    return _bulletin(call, publishing.draft(call.session, call.actor, body.month))


@routes.post("/bulletins/revisions", Permission.BULLETINS_PUBLISH)
def draft_revision(call: Call, body: RevisionIn) -> BulletinOut:
    """Draft a revision: what was told, taken back or revoked since, down to the line."""
    return _bulletin(call, publishing.revise(call.session, call.actor, body.month, body.reason))


@routes.get("/bulletins/{bulletin_id}", Permission.BULLETINS_READ)
def read_bulletin(call: Call, bulletin_id: Id) -> BulletinOut:
    """One edition, or a draft."""
    return _bulletin(call, bulletin_id)


@routes.get("/bulletins/{bulletin_id}/files/{format}", Permission.BULLETINS_READ, responses=files.ANSWERS)
def read_file(call: Call, bulletin_id: Id, kind: files.Named) -> Response:
    """An edition as a file; of a draft as it would look."""
    name, content, sha256 = queries.file(call.session, bulletin_id, files.kind_of(kind))
    return files.answer(name, files.kind_of(kind), content, sha256)


@routes.get("/bulletins/{bulletin_id}/changes", Permission.BULLETINS_READ, answer=ChangesOut, responses=exports.FILES)
def list_changes(
    call: Call,
    bulletin_id: Id,
    limit: Limit = 50,
    after: After = None,
    format: Annotated[Literal["json", "csv", "xlsx"], Query()] = "json",
) -> ChangesOut | Response:
    """The difference table of a revision line by line: entries of the ledger and the papers that they rest on; of districts outside the own
    regions their sums."""
    rows, start = (limit, after) if format == "json" else (exports.MAX_ROWS, None)
    found = lines.changes(call.session, call.actor, bulletin_id, call.language, limit=rows, after=start)
    if format == "json":
        return found
    exports.require_whole([*exports.whole(found), *found.elsewhere], exports.MAX_ROWS)
    header, title = sheets.HEADER[call.language], sheets.TITLE[call.language]
    return exports.file(format, f"changes_{bulletin_id}", header, sheets.cells(found, call.language), title)


@routes.post("/bulletins/{bulletin_id}/publish", Permission.BULLETINS_PUBLISH, status=200)
def publish_bulletin(call: Call, bulletin_id: Id, body: PublishIn) -> BulletinOut:
    """Publish a draft that somebody else drafted. It gets its number and is never changed again."""
    publishing.publish(call.session, call.actor, bulletin_id, body.sha256, call.if_match)
    return _bulletin(call, bulletin_id)


@routes.delete("/bulletins/{bulletin_id}", Permission.BULLETINS_PUBLISH)
def discard_bulletin(call: Call, bulletin_id: Id) -> None:
    """Drop a draft."""
    publishing.discard(call.session, call.actor, bulletin_id)


@routes.get("/public/bulletins", public=True)
def published_bulletins(call: Call, limit: Limit = 50, after: After = None) -> Page[PublicBulletinRow]:
    """What was published, the newest first."""
    return queries.published(call.session, call.language, limit=limit, after=after)


@routes.get("/public/bulletins/{number}", public=True)
def published_bulletin(call: Call, number: Number) -> PublicBulletinOut:
    """A bulletin, or a revision of one. A number always gives the same figures."""
    return queries.published_one(call.session, number, call.language)


@routes.get("/public/bulletins/{number}/files/{format}", public=True, responses=files.ANSWERS)
def published_file(call: Call, number: Number, kind: files.Named) -> Response:
    """The same as page, PDF, workbook or JSON. A number always gives the same bytes."""
    name, content, sha256 = queries.published_file(call.session, number, files.kind_of(kind))
    return files.answer(name, files.kind_of(kind), content, sha256)
