"""What a list, its totals or its file is asked for by an id or a code: where nothing is found, one that is not there must not pass for one of which there
is nothing."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel import Session

from shop.core.errors import Fault, Invalid, unknown_code
from shop.identity.actor import Actor
from shop.identity.permissions import Permission

#: SQL: whether there is such a region, or one within it; such a programme.
_REGION = "EXISTS (SELECT FROM region WHERE starts_with(code, :asked))"
_PROGRAMME = "EXISTS (SELECT FROM programme WHERE code = :asked)"
#: SQL: whether there is such an organisation within the reach of who asks, or above it; or a document of one, or of a district within reach. Nobody is
#: told whether there are others. ``whose`` yields organisations and districts.
WITHIN_REACH = """EXISTS (SELECT FROM ({whose}) t (organisation_id, district) LEFT JOIN organisation o ON o.id = t.organisation_id
    WHERE t.district LIKE ANY (CAST(:regions AS text[])) OR o.region_code LIKE ANY (CAST(:regions AS text[]))
       OR o.path LIKE CAST(:branch AS text) OR starts_with(CAST(:own AS text), o.path))"""
_ORGANISATION = "SELECT CAST(:asked AS bigint), CAST(NULL AS text)"
#: What the parameters of lists name, in every list alike; documents are added by ``shop.documents``.
NAMED: dict[str, str] = {
    **dict.fromkeys(("district", "place", "region", "region_code", "township"), _REGION),
    "programme": _PROGRAMME,
    # whoever of platform finance a line of the bank may be given to
    "assigned_to": "EXISTS (SELECT FROM user_role WHERE user_id = CAST(:asked AS bigint) AND role = 'platform_finance')",
    **dict.fromkeys(
        ("buyer_id", "operator_id", "organisation_id", "party_id", "seller_id", "supplier_id"),
        WITHIN_REACH.format(whose=_ORGANISATION),
    ),
}


def found_none(answer: Any) -> bool:
    """Whether an answer is a list, or a page, a table or a file of one, in which nothing stands; or counts what would stand in it, and that is nothing."""
    listed, counted = ([getattr(answer, name, None) for name in names] for names in (("items", "rows"), ("count", "total")))
    return answer == [] or [] in listed or 0 in counted


def require_known(
    session: Session,
    actor: Actor,
    permission: Permission | None,
    given: Mapping[str, str],
    endpoint: Callable[..., Any],
    arguments: Mapping[str, Any],
) -> None:
    """Refuse what a list was asked for, and found nothing by, if it is not known: neither there within reach, nor, as a party to what the caller
    sees, listed where it alone is asked for.

    ``given``: the parameters as they came; ``arguments``: what the endpoint made of them.

    Raises:
        Invalid: names the parameters (422).
    """
    own = actor.organisation_path
    seen = {each for each in (Permission.ORGANISATIONS_READ, permission) if each is not None}
    regions = [pattern for each in sorted(seen) for pattern in actor.region_patterns(each)]
    reach = {"regions": regions, "branch": f"{own}%" if own else None, "own": own}
    faults: list[Fault] = []
    for name, value in given.items():
        if name not in NAMED:
            continue
        known = session.execute(text(f"SELECT {NAMED[name]}"), {"asked": value, **reach}).scalar_one()
        if not known and found_none(endpoint(**_alone(name, endpoint, arguments))):
            faults.append(unknown_code(name, value))
    if faults:
        raise Invalid(faults=faults)


def _alone(name: str, endpoint: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the endpoint when it is asked for nothing but one parameter."""
    parameters = inspect.signature(endpoint).parameters

    def left(argument: str, value: Any) -> Any:
        if isinstance(value, BaseModel):  # a model whose fields are the parameters
            others = {field: each for field, each in type(value).model_fields.items() if field != name and not each.is_required()}
            return value.model_copy(update={field: each.get_default(call_default_factory=True) for field, each in others.items()})
        default = parameters[argument].default
        return value if argument == name or default is inspect.Parameter.empty else default

    return {argument: left(argument, value) for argument, value in arguments.items()}
