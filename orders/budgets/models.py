"""What a unit may spend in a year from one fund, and who has drawn on it."""

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import fen, key, ref


class Budget(SQLModel, table=True):
    """The limit of one unit, year and fund source. What is reserved and consumed is the sum of its draws; the database refuses to pass the
    limit, whoever comes at once."""

    __tablename__ = "budget"
    __table_args__ = (
        CheckConstraint("fund_source IN ('canteen','union','welfare','other')", name="fund_source"),
        CheckConstraint("year BETWEEN 2000 AND 2100", name="year"),
        CheckConstraint("reserved_fen >= 0 AND consumed_fen >= 0", name="drawn"),
        CheckConstraint("reserved_fen + consumed_fen <= limit_fen", name="limit"),
        UniqueConstraint("organisation_id", "year", "fund_source"),
    )

    id: int = key()
    organisation_id: int = ref("organisation.id")
    #: Shanghai year in which orders are placed.
    year: int
    fund_source: str
    limit_fen: int = fen()
    #: The unit whose people set the limit last: nobody below it does.
    set_by_id: int = ref("organisation.id")
    #: For what was ordered and is not accepted yet, and for requests that wait.
    reserved_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    #: For what was accepted and not given back.
    consumed_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class BudgetDraw(SQLModel, table=True):
    """What one order, or one request that waits for approval, takes of a budget."""

    __tablename__ = "budget_draw"
    __table_args__ = (
        CheckConstraint("holder_kind IN ('purchase_request','purchase_order')", name="holder_kind"),
        CheckConstraint("reserved_fen >= 0 AND consumed_fen >= 0", name="amounts"),
        UniqueConstraint("holder_kind", "holder_id"),
        Index(None, "budget_id", "id"),
    )

    id: int = key()
    budget_id: int = ref("budget.id")
    holder_kind: str
    holder_id: int = Field(sa_type=BigInteger)
    reserved_fen: int = fen()
    consumed_fen: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
