"""Open data: for everybody, without signing in."""

import json
from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import Response

from orders.opendata import contracting, tables
from orders.opendata.rules import LICENCE
from orders.opendata.schemas import TableOut, TablesOut
from shop.core.paging import After, of_list
from shop.core.quantities import Day
from shop.core.settings import settings
from shop.identity.access import Call, Routes

routes = Routes("open_data", "/v1/public")

Ocid = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9\-]+$", examples=["ocds-000000-PO20261125000001"])]
TableName = Annotated[str, Path(max_length=60, pattern=r"^[a-z\-]+$")]
Year = Annotated[int, Path(ge=2000, le=2100)]
_SDMX = "application/vnd.sdmx.data+csv; version=2.0.0"
_DESCRIPTION = "application/csvm+json"


def _of(media_type: str, kind: str) -> dict[int | str, dict[str, Any]]:
    """How a route documents what it answers."""
    return {200: {"content": {media_type: {"schema": {"type": kind}}}}}


def _json(document: dict[str, Any], media_type: str = "application/json") -> Response:
    return Response(json.dumps(document, ensure_ascii=False), media_type=media_type)


@routes.get("/ocds/releases", public=True, responses=_of("application/json", "object"))
def ocds_releases(
    call: Call,
    first: Annotated[Day | None, Query(alias="from", description="Shanghai date of the release")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Shanghai date, included")] = None,
    after: After = None,
) -> Response:
    """Awards and contracts of public buyers as an OCDS 1.1 release package, the oldest first; `links.next` leads on. Ask with `from` for what is
    new since the last time."""
    # the address of the next page tells the days in one way, however they were asked for
    with of_list("/v1/public/ocds/releases", [("from", str(first)), ("to", str(last))]):
        return _json(contracting.releases(call.session, first=first, last=last, after=after))


@routes.get("/ocds/records/{ocid}", public=True, responses=_of("application/json", "object"))
def ocds_record(call: Call, ocid: Ocid) -> Response:
    """One contracting process as an OCDS 1.1 record package: its releases, and what they come to."""
    return _json(contracting.record(call.session, ocid))


@routes.get("/tables", public=True)
def open_tables(call: Call) -> TablesOut:
    """The tables that are published, with the years that there are."""
    english = call.language == "en"
    return TablesOut(
        licence=LICENCE,
        publisher=settings().publisher,
        tables=[
            TableOut(
                name=table.name, title=table.en if english else table.zh, years=years, dataflow=tables.structure_of(table.name)
            )
            for table, years in tables.listed(call.session)
        ],
    )


@routes.get("/tables/{name}/{year}.sdmx.csv", public=True, responses=_of(_SDMX, "string"))
def open_table_sdmx(call: Call, name: TableName, year: Year) -> Response:
    """The same as SDMX-CSV 2.0."""
    return Response(tables.as_sdmx(call.session, name, year), media_type=_SDMX)


@routes.get("/tables/{name}/{year}.csv", public=True, responses=_of("text/csv", "string"))
def open_table(call: Call, name: TableName, year: Year) -> Response:
    """A table of a year's published months."""
    link = f'<{year}.csv-metadata.json>; rel="describedby"; type="{_DESCRIPTION}"'
    return Response(tables.as_csv(call.session, name, year), media_type="text/csv; charset=utf-8", headers={"Link": link})


@routes.get("/tables/{name}/{year}.csv-metadata.json", public=True, responses=_of(_DESCRIPTION, "object"))
def open_table_metadata(call: Call, name: TableName, year: Year) -> Response:
    """What is in it, by the W3C's CSV on the Web."""
    return _json(tables.description(call.session, name, year), _DESCRIPTION)
