"""The verbs of uploaded lists."""

from orders.importing.actions.checking import check, check_again, refresh
from orders.importing.actions.choosing import choose, skip
from orders.importing.actions.forgetting import forget_old
from orders.importing.actions.ordering import order
from orders.importing.actions.reading import read
from orders.importing.actions.uploading import set_columns, upload

__all__ = ["check", "check_again", "choose", "forget_old", "order", "read", "refresh", "set_columns", "skip", "upload"]
