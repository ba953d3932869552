"""The documents that lists are asked for by their ids, beside regions, programmes and organisations."""

from shop.identity.asked import NAMED, WITHIN_REACH

_ORDER = """SELECT unnest(ARRAY[buyer_id, ordering_unit_id]), NULL FROM purchase_order WHERE id = CAST(:asked AS bigint)
    UNION ALL SELECT supplier_id, NULL FROM supplier_order WHERE purchase_order_id = CAST(:asked AS bigint)"""
#: SQL: whose the documents are that lists are asked for, by the parameter: of all parties, since each may read what hangs on them.
_WHOSE = {
    "agreement_id": """SELECT unnest(ARRAY[buyer_id, supplier_id]), NULL FROM agreement WHERE id = CAST(:asked AS bigint)
        UNION ALL SELECT unit_id, NULL FROM delivery_place WHERE agreement_id = CAST(:asked AS bigint)""",
    "case_id": "SELECT supplier_id, district_code FROM certification_case WHERE id = CAST(:asked AS bigint)",
    "delivery_place_id": """SELECT unnest(ARRAY[a.buyer_id, a.supplier_id, p.unit_id]), NULL FROM delivery_place p JOIN agreement a ON a.id = p.agreement_id
        WHERE p.id = CAST(:asked AS bigint)""",
    "event_id": "SELECT organisation_id, NULL FROM change WHERE event_id = :asked",
    "invoice_id": "SELECT unnest(ARRAY[seller_id, buyer_id, ordering_unit_id]), NULL FROM invoice WHERE id = CAST(:asked AS bigint)",
    "outlet_id": "SELECT operator_id, region_code FROM outlet WHERE id = CAST(:asked AS bigint)",
    "supplier_order_id": """SELECT unnest(ARRAY[po.buyer_id, po.ordering_unit_id, so.supplier_id]), NULL FROM supplier_order so
        JOIN purchase_order po ON po.id = so.purchase_order_id WHERE so.id = CAST(:asked AS bigint)""",
    **dict.fromkeys(("order_id", "purchase_order_id"), _ORDER),
}
#: SQL: whose a product is, and whether everybody may see it.
_PRODUCT = "SELECT supplier_id, district_code FROM product WHERE id = CAST(:asked AS bigint)"
_CERTIFIED = "EXISTS (SELECT FROM certificate WHERE product_id = CAST(:asked AS bigint))"
#: The tables of what everybody may see who may read the list.
_OF_ALL = {
    "batch_id": "catalogue_batch",
    "certificate_id": "certificate",
    "plan_id": "check_plan",
    "statement_id": "bank_statement",
}

NAMED.update({name: WITHIN_REACH.format(whose=whose) for name, whose in _WHOSE.items()})
NAMED.update({name: f"EXISTS (SELECT FROM {table} WHERE id = CAST(:asked AS bigint))" for name, table in _OF_ALL.items()})
NAMED["product_id"] = f"{WITHIN_REACH.format(whose=_PRODUCT)} OR {_CERTIFIED}"
