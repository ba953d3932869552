"""The verbs of sales made elsewhere."""
