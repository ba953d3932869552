"""What callers get of a reconciliation."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class DifferenceOut(BaseModel):
    subject: str
    expected: str | None
    found: str | None


class FindingOut(BaseModel):
    name: str
    label: str
    count: int
    #: The first twenty.
    differences: list[DifferenceOut]


class ReconciliationOut(BaseModel):
    """What the last run found."""

    ran_at: datetime | None = Field(
        description="when it ended: what was booked since is not in it; null: there was none yet, and nothing is proved"
    )
    seconds: float | None = Field(description="how long it took")
    differences: int | None
    runs: str = Field(description="where runs in the background are asked for (POST), and what they found is listed (GET)")
    checks: list[FindingOut]


class RunOut(BaseModel):
    """One run: the hourly one, or one that somebody asked for."""

    ran_at: datetime
    seconds: float
    differences: int
    checks: dict[str, int] = Field(description="differences by check, of those that found some")


class AskedOut(BaseModel):
    """A run that somebody asked for, and how far it is."""

    id: int
    status: Literal["waiting", "running", "done", "failed"]
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    checks_done: int
    checks: int = Field(description="how many there are in all")
    run: RunOut | None = Field(description="what it found, once it is done: by that a month's close goes")
