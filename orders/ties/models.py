"""What the daily checks of the figures found."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shop.core.db import moment


class DataCheck(SQLModel, table=True):
    """One check of a day: figures against the lines, and all books against one another."""

    __tablename__ = "data_check"
    __table_args__ = (
        CheckConstraint("cells >= 0 AND differences >= 0", name="counts"),
        CheckConstraint("(finished_at IS NULL) = (differences IS NULL)", name="finished"),
    )

    #: Shanghai date. A day is checked once, whoever is woken for it.
    day: date = Field(primary_key=True)
    started_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)
    seconds: float | None = None
    #: Cells of rollups that were counted again.
    cells: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    #: Those that differ, by rollup; what the reconciliation found, by check; of those that found something.
    differing_cells: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))
    reconciliation: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))
    differences: int | None = None
