"""What callers send and get about statements, lines, payers and files of refunds."""
