"""What callers send and get about batches."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from catalog.batches.states import BatchLevel, BatchMove, BatchStatus
from catalog.certificates.schemas import PeopleOut
from catalog.certificates.states import CertificateState
from catalog.products.rules import Category
from shop.core.paging import Page
from shop.core.quantities import Id, Name, ShortText, each_once

#: As many cases as are put into a batch in one request.
MOST_CASES = 5_000

CaseIds = Annotated[list[Id], Field(max_length=MOST_CASES, description="filed cases, by their ids"), AfterValidator(each_once)]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BatchIn(In):
    level: BatchLevel
    title: Name
    case_ids: CaseIds = []


class CasesIn(In):
    case_ids: Annotated[CaseIds, Field(min_length=1)]


class WithdrawalIn(In):
    reason: ShortText


class BatchOut(BaseModel):
    id: int
    number: str | None = Field(description="given when it is published")
    level: BatchLevel
    level_label: str
    title: str
    status: BatchStatus
    cases: int = Field(description="cases gathered in it, or certificates that it published")
    created_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    reason: str | None = Field(description="why it was withdrawn")
    version: int
    possible_actions: list[BatchMove]


class PublicBatchRow(BaseModel):
    number: str
    level: BatchLevel
    level_label: str
    title: str
    status: BatchStatus
    certificates: int
    published_on: date
    withdrawn_on: date | None


class ListedOut(PeopleOut):
    """One line of the published list."""

    number: str
    product_name: str
    supplier_name: str
    supplier_uscc: str
    district_code: str
    district_name: str
    township_name: str | None
    category: Category
    category_label: str
    annual_capacity_kg: int | None
    valid_from: date
    valid_until: date
    state: CertificateState
    state_label: str


class PublicBatchOut(Page[ListedOut]):
    batch: PublicBatchRow
