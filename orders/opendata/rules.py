"""Awards and contracts as OCDS 1.1 says them (Open Contracting Data Standard): pure functions over plain facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

Document = dict[str, Any]

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
#: How a code of the organisation register is told from others: 统一社会信用代码.
SCHEME = "CN-USCC"


class Source(StrEnum):
    """What a release is about, in the order in which releases of one moment stand."""

    AWARD = "award"
    AGREEMENT = "agreement"
    CONTRACT = "contract"


@dataclass(frozen=True)
class Organisation:
    uscc: str
    name: str
    region: str | None
    locality: str | None

    @property
    def id(self) -> str:
        return f"{SCHEME}-{self.uscc}"

    @property
    def reference(self) -> Document:
        return {"id": self.id, "name": self.name}

    def party(self, roles: Sequence[str]) -> Document:
        place = {name: value for name, value in (("locality", self.locality), ("region", self.region)) if value}
        return {
            **self.reference,
            "identifier": {"scheme": SCHEME, "id": self.uscc, "legalName": self.name},
            "address": {**place, "countryName": "中国"},
            "roles": list(roles),
        }


@dataclass(frozen=True)
class Item:
    description: str
    category: str
    unit: str
    #: None: as much as is called off in time.
    quantity: Decimal | None
    unit_price_fen: int | None


@dataclass(frozen=True)
class Deal:
    """One award or contract; ``number`` is that of the process it belongs to."""

    source: Source
    id: str
    process: str
    at: datetime
    buyer: Organisation
    supplier: Organisation
    title: str
    method: str
    method_details: str
    #: None: up to what is called off.
    fen: int | None
    items: Sequence[Item]
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def number(value: Decimal) -> int | float:
    """A decimal as a JSON number that reads back as the same decimal: up to 15 digits a double holds every one."""
    return int(value) if value == value.to_integral_value() else float(value)


def amount(fen: int) -> Document:
    return {"amount": number(Decimal(fen).scaleb(-2)), "currency": "CNY"}


def release(deal: Deal, prefix: str) -> Document:
    """One release: what became known of a contracting process with one award or contract."""
    ocid = ocid_of(prefix, deal.process)
    award: Document = {
        "id": deal.id,
        "title": deal.title,
        "status": "active",
        "date": deal.at.isoformat(),
        "suppliers": [deal.supplier.reference],
        "items": [_item(n, item) for n, item in enumerate(deal.items, 1)],
    }
    if deal.fen is not None:
        award["value"] = amount(deal.fen)
    found: Document = {
        "ocid": ocid,
        "id": f"{ocid}-{deal.id}",
        "date": deal.at.isoformat(),
        "tag": ["award"],
        "initiationType": "tender",
        "language": "zh",
        "parties": [deal.buyer.party(["buyer", "procuringEntity"]), deal.supplier.party(["supplier"])],
        "buyer": deal.buyer.reference,
        "tender": {
            "id": deal.process,
            "title": deal.title,
            "status": "complete",
            "procurementMethod": deal.method,
            "procurementMethodDetails": deal.method_details,
            "procuringEntity": deal.buyer.reference,
        },
        "awards": [award],
    }
    if deal.source is not Source.AWARD:
        found["tag"].append("contract")
        found["contracts"] = [_contract(deal, award)]
    return found


def _contract(deal: Deal, award: Document) -> Document:
    contract: Document = {
        "id": deal.id,
        "awardID": deal.id,
        "title": deal.title,
        "status": "active",
        "dateSigned": deal.at.isoformat(),
        "items": award["items"],
    }
    if "value" in award:
        contract["value"] = award["value"]
    if deal.starts_at and deal.ends_at:
        contract["period"] = {"startDate": deal.starts_at.isoformat(), "endDate": deal.ends_at.isoformat()}
    return contract


def _item(place: int, item: Item) -> Document:
    unit: Document = {"name": item.unit}
    if item.unit_price_fen is not None:
        unit["value"] = amount(item.unit_price_fen)
    found: Document = {
        "id": str(place),
        "description": item.description,
        "classification": {"scheme": "CQXF", "id": item.category, "description": item.category},
        "unit": unit,
    }
    if item.quantity is not None:
        found["quantity"] = number(item.quantity)
    return found


def ocid_of(prefix: str, process: str) -> str:
    return f"{prefix}-{process}"


def _head(uri: str, at: datetime, publisher: str) -> Document:
    """What stands at the beginning of every package."""
    return {
        "uri": uri,
        "version": "1.1",
        "publishedDate": at.isoformat(),
        "publisher": {"name": publisher},
        "license": LICENCE,
    }


def record_package(ocid: str, releases: Sequence[Document], *, uri: str, at: datetime, publisher: str) -> Document:
    """The record of one process: all of its releases, and what they come to."""
    record = {"ocid": ocid, "releases": list(releases), "compiledRelease": compiled(releases)}
    return {**_head(uri, at, publisher), "records": [record]}


def release_package(releases: Sequence[Document], *, uri: str, at: datetime, publisher: str, following: str | None) -> Document:
    """A page of releases; ``following`` is where the next page is."""
    found = {**_head(uri, at, publisher), "releases": list(releases)}
    # pages are no part of the standard; its own registry names the member so
    return found if following is None else {**found, "links": {"next": following}}


def compiled(releases: Sequence[Document]) -> Document:
    """What is known of a process by now: the newest word on everything, lists joined by the ids of what is in them."""
    ordered = sorted(releases, key=lambda release: (release["date"], release["id"]))
    last = ordered[-1]
    found: Document = {**last, "tag": ["compiled"], "id": f"{last['ocid']}-compiled-{last['date']}"}
    for name in ("parties", "awards", "contracts"):
        joined: dict[str, Document] = {}
        for each in (each for release in ordered for each in release.get(name, ())):
            before: Mapping[str, Any] = joined.get(each["id"], {})
            roles = sorted({*before.get("roles", ()), *each.get("roles", ())})
            joined[each["id"]] = {**before, **each, **({"roles": roles} if roles else {})}
        if joined:
            found[name] = list(joined.values())
    return found
