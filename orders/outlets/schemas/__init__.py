"""What callers send and get about outlets."""
