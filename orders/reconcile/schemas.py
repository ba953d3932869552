"""What callers get of a reconciliation."""

from pydantic import BaseModel


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
    differences: int
    checks: list[FindingOut]
