"""How notifications look from outside."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class NotificationOut(BaseModel):
    id: int
    kind: str
    #: The sentence in the caller's language.
    text: str
    subject_type: str
    subject_id: int
    data: dict[str, Any]
    at: datetime
    read_at: datetime | None
