"""Reads of requests, quotations, comparisons and awards, each within the reach of who asks."""
