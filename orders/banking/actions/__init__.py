"""The verbs of bank statements, lines, payers and files of refunds."""
