"""What a spreadsheet of many products makes."""

from pydantic import BaseModel, Field

from shop.core.sheets import IgnoredColumns

#: As many products as one spreadsheet holds.
MOST_ROWS = 1_000


class DraftRow(BaseModel):
    row: int = Field(description="as a spreadsheet program shows it")
    product_name: str
    product_id: int | None = Field(description="none on a dry run, unless the product is known")
    new_product: bool
    case_id: int | None = Field(description="none on a dry run")


class DraftsOut(BaseModel):
    dry_run: bool
    products_new: int
    products_known: int
    drafts: list[DraftRow]
    ignored_columns: IgnoredColumns
