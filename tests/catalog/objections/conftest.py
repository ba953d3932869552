"""The office of certification, and notices of its supplier's products."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from shop.core import outbox
from tests.catalog.conftest import Office
from tests.catalog.conftest import office as office  # a fixture
from workers.handlers import HANDLERS

MONDAY = date(2026, 11, 23)
#: The notices of these tests run from that Monday to the Monday after it.
LAST_DAY, OVER = date(2026, 11, 30), date(2026, 12, 1)

#: Who objects: to be found nowhere but sealed.
CONTACT = {"name": "冉隐名", "phone": "13912345678", "email": "hidden.villager@example.org"}
WORDS = "听说原料来自外地，请核实产地。"


@dataclass
class Square:
    """Where notices hang: the public, and the office that answers it."""

    office: Office

    def notice(self, **details: Any) -> int:
        return self.office.case("public_notice", **{"notice_from": MONDAY, "notice_until": OVER, **details})

    def object(self, case_id: int, **changes: Any) -> Any:
        body = {**CONTACT, "text": WORDS, **changes}
        return self.office.api.post(f"/v1/public/notices/{case_id}/objections", json=body)

    def objection(self, case_id: int | None = None) -> tuple[int, str]:
        """One that was raised; its id and its receipt."""
        answer = self.object(case_id or self.notice())
        assert answer.status_code == 201, answer.text
        receipt = answer.json()["receipt"]
        return self.office.count("SELECT id FROM objection WHERE receipt = :receipt", receipt=receipt), receipt

    def follow(self, receipt: str) -> Any:
        return self.office.api.get(f"/v1/public/objections/{receipt}")

    def do(self, who: str, objection_id: int, action: str, **body: Any) -> Any:
        body = body or ({} if action == "investigate" else {"findings": "现场核对采摘记录", "answer": "经核查，产品为本村所产。"})
        return self.office.as_(who).post(f"/v1/objections/{objection_id}/{action}", json=body)

    def read(self, who: str, objection_id: int) -> Any:
        return self.office.as_(who).get(f"/v1/objections/{objection_id}")

    def found(self, who: str, **filters: Any) -> list[int]:
        answer = self.office.as_(who).get("/v1/objections", params=filters)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["items"]]

    def drain(self) -> None:
        outbox.drain(self.office.database, HANDLERS)


@pytest.fixture
def square(office: Office) -> Square:
    return Square(office)


def code(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("code")


def everything(database: Any) -> str:
    """All that the tables hold, as text; bytes as hexadecimal."""
    with database.unit_of_work() as session:
        names = session.execute(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        ).scalars()
        return "\n".join(
            str(row) for name in names.all() for row in session.execute(text(f'SELECT t::text FROM "{name}" t')).scalars()
        )


def leaked(where: str, contact: dict[str, str] = CONTACT) -> list[str]:
    """What of a contact stands somewhere in the clear, or as plain bytes."""
    return [
        value
        for value in contact.values()
        if value in where or value.encode().hex() in where or value.encode("unicode_escape").decode() in where
    ]


def canary() -> dict[str, str]:
    """A contact that nobody else has."""
    tag = secrets.token_hex(4)
    return {"name": f"冉隐名{tag}", "phone": f"139{secrets.randbelow(10**8):08d}", "email": f"hidden.{tag}@example.org"}
