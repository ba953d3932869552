"""Who sees what of the money of suppliers: those of the supplier's branch, and who keeps the money of its region."""

#: SQL: supplier ``o`` is within reach, by the parameters of :func:`orders.money.queries.reach.reach`.
IN_REACH = "(o.path LIKE CAST(:branch AS text) OR o.region_code LIKE ANY (CAST(:regions AS text[])))"
