"""Starts the whole shop on one machine: embedded PostgreSQL and Valkey, and the processes that use them."""
