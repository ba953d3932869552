"""Reading the feed as a customer's system does."""

from shop.core import outbox
from shop.webhooks.actions import feed
from workers.handlers import HANDLERS


def happened(database):
    """Everything told that is waiting to be told."""
    outbox.drain(database, HANDLERS)
    with database.unit_of_work() as session:
        feed.put_in_order(session)


def told(client, **filters):
    return [(c["type"], c["subject_type"]) for c in changes(client, **filters)]


def changes(client, **filters):
    answer = client.get("/v1/changes", params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def path_of(change):
    """Where the subject of a change is read."""
    return change["links"]["subject"].removeprefix("http://127.0.0.1:8000")
