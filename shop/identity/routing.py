"""How a request finds its route, and what a path is told to take where none takes the method."""

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send


class Route(APIRoute):
    """Looks at the beginning of the path before anything else: a request is none of the business of nearly all of 400 routes."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._beginning = path.partition("{")[0]
        #: Answers HEAD, too: as it would GET, without the body.
        self.head = False

    @property
    def taken(self) -> set[str]:
        """The methods that it answers."""
        return {*(self.methods or ()), *(["HEAD"] if self.head else [])}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginning) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Also asked where the path fits and the method does not, and no other route takes both."""
        if scope["method"] not in self.taken:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(_methods_at(scope)))})
        await self.app(scope, receive, send)


def _methods_at(scope: Scope) -> set[str]:
    """The methods of all routes that a path fits."""
    found: set[str] = set()
    for route in scope["app"].routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            found |= route.taken
    return found


def operation_id(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
