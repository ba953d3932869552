"""The demo-only switch that moves the clock."""

from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from pydantic import ValidationError

from shop.app import domain_routes
from shop.core import clock
from shop.core.settings import Settings
from shop.demo.logins import PASSWORD
from tests.factories.identity import make_user

pytestmark = pytest.mark.slow


@pytest.fixture
def admin(demo_server):
    with signed_in(demo_server, "admin") as client:
        yield client


@contextmanager
def signed_in(address, username):
    with httpx.Client(base_url=address, timeout=60) as client:
        form = {"grant_type": "password", "username": username, "password": PASSWORD}
        client.headers["Authorization"] = f"Bearer {client.post('/v1/auth/token', data=form).json()['access_token']}"
        yield client


def test_the_administrator_moves_the_clock_of_everything(admin, demo_database):
    before = clock.today()
    moved = admin.post("/v1/demo/clock", json={"days": 3})
    assert moved.status_code == 200
    assert moved.json()["today"] == (before + timedelta(days=3)).isoformat()
    with demo_database.unit_of_work():  # every transaction reads how far the clock was moved
        assert clock.today() == before + timedelta(days=3)
    assert admin.get("/v1/me").status_code == 401  # the token has ended meanwhile


def test_it_moves_forward_by_whole_days_only(admin):
    before = clock.today()
    for days in (0, -1, 401, "many", 1.5, None):
        assert admin.post("/v1/demo/clock", json={"days": days}).status_code == 422, days
    assert clock.today() == before


def test_nobody_else_moves_it(demo_server):
    with signed_in(demo_server, "city") as client:
        assert client.post("/v1/demo/clock", json={"days": 1}).status_code == 403
        del client.headers["Authorization"]
        assert client.post("/v1/demo/clock", json={"days": 1}).status_code == 401


def test_without_the_setting_there_is_no_such_route(api, database):
    with database.unit_of_work() as session:
        admin = make_user(session, "platform_admin")
    assert api.as_(admin).post("/v1/demo/clock", json={"days": 1}).status_code == 404
    assert "demo" not in {tag for routes in domain_routes() for tag in routes.router.tags}


def test_production_refuses_the_setting():
    assert Settings(environment="development", demo=True).demo
    with pytest.raises(ValidationError, match="production does not start with it"):
        Settings(environment="production", demo=True)
