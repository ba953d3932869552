"""Reference data that every installation needs before its first request."""

from sqlmodel import Session

from orders.targets import seed as targets
from shop.core import workdays
from shop.programmes import seed as programmes
from shop.regions import seed as regions


def load(session: Session) -> None:
    """Load or refresh regions, programmes with their targets, and working days. Safe to run any number of times."""
    regions.seed(session)
    programmes.seed(session)
    targets.seed(session)
    workdays.seed(session)
