"""The people of the demo's story, who use the marketplace over HTTP like anybody else."""

import secrets
import time
from typing import Any

import httpx

#: A limit on requests or an overloaded moment asks to wait; the story waits this long at most for one answer.
PATIENCE_SECONDS = 120
_COME_BACK_LATER = (429, 503)


class Surprise(Exception):
    """The marketplace answered something else than the story needs."""


class Visitor:
    """Somebody with a browser; with a user name, somebody who signs in when needed; with a key, a machine."""

    def __init__(self, base_url: str, username: str = "", password: str = "", *, key: str = "") -> None:
        self.username = username or "visitor"
        signed = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=base_url, timeout=120, headers={"Accept-Language": "en", **signed})
        self._credentials = {"grant_type": "password", "username": username, "password": password} if username else None

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, 200, params=query)

    def post(self, path: str, expect: int = 201, **content: Any) -> Any:
        """POST ``json=`` or ``files=``/``data=``; every request gets an Idempotency-Key, so that a repeated one has no second effect."""
        return self.ask("POST", path, expect, headers={"Idempotency-Key": secrets.token_hex(16)}, **content)

    def download(self, path: str) -> bytes:
        """The bytes of a file. Raises as :meth:`ask`."""
        return self._answer("GET", path, 200).content

    def ask(self, method: str, path: str, expect: int, **content: Any) -> Any:
        """The answer's JSON.

        Raises:
            Surprise: another status than ``expect``; says who asked what and what was answered.
        """
        answer = self._answer(method, path, expect, **content)
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, expect: int, **content: Any) -> httpx.Response:
        if self._credentials and "Authorization" not in self._http.headers:
            self._sign_in()
        answer = self._patiently(method, path, **content)
        if answer.status_code == 401 and self._credentials and expect != 401:
            self._sign_in()  # the demo moves the clock, and tokens end with their time
            answer = self._patiently(method, path, **content)
        if answer.status_code != expect:
            raise Surprise(f"{self.username}: {method} {path}: expected {expect}, got {answer.status_code}: {answer.text:.2000}")
        return answer

    def _sign_in(self) -> None:
        answer = self._patiently("POST", "/v1/auth/token", data=self._credentials)
        if answer.status_code != 200:
            raise Surprise(f"{self.username} cannot sign in: {answer.status_code}: {answer.text:.2000}")
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _patiently(self, method: str, path: str, **content: Any) -> httpx.Response:
        """One request, sent again with the same key for as long as the server asks to come back later."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, path, **content)
            except httpx.TransportError as error:
                raise Surprise(f"{self.username}: {method} {path}: {type(error).__name__}: {error}") from error
            if answer.status_code not in _COME_BACK_LATER or time.monotonic() > give_up:
                return answer
            time.sleep(min(float(answer.headers.get("Retry-After", "1")), 15))
