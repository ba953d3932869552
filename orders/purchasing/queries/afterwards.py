"""What became of accepted lines of an order afterwards."""

#: SQL: by line of the orders ``:ids`` that was corrected or given back: by how much another quantity was accepted in truth, and how much was given back.
AFTERWARDS = """
    SELECT al.order_line_id, sum(b.accepted - al.accepted_quantity) AS corrected_by, sum(b.returned) AS returned_quantity
    FROM order_line l JOIN acceptance_line al ON al.order_line_id = l.id JOIN acceptance_balance b ON b.acceptance_line_id = al.id
    WHERE l.supplier_order_id = ANY (:ids) GROUP BY al.order_line_id
"""
