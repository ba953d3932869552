"""Outlets, their devices, goods and plans over HTTP."""

from typing import Annotated, Literal

from fastapi import Body, File, Form, Query, UploadFile
from fastapi.responses import Response
from pydantic import AfterValidator, Field, StringConstraints

from orders.outlets import queries, sheets
from orders.outlets.actions import devices, goods, registering
from orders.outlets.queries import Filters
from orders.outlets.schemas.devices import (
    MOST_DEVICES,
    DeviceIn,
    DeviceOut,
    DevicesIn,
    HeartbeatIn,
    HeartbeatOut,
    KeyMadeOut,
    KeysMadeOut,
    KeysRevokedOut,
    ListedDeviceOut,
    NewDeviceOut,
    RevokedOut,
)
from orders.outlets.schemas.outlets import (
    CloseIn,
    GoodsImportedOut,
    GoodsListIn,
    GoodsOut,
    GoodsTakenOut,
    ImportedOut,
    OutletIn,
    OutletOut,
    PlanIn,
    PlanOut,
    RefuseIn,
    Venue,
)
from orders.outlets.states import OutletKind, OutletStatus
from shop.core import clock, exports
from shop.core.outcomes import counts, outcome
from shop.core.paging import After, Limit, Page
from shop.core.quantities import Id, each_once, storable
from shop.core.sheets import SheetName
from shop.identity.access import Call, Routes
from shop.identity.permissions import Permission
from shop.programmes import queries as programmes
from shop.regions import queries as regions

routes = Routes("outlets", "/v1")

Region = Annotated[
    str | None,
    Query(max_length=12, description="a region's code, 500000 for the whole city, or its beginning"),
    StringConstraints(pattern=r"^[0-9]{2,6}$"),
]
Word = Annotated[str | None, Query(max_length=100, description="a part of name, address or operator, or a number"), AfterValidator(lambda q: q and storable(q))]  # fmt: skip
Sheet = Annotated[UploadFile, File(description="XLSX, or CSV in UTF-8 or GB18030, with Chinese headings")]
DryRun = Annotated[bool, Form(description="only look whether it would be accepted")]
VenueFilter = Annotated[Venue | None, Query()]


@routes.post("/outlets", Permission.OUTLETS_MANAGE)
def register(call: Call, body: OutletIn) -> OutletOut:
    """Register an outlet: its operator does, or the county for an operator of its own. It counts once it was verified."""
    return queries.outlet(call.session, call.actor, registering.register(call.session, call.actor, body), call.language)


@routes.get("/outlets", Permission.OUTLETS_READ)
def list_outlets(
    call: Call,
    kind: OutletKind | None = None,
    online: bool | None = None,
    status: OutletStatus | None = None,
    region: Region = None,
    operator_id: Id | None = None,
    venue: VenueFilter = None,
    silent: bool | None = None,
    q: Word = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[OutletOut]:
    filters = Filters(kind, online, status, regions.prefix_asked(call.session, region), operator_id, venue, silent, q)
    return queries.outlets(call.session, call.actor, filters, call.language, limit=limit, after=after)


@routes.get("/outlets/export", Permission.OUTLETS_READ, responses=exports.FILES)
def export_outlets(
    call: Call,
    kind: OutletKind | None = None,
    online: bool | None = None,
    status: OutletStatus | None = None,
    region: Region = None,
    operator_id: Id | None = None,
    venue: VenueFilter = None,
    silent: bool | None = None,
    q: Word = None,
    format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx",
) -> Response:
    """The same list as a table, all of it."""
    filters = Filters(kind, online, status, regions.prefix_asked(call.session, region), operator_id, venue, silent, q)
    rows = queries.all_outlets(call.session, call.actor, filters, call.language, exports.MAX_ROWS + 1)
    exports.require_whole(rows, exports.MAX_ROWS)
    header, title = sheets.HEADER[call.language], sheets.TITLE[call.language]
    term = programmes.terms(call.session, clock.today(), call.language)
    return exports.file(format, "outlets", header, sheets.cells(rows, call.language, term), title)


@routes.get("/outlets/template", Permission.OUTLETS_MANAGE, responses=exports.FILES)
def outlets_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty file of outlets with its headings and an example."""
    return exports.template(format, "outlets", sheets.OUTLET_COLUMNS, sheets.OUTLET_EXAMPLE, "网点", sheets.OUTLET_CODES)


@routes.get("/outlet-goods/template", Permission.OUTLETS_MANAGE, responses=exports.FILES)
def goods_template(call: Call, format: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx") -> Response:
    """An empty file of goods with its headings and an example."""
    return exports.template(format, "outlet_goods", sheets.GOODS_COLUMNS, sheets.GOODS_EXAMPLE, "网点商品", sheets.GOODS_CODES)


@routes.post("/outlets/import", Permission.OUTLETS_MANAGE, status=200)
def import_outlets(call: Call, file: Sheet, dry_run: DryRun = False, sheet: SheetName = None) -> ImportedOut:
    """Register the outlets of a file, up to 19,998 rows: all of them or none. Every fault by row and column."""
    return registering.import_file(call.session, call.actor, file.file.read(), sheet, dry_run=dry_run)


@routes.post("/outlets/verify", Permission.OUTLETS_VERIFY, status=200)
def verify_outlets(
    call: Call,
    outlet_ids: Annotated[list[Id], Body(embed=True), Field(min_length=1, max_length=1000), AfterValidator(each_once)],
) -> list[OutletOut]:
    """An officer has seen that they are there: all of them or none."""
    registering.verify(call.session, call.actor, outlet_ids)
    return queries.some(call.session, call.actor, outlet_ids, language=call.language)


@routes.post("/outlets/heartbeat", Permission.OUTLET_SALES_REPORT, status=200)
def heartbeat(call: Call, body: HeartbeatIn) -> HeartbeatOut:
    """A device is alive. The answer says what time it is and where the device's chain of batches stands."""
    return devices.heartbeat(call.session, call.actor, body)


@routes.get("/outlets/{outlet_id}", Permission.OUTLETS_READ)
def read_outlet(call: Call, outlet_id: Id) -> OutletOut:
    return queries.outlet(call.session, call.actor, outlet_id, call.language)


@routes.put("/outlets/{outlet_id}", Permission.OUTLETS_MANAGE)
def edit_outlet(call: Call, outlet_id: Id, body: OutletIn) -> OutletOut:
    """Say anew what it is; kind and place of a verified one stay. With If-Match only if nobody else did meanwhile."""
    registering.edit(call.session, call.actor, outlet_id, body, call.if_match)
    return queries.outlet(call.session, call.actor, outlet_id, call.language)


@routes.post("/outlets/{outlet_id}/refuse", Permission.OUTLETS_VERIFY, status=200)
def refuse_outlet(call: Call, outlet_id: Id, body: RefuseIn) -> OutletOut:
    """It is not there, or not what it is said to be; the operator may correct it."""
    registering.refuse(call.session, call.actor, outlet_id, body, if_match=call.if_match)
    return queries.outlet(call.session, call.actor, outlet_id, call.language)


@routes.post("/outlets/{outlet_id}/close", Permission.OUTLETS_MANAGE, status=200)
def close_outlet(call: Call, outlet_id: Id, body: CloseIn) -> OutletOut:
    """Its last day. What it sold up to then counts, however late it is told."""
    registering.close(call.session, call.actor, outlet_id, body, call.if_match)
    return queries.outlet(call.session, call.actor, outlet_id, call.language)


@routes.post("/outlets/{outlet_id}/devices", Permission.OUTLETS_MANAGE, idempotent=False)
def make_device(call: Call, outlet_id: Id, body: DeviceIn) -> NewDeviceOut:
    """A key for a till or cabinet of an own outlet; the answer is the only time that it is shown."""
    made = devices.make(call.session, call.actor, outlet_id, body)
    return NewDeviceOut(key=made.key, **DeviceOut.model_validate(made.row, from_attributes=True).model_dump())


@routes.post(
    "/outlet-devices", Permission.OUTLETS_MANAGE, status=200, idempotent=False, answer=KeysMadeOut, responses=exports.FILES
)
def make_devices(
    call: Call, body: DevicesIn, format: Annotated[Literal["json", "xlsx", "csv"], Query()] = "json"
) -> KeysMadeOut | Response:
    """Keys for up to 1,000 tills and cabinets of any of the own outlets, also as a file. Each is made by itself: the answer has a result for every one, in
    the order given, and is the only time that the keys are shown."""
    results = [
        KeyMadeOut(
            **outcome(each.problem, call.language),
            outlet_id=each.outlet_id,
            outlet_number=each.outlet and each.outlet.number,
            outlet_name=each.outlet and each.outlet.name,
            number=each.number,
            device_id=each.device_id,
            key=each.key,
        )
        for each in devices.make_many(call.session, call.actor, body.devices, call.language)
    ]
    made = KeysMadeOut(**counts(results), results=results)
    if format == "json":
        return made
    header, title = sheets.KEYS_HEADER[call.language], sheets.KEYS_TITLE[call.language]
    return exports.file(format, "device_keys", header, sheets.key_cells(made), title)


@routes.post("/outlet-devices/revoke", Permission.OUTLETS_MANAGE, status=200)
def revoke_devices(
    call: Call,
    device_ids: Annotated[list[Id], Body(embed=True), Field(min_length=1, max_length=MOST_DEVICES), AfterValidator(each_once)],
) -> KeysRevokedOut:
    """End up to 1,000 keys at once, each by itself; the answer has a result for every one, in the order given."""
    outcomes = devices.revoke_many(call.session, call.actor, device_ids)
    results = [RevokedOut(device_id=device_id, **outcome(problem, call.language)) for device_id, problem in outcomes.items()]
    return KeysRevokedOut(**counts(results), results=results)


@routes.get("/outlet-devices", Permission.OUTLETS_READ)
def list_all_devices(
    call: Call, outlet_id: Annotated[Id | None, Query()] = None, revoked: bool | None = None, limit: Limit = 50, after: After = None
) -> Page[ListedDeviceOut]:
    """The devices of all outlets within reach."""
    return queries.all_devices(call.session, call.actor, outlet_id=outlet_id, revoked=revoked, limit=limit, after=after)


@routes.get("/outlets/{outlet_id}/devices", Permission.OUTLETS_READ)
def list_devices(call: Call, outlet_id: Id) -> list[DeviceOut]:
    return queries.devices(call.session, call.actor, outlet_id)


@routes.delete("/outlets/{outlet_id}/devices/{device_id}", Permission.OUTLETS_MANAGE)
def revoke_device(call: Call, outlet_id: Id, device_id: Id) -> None:
    """End its key at once. What it sent stays; batches that wait for one that will not come now are held, for an officer to count or leave out."""
    devices.revoke(call.session, call.actor, outlet_id, device_id)


@routes.get("/outlets/{outlet_id}/goods", Permission.OUTLETS_READ)
def list_goods(
    call: Call,
    outlet_id: Id,
    match: Annotated[Literal["matched", "unmatched", "other"] | None, Query()] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[GoodsOut]:
    """What it offers, and which of it is on the list."""
    return queries.goods(call.session, call.actor, outlet_id, match=match, limit=limit, after=after)


@routes.post("/outlet-goods", Permission.OUTLET_SALES_REPORT, status=200)
def report_goods(call: Call, body: GoodsListIn) -> GoodsTakenOut:
    """Goods by the public field list: a device for its outlet, an operator for any of its own. `notes` tell what is not on the list here."""
    return goods.take(call.session, call.actor, body.goods, call.language)


@routes.post("/outlet-goods/import", Permission.OUTLETS_MANAGE, status=200)
def import_goods(call: Call, file: Sheet, dry_run: DryRun = False, sheet: SheetName = None) -> GoodsImportedOut:
    """The same as a file with the headings of the public field list: all of it or nothing. `notes` name the rows of what is not on the list here."""
    return goods.import_file(call.session, call.actor, file.file.read(), sheet, call.language, dry_run=dry_run)


@routes.put("/outlets/{outlet_id}/plan", Permission.OUTLETS_MANAGE)
def set_plan(call: Call, outlet_id: Id, body: PlanIn) -> PlanOut:
    """What it is to hold, in place of what was said before."""
    goods.plan(call.session, call.actor, outlet_id, body)
    return queries.plan(call.session, call.actor, outlet_id)


@routes.get("/outlets/{outlet_id}/plan", Permission.OUTLETS_READ)
def read_plan(call: Call, outlet_id: Id) -> PlanOut:
    return queries.plan(call.session, call.actor, outlet_id)
