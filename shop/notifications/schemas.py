"""How notifications look from outside."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NotificationOut(BaseModel):
    id: int
    kind: str
    #: The sentence in the caller's language.
    text: str
    subject_type: str
    subject_id: int
    data: dict[str, Any]
    at: datetime
    #: When the caller read it.
    read_at: datetime | None


class UnreadOut(BaseModel):
    unread: int


class AllReadOut(BaseModel):
    #: How many were unread until now.
    read: int


class PreferenceIn(In):
    """What is not sent stays as it is."""

    inbox: StrictBool = True
    email: StrictBool = True


class PreferencesIn(In):
    kinds: Annotated[dict[Annotated[str, StringConstraints(max_length=100)], PreferenceIn], Field(max_length=200)]


class PreferenceOut(BaseModel):
    kind: str
    #: The sentence of the kind, with dots for what differs from one to the next.
    label: str
    inbox: bool
    email: bool


class PreferencesOut(BaseModel):
    kinds: list[PreferenceOut]
