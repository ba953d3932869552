"""Who sees a request for quotation: the buyer's branch; officers of its region; suppliers who were asked, who answered, or who may.

``q`` is the request and ``buyer`` its buyer in every condition here. A draft is nobody's but the buyer's.
"""

# ruff: noqa: S608  conditions are put together from constants only; every value that a caller gives is bound

from typing import Any

from catalog.certificates.states import in_force_sql
from orders.sourcing.states import status_sql
from shop.core import clock
from shop.identity.actor import Actor
from shop.identity.permissions import Permission, Role

BUYER_SIDE = "coalesce(buyer.path LIKE CAST(:branch AS text), false)"
_OFFICER_SIDE = "(q.published_at IS NOT NULL AND buyer.region_code LIKE ANY (CAST(:regions AS text[])))"


def matches_sql(supplier: str) -> str:
    """SQL: a supplier has a product with a certificate in force that matches the request: one of the SKUs asked for, or of a category asked
    for, from a district asked for. Where the request does not match suppliers, any certified product will do."""
    return (
        f"EXISTS (SELECT FROM certificate c JOIN product p ON p.id = c.product_id AND p.supplier_id = c.supplier_id"
        f" WHERE c.supplier_id = {supplier} AND p.status = 'active' AND {in_force_sql('c')} AND (NOT q.matching"
        " OR EXISTS (SELECT FROM quotation_request_line l JOIN sku s ON s.id = l.sku_id"
        " WHERE l.quotation_request_id = q.id AND s.product_id = p.id)"
        " OR (q.districts = '{}' OR p.district_code = ANY (q.districts)) AND EXISTS (SELECT FROM quotation_request_line l"
        " WHERE l.quotation_request_id = q.id AND (l.category IS NULL OR l.category = p.category))))"
    )


#: SQL: neither unit lies above the other, nor are they one: somebody else's supplier.
UNRELATED = "NOT starts_with(o.path, buyer.path) AND NOT starts_with(buyer.path, o.path)"
#: SQL: ``o`` is a supplier that the request matches.
MATCHING = f"o.status = 'approved' AND {UNRELATED} AND {matches_sql('o.id')}"

_PARTY = (
    "(EXISTS (SELECT FROM quotation_invitation i WHERE i.quotation_request_id = q.id AND i.supplier_id = CAST(:supplier AS bigint))"
    " OR EXISTS (SELECT FROM quotation t WHERE t.quotation_request_id = q.id AND t.supplier_id = CAST(:supplier AS bigint)))"
)
#: A supplier who may answer a published demand.
_MAY_ANSWER = (
    f"(q.kind = 'published' AND EXISTS (SELECT FROM organisation o WHERE o.id = CAST(:supplier AS bigint) AND {MATCHING}))"
)
SUPPLIER_SIDE = f"(q.published_at IS NOT NULL AND q.buyer_id <> coalesce(CAST(:supplier AS bigint), q.buyer_id) AND ({_PARTY} OR {_MAY_ANSWER}))"
#: Whether anybody on either side of the caller sees it, and as what. The buyer's side comes first.
SEEN = f"({BUYER_SIDE} OR {_OFFICER_SIDE} OR {SUPPLIER_SIDE})"
SEEN_AS = f"CASE WHEN {BUYER_SIDE} THEN 'buyer' WHEN {_OFFICER_SIDE} THEN 'officer' ELSE 'supplier' END"
STATUS = status_sql("q")


def reach(actor: Actor) -> dict[str, Any]:
    """The parameters that the conditions above take: how far the caller sees, and the present moment."""
    return {
        "branch": f"{actor.organisation_path}%" if actor.organisation_path else None,
        "regions": actor.region_patterns(Permission.QUOTATION_REQUESTS_READ),
        "supplier": supplier_of(actor),
        **clock.present(),
    }


def supplier_of(actor: Actor) -> int | None:
    """The supplier for which the caller acts."""
    return actor.organisation_id if actor.has_role(Role.SUPPLIER_ADMIN, Role.SUPPLIER_STAFF) else None
