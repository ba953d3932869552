"""The query parameters that statistics and sale entries share."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Query
from pydantic import StringConstraints

from orders.ledger.errors import PeriodBackwards
from orders.ledger.rules import SaleRelation
from orders.ledger.selection import Dimension, Selection
from shop.core import clock
from shop.core.quantities import Code, Id
from shop.identity.rules import OrganisationKind
from shop.programmes.rules import Channel, Mode

_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 12, 31)
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


@dataclass
class SaleFilters:
    """Repeat a parameter to allow several values."""

    district: Annotated[
        list[RegionCode], Query(default_factory=list, max_length=60, description="district of origin, such as 500236")
    ]
    mode: Annotated[list[Mode], Query(default_factory=list, max_length=20)]
    relation: Annotated[list[SaleRelation], Query(default_factory=list, max_length=20)]
    channel: Annotated[list[Channel], Query(default_factory=list, max_length=20)]
    category: Annotated[list[Code], Query(default_factory=list, max_length=60)]
    buyer_kind: Annotated[list[OrganisationKind], Query(default_factory=list, max_length=20)]
    supplier: Annotated[list[Id], Query(default_factory=list, max_length=100)]
    first: Annotated[
        date | None,
        Query(alias="from", ge=_EARLIEST, le=_LATEST, description="Shanghai date; default: 1 January of the year of `to`"),
    ] = None
    last: Annotated[
        date | None, Query(alias="to", ge=_EARLIEST, le=_LATEST, description="Shanghai date, included; default: today")
    ] = None

    def selection(self) -> Selection:
        """The selection as of now.

        Raises:
            PeriodBackwards: ``from`` lies after ``to`` (422).
        """
        last = self.last or clock.today()
        first = self.first or last.replace(month=1, day=1)
        if first > last:
            raise PeriodBackwards
        only: dict[Dimension, list[Any]] = {
            Dimension.DISTRICT: self.district,
            Dimension.MODE: self.mode,
            Dimension.RELATION: self.relation,
            Dimension.CHANNEL: self.channel,
            Dimension.CATEGORY: self.category,
            Dimension.BUYER_KIND: self.buyer_kind,
            Dimension.SUPPLIER: self.supplier,
        }
        return Selection(first, last, {dimension: wanted for dimension, wanted in only.items() if wanted})
