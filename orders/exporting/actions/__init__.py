"""The verbs of exports and of schedules."""

from orders.exporting.actions.asking import ask, cancel
from orders.exporting.actions.delivering import finished
from orders.exporting.actions.expiring import expire
from orders.exporting.actions.running import run
from orders.exporting.actions.scheduling import delete, pause, resume, run_due, schedule

__all__ = ["ask", "cancel", "delete", "expire", "finished", "pause", "resume", "run", "run_due", "schedule"]
