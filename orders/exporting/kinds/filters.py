"""The filters of sales as parameters of an export: those of ``/v1/statistics/sales``, whatever they are."""

from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import Field, create_model
from pydantic.fields import FieldInfo
from sqlmodel import Session

from orders.ledger.filters import SaleFilters
from shop.identity.schemas import In


def _parameters() -> dict[str, Any]:
    """One field for each query parameter, by the name that it has in a query."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(SaleFilters, include_extras=True).items():
        kind, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        given = next(note for note in notes if isinstance(note, FieldInfo))
        bounds: dict[str, Any] = {"alias": given.alias, "description": given.description}
        if get_origin(kind) is list:
            most = next((note.max_length for note in given.metadata if hasattr(note, "max_length")), None)
            found[name] = (kind, Field(default_factory=list, max_length=most, **bounds))
        else:
            limits: dict[str, Any] = {
                limit: getattr(note, limit) for note in given.metadata for limit in ("ge", "le") if hasattr(note, limit)
            }
            found[name] = (kind, Field(default=getattr(SaleFilters, name), **limits, **bounds))
    return found


#: The names of the period in a query.
PERIOD = ("from", "to")

SaleParameters: type[In] = create_model("SaleParameters", __base__=In, **_parameters())


def check(session: Session, asked: In) -> None:
    """Refuse codes that nothing has.

    Raises:
        Invalid: names the parameters (422).
    """
    filters_of(asked).require_known(session)


def filters_of(asked: In) -> SaleFilters:
    """The same as a query would have them; what other parameters there are is left out."""
    return SaleFilters(**{name: getattr(asked, name) for name in SaleParameters.model_fields})
