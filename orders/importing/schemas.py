"""What callers send and get about uploaded lists."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from orders.importing.rules import Basis, Column, RowKind, RowState, complete
from orders.importing.states import ImportAction, ImportStatus
from orders.purchasing.schemas import MAX_LINES, OrderHeadIn, PurchaseOrderOut, SubstituteOut
from shop.core.errors import BadValue
from shop.core.money import YuanOut
from shop.core.quantities import Id, Name, Quantity, QuantityOut, whole
from shop.core.sheet_reader import MAX_COLUMNS, MAX_ROWS

RowNo = Annotated[int, Field(ge=1, le=MAX_ROWS), whole]


def _enough(columns: dict[Column, int]) -> dict[Column, int]:
    if not complete(columns):
        raise BadValue(
            "须指定数量列，以及产品编码或产品名称列", "name the column of the quantity, and that of the code or the product"
        )
    if len(set(columns.values())) < len(columns):
        raise BadValue("同一列不能有两种含义", "a column tells one thing only")
    return columns


class ColumnsIn(BaseModel):
    """Where the header is, and what its columns are; rows and columns count from 1."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"header_row": 3, "columns": {"product": 3, "quantity": 5}, "save": True}]}
    )

    sheet: Annotated[Name | None, Field(description="the sheet, by its name; default: the one that was read, or the first")] = None
    header_row: RowNo
    columns: Annotated[dict[Column, Annotated[int, Field(ge=1, le=MAX_COLUMNS), whole]], AfterValidator(_enough)]
    save: bool = Field(default=False, description="use this whenever the organisation uploads a list with the same header")


class ColumnOut(BaseModel):
    field: Column
    column: int = Field(description="counted from 1")
    letter: str
    header: str
    basis: Basis = Field(description="why it is taken for this: its header, what was saved before, or what the user said")


class UndecidedOut(BaseModel):
    """Columns that seem to tell the same; none of them is used before the user chooses."""

    field: Column
    columns: list[int]


class SheetOut(BaseModel):
    """A sheet of the workbook that is not hidden."""

    name: str
    rows: int
    header_row: int | None = Field(description="where its header seems to be, counted from 1; null: it has none that is known")


class SampleRow(BaseModel):
    row_no: int
    cells: list[str]


class ImportFault(BaseModel):
    """Why the list could not be read. Set its columns, or upload another."""

    code: str
    message: str


class SameFile(BaseModel):
    """An order that was made from a file of the same content, or a request for one that was not refused."""

    order_import_id: int
    number: str = Field(description="of the order; of the request while there is no order")
    purchase_order_id: int | None
    purchase_request_id: int | None


class OrderImportRow(BaseModel):
    """A list among others."""

    id: int
    name: str
    status: ImportStatus
    buyer_id: int
    buyer_name: str
    organisation_id: int
    uploaded_by: int
    uploaded_at: datetime
    rows_total: int = Field(description="rows below the header; 0 before it was read")
    rows_done: int
    fault: ImportFault | None
    purchase_order_id: int | None
    purchase_request_id: int | None
    version: int


class OrderImportOut(OrderImportRow):
    """One list: how far it is, how it was understood, and what would be ordered."""

    sheet: str | None = Field(description="the sheet that was read; null for CSV. Another is read by setting the columns")
    sheets: list[SheetOut] = Field(description="of a workbook; the first one with a header is read unless another is named")
    header_row: int | None = Field(description="counted from 1")
    headers: list[str]
    unused: list[str] = Field(description="headers of columns that are not read: nothing of them comes into the order")
    columns: list[ColumnOut]
    undecided: list[UndecidedOut]
    sample: list[SampleRow] = Field(description="the first rows as they are")
    counts: dict[RowState, int]
    total: YuanOut = Field(description="of the rows that can be ordered, at the prices of the last check")
    total_grams: int
    same_file: list[SameFile]
    possible_actions: list[ImportAction]


class RowFaultOut(BaseModel):
    """What stands against a row, or what its sender should look at: in which column, why, and what would be possible."""

    code: str
    message: str
    field: Column
    column: str | None = Field(description="the header of that column in the list")
    data: dict[str, Any]


class CandidateOut(BaseModel):
    """A SKU that may be meant."""

    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    district_name: str
    supplier_name: str
    certified: bool


class MatchedSku(BaseModel):
    """The SKU that a row means, at the price of the last check; amount and weight are null while something stands against it."""

    sku_id: int
    sku_code: str
    product_id: int
    product_name: str
    pack: str
    unit: str
    unit_price: YuanOut | None
    amount: YuanOut | None
    grams: int | None


class ListRowOut(BaseModel):
    """One row: as it is written, as it was understood, and what stands against it."""

    row_no: int
    kind: RowKind
    state: RowState
    cells: list[str]
    code: str
    product: str
    district: str
    pack: str
    quantity: QuantityOut | None = Field(description="as it is written, in the unit of the row")
    ordered_quantity: QuantityOut | None = Field(description="in the unit of the SKU: a weight is converted")
    unit: str
    listed_price: YuanOut | None = Field(description="what the list says; it binds nobody")
    note: str
    chosen: bool = Field(description="a user said that this SKU is meant")
    sku: MatchedSku | None
    faults: list[RowFaultOut]
    warnings: list[RowFaultOut]
    candidates: list[CandidateOut]
    substitutes: list[SubstituteOut]


class ChoiceIn(BaseModel):
    """Which SKU a row means; the quantity in its unit where the row tells none, or another."""

    model_config = ConfigDict(extra="forbid")

    sku_id: Id
    quantity: Quantity | None = None


class RowChoiceIn(ChoiceIn):
    row_no: RowNo


def _rows_once(choices: list[RowChoiceIn]) -> list[RowChoiceIn]:
    if len({each.row_no for each in choices}) < len(choices):
        raise BadValue("每行只能选择一次", "each row once")
    return choices


class ChoicesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    choices: Annotated[list[RowChoiceIn], Field(min_length=1, max_length=MAX_LINES), AfterValidator(_rows_once)]


class SkipIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    skipped: bool = True


class ImportOrderIn(OrderHeadIn):
    """The order's head. The buyer is that of the import unless another is named."""

    again: bool = Field(default=False, description="order although the organisation ordered from a file of the same content")
    leave_out_faulty: bool = Field(default=False, description="order the other rows although some cannot be ordered")


class SubmittedOut(BaseModel):
    """What became of it: an order, or a request that waits for approval."""

    purchase_order: PurchaseOrderOut | None
    purchase_request_id: int | None
