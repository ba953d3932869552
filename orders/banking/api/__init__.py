"""Bank statements and what they are matched with, over HTTP."""
