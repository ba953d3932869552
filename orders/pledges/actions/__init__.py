"""The verbs of pledges."""
