"""The demo's own route: moving the clock. It exists only where ``SHOP_DEMO`` is set, which production refuses."""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shop.core import audit, clock
from shop.core.errors import Forbidden, NotFound
from shop.core.settings import settings
from shop.identity.access import Call, Routes
from shop.identity.permissions import Role

routes = Routes("demo", "/v1/demo")


class ClockMoveIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=1, le=400, description="how many days to go forward")]


class ClockOut(BaseModel):
    now: datetime
    #: The date in Shanghai.
    today: date


@routes.post("/clock", signed_in=True, status=200)
def move_clock(call: Call, body: ClockMoveIn) -> ClockOut:
    """Move the clock of the whole marketplace forward. For the platform's administrator in a demo; tokens that end meanwhile are over."""
    if not settings().demo:
        raise NotFound
    if not call.actor.has_role(Role.PLATFORM_ADMIN):
        raise Forbidden
    step = timedelta(days=body.days)
    now = clock.now() + step
    clock.move_shift(call.session, int(step.total_seconds()))
    audit.record(call.session, call.actor, "clock.moved", "clock", 0, days=body.days)
    return ClockOut(now=now, today=clock.shanghai_date(now))
