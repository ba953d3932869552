"""What callers get of a reconciliation."""

from datetime import datetime

from pydantic import BaseModel, Field


class DifferenceOut(BaseModel):
    subject: str
    expected: str | None
    found: str | None


class FindingOut(BaseModel):
    name: str
    label: str
    count: int | None = Field(description="without it: the time was over")
    #: The first twenty.
    differences: list[DifferenceOut]


class ReconciliationOut(BaseModel):
    differences: int = Field(description="of the checks that came to an end")
    unfinished: int = Field(description="checks that did not end in time; the hourly run (`/v1/reconcile/runs`) tells of them")
    checks: list[FindingOut]


class RunOut(BaseModel):
    """One run: the hourly one, or one that somebody asked for."""

    ran_at: datetime
    seconds: float
    differences: int
    checks: dict[str, int] = Field(description="differences by check, of those that found some")
