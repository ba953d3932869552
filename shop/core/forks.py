"""Memory that a process shares with those that are forked from it."""

import gc

from sqlalchemy.orm import configure_mappers


def ready() -> None:
    """Call it when everything is loaded and before the first fork: what is here now stays shared."""
    # each child would work them out for itself, at its first row
    configure_mappers()
    # a collection in a child would copy every page that it looks at
    gc.collect()
    gc.freeze()
