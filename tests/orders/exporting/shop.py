"""Words that these tests share."""

from datetime import date

from shop.core import outbox
from workers.handlers import HANDLERS

FIRST, LAST = date(2026, 1, 5), date(2026, 4, 20)
SPAN = {"from": str(FIRST), "to": str(LAST)}


def asked(client, kind, format="csv", **parameters):
    answer = client.post("/v1/exports", json={"kind": kind, "format": format, "parameters": parameters})
    assert answer.status_code == 202, answer.text
    return answer.json()


def made(client, kind, format="csv", **parameters):
    """An export that the workers made."""
    export = asked(client, kind, format, **parameters)
    outbox.drain(client.database, HANDLERS)
    export = client.get(f"/v1/exports/{export['id']}").json()
    assert export["status"] == "done", export
    return export


def content(client, export):
    answer = client.get(export["file"])
    assert answer.status_code == 200, answer.text
    return answer.content
