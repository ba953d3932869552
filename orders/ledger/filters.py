"""The query parameters that statistics and sale entries share."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from sqlalchemy import text
from sqlmodel import Session

from orders.ledger.errors import MixedDesignations, PeriodBackwards
from orders.ledger.rules import Direction, FundSource, SaleRelation, Source
from orders.ledger.selection import DISTRICT_CODE, NOWHERE, Dimension, Lapsed, Selection, from_lines
from shop.core import clock
from shop.core.errors import Fault, Invalid, unknown_code
from shop.core.quantities import MAX_ID, Code, Day, Id, PastDay, none_asked, whole
from shop.identity.rules import OrganisationKind
from shop.programmes import queries as programmes
from shop.programmes.rules import Channel, Mode
from shop.regions import queries as regions
from shop.regions.rules import Designation

RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
TownshipCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}[0-9T][0-9]{2,5})?$")]
VillageCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}[0-9T]{0,6}/.{1,60})?$")]
#: An id, or 0 for what has none: sales to nobody who is registered here, sales at no outlet.
IdOrNone = Annotated[int, Field(ge=0, le=MAX_ID), whole]
#: What an organisation may be, and everybody who buys at a till.
BuyerKind = OrganisationKind | Literal["consumer"]


KnownOn = Annotated[PastDay | None, Query(description="only what had been booked by the end of this day; default: all that is")]

#: Which of the codes and ids that are asked for there are. A village is known by a sale (its year's, or one that no rollup holds yet), by a product,
#: or by the list of poor villages.
_KNOWN = text(
    f"""
    SELECT ARRAY(SELECT code FROM region WHERE code = ANY (CAST(:regions AS text[]))) AS regions,
           ARRAY(SELECT code FROM region WHERE code = ANY (CAST(:regions AS text[])) AND kind NOT IN ('province', 'city')) AS districts,
           ARRAY(SELECT id FROM product WHERE id = ANY (CAST(:product AS bigint[]))) AS product,
           ARRAY(SELECT id FROM organisation WHERE id = ANY (CAST(:organisations AS bigint[]))) AS organisations,
           ARRAY(SELECT id FROM outlet WHERE id = ANY (CAST(:outlet AS bigint[]))) AS outlet,
           ARRAY(SELECT code FROM unnest(CAST(:village AS text[])) AS asked (code)
                 WHERE EXISTS (SELECT FROM sales_place_year WHERE village_code = code)
                    OR EXISTS (SELECT FROM sale_entry_pending w JOIN sale_entry e ON e.id = w.entry_id WHERE {from_lines(Dimension.VILLAGE)} = code)
                    OR EXISTS (SELECT FROM product WHERE {from_lines(Dimension.VILLAGE)} = code)
                    OR EXISTS (SELECT FROM poor_village WHERE township_code || '/' || name = code)) AS village
    """  # noqa: S608
)


def period(first: date | None, last: date | None) -> tuple[date, date]:
    """The days asked for; unless said otherwise until today, and from 1 January of the year of the last day.

    Raises:
        PeriodBackwards: the first lies after the last (422).
    """
    last = last or clock.today()
    first = first or last.replace(month=1, day=1)
    if first > last:
        raise PeriodBackwards.at("from")
    return first, last


@dataclass
class SaleFilters:
    """Repeat a parameter to allow several values."""

    district: Annotated[
        list[RegionCode], Query(default_factory=none_asked, max_length=60, description="district of origin, such as 500236")
    ]
    mode: Annotated[list[Mode], Query(default_factory=none_asked, max_length=20)]
    relation: Annotated[list[SaleRelation], Query(default_factory=none_asked, max_length=20)]
    channel: Annotated[list[Channel], Query(default_factory=none_asked, max_length=20)]
    category: Annotated[list[Code], Query(default_factory=none_asked, max_length=60)]
    buyer_kind: Annotated[list[BuyerKind], Query(default_factory=none_asked, max_length=20)]
    supplier: Annotated[list[Id], Query(default_factory=none_asked, max_length=100)]
    township: Annotated[
        list[TownshipCode],
        Query(
            default_factory=none_asked, max_length=100, description="township of origin, such as 500236101; empty: none is known"
        ),
    ]
    village: Annotated[
        list[VillageCode],
        Query(
            default_factory=none_asked,
            max_length=100,
            description="village of origin, within its township: 500236T01/三岔村; empty: none is known",
        ),
    ]
    designation: Annotated[
        list[Designation],
        Query(
            default_factory=none_asked,
            max_length=10,
            description="districts of origin that were designated so on the last day of the period; or townships, by deep_township,"
            " which stands alone",
        ),
    ]
    source: Annotated[list[Source], Query(default_factory=none_asked, max_length=3)]
    kind: Annotated[list[Literal["goods", "service"]], Query(default_factory=none_asked, max_length=2)]
    certified: Annotated[
        list[bool], Query(default_factory=none_asked, max_length=2, description="on the day on which it was ordered")
    ]
    product: Annotated[list[Id], Query(default_factory=none_asked, max_length=100)]
    buyer: Annotated[
        list[IdOrNone],
        Query(
            default_factory=none_asked,
            max_length=100,
            description="0: nobody registered here, such as consumers at a till, or who is named in a claim",
        ),
    ]
    buyer_region: Annotated[list[RegionCode], Query(default_factory=none_asked, max_length=100)]
    fund_source: Annotated[list[FundSource], Query(default_factory=none_asked, max_length=4)]
    outlet: Annotated[list[IdOrNone], Query(default_factory=none_asked, max_length=100, description="0: not at an outlet")]
    direction: Annotated[Direction, Query(description="bought, or sold with somebody's help (帮助销售); never both in one sum")] = (
        Direction.PURCHASE
    )
    first: Annotated[
        Day | None,
        Query(alias="from", description="Shanghai date; default: 1 January of the year of `to`"),
    ] = None
    last: Annotated[Day | None, Query(alias="to", description="Shanghai date, included; default: today")] = None

    def selection(self, session: Session, known_on: date | None = None) -> Selection:
        """The selection as of now, or as it was known at the end of a day. A district that others were merged into stands for these, too.

        Raises:
            PeriodBackwards: ``from`` lies after ``to`` (422). MixedDesignations: see there (422). Invalid: see :meth:`require_known` (422).
        """
        first, last = period(self.first, self.last)
        self._require_known(session, first, last)
        only: dict[Dimension, list[Any]] = {
            Dimension.DISTRICT: regions.with_predecessors(session, self.district),
            Dimension.MODE: self.mode,
            Dimension.RELATION: self.relation,
            Dimension.CHANNEL: self.channel,
            Dimension.CATEGORY: self.category,
            Dimension.BUYER_KIND: self.buyer_kind,
            Dimension.SUPPLIER: self.supplier,
            Dimension.TOWNSHIP: self.township,
            Dimension.VILLAGE: self.village,
            Dimension.SOURCE: self.source,
            Dimension.KIND: self.kind,
            Dimension.CERTIFIED: self.certified,
            Dimension.PRODUCT: self.product,
            Dimension.BUYER: self.buyer,
            Dimension.BUYER_REGION: self.buyer_region,
            Dimension.FUND_SOURCE: self.fund_source,
            Dimension.OUTLET: self.outlet,
        }
        designated = self._designated(session, last)
        for dimension, codes in designated.items():
            # none is designated so: nothing fits
            only[dimension] = sorted(set(only[dimension]) & codes if only[dimension] else codes) or [NOWHERE]
        return Selection(
            first,
            last,
            {dimension: wanted for dimension, wanted in only.items() if wanted},
            self.direction,
            known_on,
            None if any(designated.values()) or not self.designation else self._lapsed(session, last),
        )

    def require_known(self, session: Session) -> None:
        """Refuse a code or an id that nothing has: its figures would read as no sales.

        Raises:
            PeriodBackwards: ``from`` lies after ``to`` (422). Invalid: names the parameters (422).
        """
        self._require_known(session, *period(self.first, self.last))

    def _require_known(self, session: Session, first: date, last: date) -> None:
        places = {"district": self.district, "township": self.township, "buyer_region": self.buyer_region}
        organisations = {"supplier": self.supplier, "buyer": self.buyer}
        asked = {
            "regions": sorted({code for codes in places.values() for code in codes}),
            "product": self.product,
            "organisations": [*self.supplier, *self.buyer],
            "outlet": self.outlet,
            "village": [code for code in self.village if code],
        }
        codes: dict[str, list[Any]] = {
            **places,
            **organisations,
            "product": self.product,
            "outlet": self.outlet,
            "village": self.village,
        }
        faults: list[Fault] = []
        if any(codes.values()):
            found = session.execute(_KNOWN, asked).one()
            known = {
                **{name: {"", *found.regions} for name in places},
                "district": {"", *found.districts},
                **{name: {0, *found.organisations} for name in organisations},
                "product": set(found.product),
                "outlet": {0, *found.outlet},
                "village": {"", *found.village},
            }
            faults = [unknown_code(name, code) for name, wanted in codes.items() for code in wanted if code not in known[name]]
        if self.category:
            named = programmes.codes(session, "category", first, last)
            # before the first programme no code has a name
            faults += [unknown_code("category", code) for code in self.category if named and code not in named]
        if faults:
            raise Invalid(faults=faults)

    def _designated(self, session: Session, on: date) -> dict[Dimension, set[str]]:
        """The districts, or the townships, that have one of the designations. Filters of both would only leave what lies in both."""
        if not self.designation:
            return {}
        of_townships = Designation.DEEP_TOWNSHIP in self.designation
        if of_townships and set(self.designation) != {Designation.DEEP_TOWNSHIP}:
            raise MixedDesignations.at("designation")
        codes = regions.designated(session, self.designation, on)
        if of_townships:
            return {Dimension.TOWNSHIP: {code for code in codes if len(code) > DISTRICT_CODE}}
        districts = sorted(code for code in codes if len(code) == DISTRICT_CODE)
        return {Dimension.DISTRICT: set(regions.with_predecessors(session, districts))}

    def _lapsed(self, session: Session, on: date) -> Lapsed:
        return Lapsed(tuple(self.designation), regions.designated_until(session, self.designation, on))
