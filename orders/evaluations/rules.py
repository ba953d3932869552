"""What an evaluation may be, and which ones are low: pure functions and what the statements take of them."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

#: What is rated, each from 1 to 5.
RATED = ("quality", "price", "delivery", "packaging")
#: So long a buyer may change what it said.
CHANGEABLE = timedelta(days=30)
#: As many photos go with one evaluation.
MOST_PHOTOS = 6

#: At this rating or below the quality is low, or on the average all of it; so many low ones within so many days are a signal.
LOW, SIGNAL_RATINGS, SIGNAL_DAYS = 2, 3, 90
#: The same for a row ``e`` of evaluations.
LOW_SQL = f"(e.quality <= {LOW} OR {' + '.join(f'e.{name}' for name in RATED)} <= {LOW * len(RATED)})"


def is_low(quality: int, price: int, delivery: int, packaging: int) -> bool:
    return quality <= LOW or quality + price + delivery + packaging <= LOW * len(RATED)


def is_changeable(rated_at: datetime, now: datetime) -> bool:
    return now < rated_at + CHANGEABLE


def average(total: int, count: int) -> Decimal | None:
    """With two places, rounded half up; None of nothing."""
    return (Decimal(total) / count).quantize(Decimal("0.01"), ROUND_HALF_UP) if count else None
