"""How feeds and webhooks look from outside."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator

from shop.core.errors import BadValue
from shop.core.outward import MAX_URL_LENGTH
from shop.core.quantities import Moment, ShortText, storable, whole
from shop.webhooks import rules


def _known(pattern: str) -> str:
    if pattern not in rules.patterns():
        raise BadValue("没有此类变更，见 GET /v1/change-types", "there is no such type of change; GET /v1/change-types lists them")
    return pattern


TypePattern = Annotated[
    str, StringConstraints(max_length=100), AfterValidator(_known), Field(examples=["supplier_order.confirmed", "shipment.*", "*"])
]
TypePatterns = Annotated[list[TypePattern], Field(min_length=1, max_length=50)]
Url = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_URL_LENGTH),
    AfterValidator(storable),
    Field(examples=["https://erp.example.org/hooks/marketplace"]),
]


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


# --- the feed ------------------------------------------------------------------------------------------------------


class ChangeOut(BaseModel):
    #: The event's id: the `webhook-id` under which endpoints hear of it.
    id: str
    type: str
    #: When it happened.
    created_at: datetime
    #: The own organisation, or the unit below it that it concerns.
    organisation_id: int
    subject_type: str
    subject_id: int
    links: dict[str, str]


class ChangesOut(BaseModel):
    items: list[ChangeOut]
    #: The cursor to go on from, also when there is nothing yet.
    next: str
    #: Whether there is more to read at once.
    more: bool


class ChangeTypeOut(BaseModel):
    type: str
    label: str


class ChangeTypesOut(BaseModel):
    items: list[ChangeTypeOut]


# --- endpoints -----------------------------------------------------------------------------------------------------


class EndpointIn(In):
    url: Url
    description: ShortText | None = None
    types: TypePatterns = ["*"]


class EndpointPatch(In):
    """Only the fields that are sent change."""

    url: Url | None = None
    description: ShortText | None = None
    types: TypePatterns | None = None
    enabled: StrictBool | None = None

    @model_validator(mode="after")
    def _required_stay(self) -> Self:
        for field in ("url", "types", "enabled"):
            if field in self.model_fields_set and getattr(self, field) is None:
                raise BadValue(f"{field} 不能为空", f"{field} cannot be null", field)
        return self


class RotationIn(In):
    #: For how long the secret before signs beside the new one.
    overlap_hours: Annotated[int, Field(ge=0, le=24 * 7), whole] = rules.OVERLAP_HOURS


class EndpointOut(BaseModel):
    id: int
    url: str
    description: str | None
    types: list[str]
    #: enabled, or disabled
    status: str
    #: owner: by hand; gone: it answered 410; failing: nothing got through for three days
    disabled_reason: str | None
    #: Attempts that failed since the last one that did not.
    failures: int
    failing_since: datetime | None
    #: After failures: until when it is left alone. A ping or a replay ends that.
    rest_until: datetime | None
    #: Deliveries that wait, and since when the oldest does.
    pending: int
    pending_since: datetime | None
    #: Until when the secret before signs too.
    previous_until: datetime | None
    created_at: datetime
    version: int


class NewEndpointOut(EndpointOut):
    #: Shown this once.
    secret: str


class SecretOut(BaseModel):
    #: Shown this once.
    secret: str
    previous_until: datetime | None


# --- deliveries ----------------------------------------------------------------------------------------------------


class DeliveryOut(BaseModel):
    id: int
    endpoint_id: int
    event_id: str
    type: str
    #: change, replay, or ping
    kind: str
    #: pending, delivered, failed, or cancelled
    status: str
    attempts: int
    #: When a pending one is tried next.
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    #: From here on: the last attempt.
    attempted_at: datetime | None
    duration_ms: int | None
    request_headers: dict[str, Any] | None
    body_sha256: str | None
    response_status: int | None
    #: The first 1024 bytes of the answer.
    response_text: str | None
    error: str | None


class ReplayIn(In):
    """Which changes to send again: those that happened from ``since`` on and before ``until``."""

    since: Moment
    until: Moment
    #: Leave out what was delivered already.
    only_undelivered: StrictBool = False

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.until <= self.since:
            raise BadValue("until 须晚于 since", "until must be after since", "until")
        return self


class ReplayOut(BaseModel):
    deliveries: int
