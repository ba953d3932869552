"""The verbs of purchase requests."""

from orders.requests.actions.covering import require_cover
from orders.requests.actions.deciding import decide, order, withdraw
from orders.requests.actions.filing import attach, detach
from orders.requests.actions.resubmitting import resubmit
from orders.requests.actions.submitting import Submitted, submit

__all__ = ["Submitted", "attach", "decide", "detach", "order", "require_cover", "resubmit", "submit", "withdraw"]
