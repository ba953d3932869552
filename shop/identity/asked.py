"""What a list is asked for by an id or a code: where nothing is found, one that is not there must not pass for one of which there is nothing."""

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
_WITHIN_REACH = """EXISTS (SELECT FROM ({whose}) t (organisation_id, district) LEFT JOIN organisation o ON o.id = t.organisation_id
    WHERE t.district LIKE ANY (CAST(:regions AS text[])) OR o.region_code LIKE ANY (CAST(:regions AS text[]))
       OR o.path LIKE CAST(:branch AS text) OR starts_with(CAST(:own AS text), o.path))"""
_ORGANISATION = "SELECT CAST(:asked AS bigint), CAST(NULL AS text)"
_ORDER = """SELECT unnest(ARRAY[buyer_id, ordering_unit_id]), NULL FROM purchase_order WHERE id = CAST(:asked AS bigint)
    UNION ALL SELECT supplier_id, NULL FROM supplier_order WHERE purchase_order_id = CAST(:asked AS bigint)"""
#: SQL: whose the documents are that lists are asked for, by the parameter: of all parties, since each may read what hangs on them.
_DOCUMENTS = {
    "agreement_id": """SELECT unnest(ARRAY[buyer_id, supplier_id]), NULL FROM agreement WHERE id = CAST(:asked AS bigint)
        UNION ALL SELECT unit_id, NULL FROM delivery_place WHERE agreement_id = CAST(:asked AS bigint)""",
    "case_id": "SELECT supplier_id, district_code FROM certification_case WHERE id = CAST(:asked AS bigint)",
    "delivery_place_id": """SELECT unnest(ARRAY[a.buyer_id, a.supplier_id, p.unit_id]), NULL FROM delivery_place p JOIN agreement a ON a.id = p.agreement_id
        WHERE p.id = CAST(:asked AS bigint)""",
    "invoice_id": "SELECT unnest(ARRAY[seller_id, buyer_id, ordering_unit_id]), NULL FROM invoice WHERE id = CAST(:asked AS bigint)",
    "outlet_id": "SELECT operator_id, region_code FROM outlet WHERE id = CAST(:asked AS bigint)",
    "supplier_order_id": """SELECT unnest(ARRAY[po.buyer_id, po.ordering_unit_id, so.supplier_id]), NULL FROM supplier_order so
        JOIN purchase_order po ON po.id = so.purchase_order_id WHERE so.id = CAST(:asked AS bigint)""",
    **dict.fromkeys(("order_id", "purchase_order_id"), _ORDER),
}
_PRODUCT = "SELECT supplier_id, district_code FROM product WHERE id = CAST(:asked AS bigint)"
_CERTIFIED = "EXISTS (SELECT FROM certificate WHERE product_id = CAST(:asked AS bigint))"
#: SQL: whether something is there that everybody may see who may read the list.
_THERE = "EXISTS (SELECT FROM {table} WHERE id = CAST(:asked AS bigint))"
#: What the parameters of lists name, in every list alike.
NAMED: Mapping[str, str] = {
    **dict.fromkeys(("district", "place", "region", "region_code", "township"), _REGION),
    "programme": _PROGRAMME,
    **dict.fromkeys(
        ("buyer_id", "operator_id", "organisation_id", "party_id", "seller_id", "supplier_id"),
        _WITHIN_REACH.format(whose=_ORGANISATION),
    ),
    **{name: _WITHIN_REACH.format(whose=whose) for name, whose in _DOCUMENTS.items()},
    **{
        name: _THERE.format(table=table)
        for name, table in (
            ("batch_id", "catalogue_batch"),
            ("certificate_id", "certificate"),
            ("plan_id", "check_plan"),
            ("statement_id", "bank_statement"),
        )
    },
    "product_id": f"{_WITHIN_REACH.format(whose=_PRODUCT)} OR {_CERTIFIED}",
}


def found_none(answer: Any) -> bool:
    """Whether an answer is a list, or a page, a table or a file of one, in which nothing stands."""
    return answer == [] or any(getattr(answer, name, None) == [] for name in ("items", "rows"))


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
