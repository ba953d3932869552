"""What is read of bank statements, lines, payers and files of refunds."""
