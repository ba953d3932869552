from types import SimpleNamespace

import pytest
from sqlalchemy import text

from shop.core import clock, outbox
from shop.notifications.actions import notify
from shop.notifications.handlers import HANDLERS
from tests.factories.identity import make_supplier, make_user
from tests.factories.mail import smtp_server


@pytest.fixture
def smtp():
    with smtp_server() as server:
        yield server


class Post:
    """A supplier whose people have addresses, and what the database says of their mails."""

    def __init__(self, database):
        self.database = database
        with database.unit_of_work() as session:
            self.supplier = make_supplier(session, "500236")

    def person(self, email, role="supplier_staff", language="zh", organisation=True, region_code=None):
        with self.database.unit_of_work() as session:
            user = make_user(session, role, self.supplier if organisation else None, region_code)
            user.email, user.language = email, language
            session.add(user)
            return user

    def tell(self, count=1, **changes):
        """Make notifications and the mails that follow from them."""
        with self.database.unit_of_work() as session:
            for n in range(count):
                message = {
                    "origin": f"purchase_order.placed:{clock.now()}:{n}",
                    "kind": "purchase_order.placed",
                    "subject_type": "supplier_order",
                    "subject_id": n + 1,
                    "number": f"PO{n + 1}",
                }
                if "region_code" not in changes:
                    message["organisation_id"] = self.supplier.id
                notify(session, **(message | changes))
        outbox.drain(self.database, HANDLERS)

    def mails(self):
        with self.database.unit_of_work() as session:
            rows = session.execute(
                text("SELECT m.*, u.email FROM notification_mail m JOIN app_user u ON u.id = m.user_id ORDER BY m.id")
            )
            return [SimpleNamespace(**row) for row in rows.mappings()]


@pytest.fixture
def post(database):
    return Post(database)
