"""The verbs of sourcing."""
