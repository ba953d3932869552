"""The life of a batch."""

from enum import StrEnum

from shop.core.states import StateTable


class BatchLevel(StrEnum):
    NATIONAL = "national"
    CITY = "city"


class BatchStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class BatchMove(StrEnum):
    FILL = "fill"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


BATCH = StateTable(
    "catalogue batch",
    {
        (BatchStatus.DRAFT, BatchMove.FILL): BatchStatus.DRAFT,
        (BatchStatus.DRAFT, BatchMove.PUBLISH): BatchStatus.PUBLISHED,
        (BatchStatus.PUBLISHED, BatchMove.WITHDRAW): BatchStatus.WITHDRAWN,
    },
)


def series(year: int, level: BatchLevel | str) -> str:
    """Batches are counted per year and level."""
    return f"catalogue_batch:{year}:{level}"


def number(year: int, level: BatchLevel | str, count: int) -> str:
    """``2026-03``, the third of the city's catalogue in its year; ``N2026-03`` of the national one."""
    return f"{'N' if level == BatchLevel.NATIONAL else ''}{year}-{count:02}"
