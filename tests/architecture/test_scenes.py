"""What tests begin with is made twice and copied from then on, and a copy is what was made."""

import threading
from datetime import timedelta

import pytest

from shop.core import clock
from shop.identity.models import Organisation, User
from shop.identity.permissions import Role
from tests.databases import step
from tests.factories.identity import make_organisation, make_user


@pytest.fixture
def tests(fresh, monkeypatch):
    """Begin one test after the other with a scene and a step; what was made, as it was made."""
    made = []

    def scene():
        made.append("scene")
        with fresh.unit_of_work() as session:
            return make_organisation(session, kind="school").id

    def then(school):
        made.append("step")
        with fresh.unit_of_work() as session:
            return make_user(session, Role.PURCHASER, session.get(Organisation, school)).id

    def begin(name, times, before=lambda: None, begun=lambda make: make()):
        for _ in range(times):
            fresh.await_use(monkeypatch)
            before()
            school = fresh.begin_with(f"scene of {name}", scene)
            buyer = begun(lambda school=school: step(fresh, "step", lambda: then(school)))
            with fresh.session() as session:
                assert session.get(User, buyer).organisation_id == session.get(Organisation, school).id
            fresh.vanish()
        return made

    yield begin
    fresh.vanish()


def test_a_scene_and_the_step_after_it_are_made_twice(tests):
    # a step counts when its scene was copied
    assert tests("two", 6) == ["scene", "step", "scene", "step", "step", "step"]


def test_by_another_clock_they_are_others(tests, monkeypatch):
    tests("clocks", 5)
    made = tests("clocks", 1, before=lambda: monkeypatch.setattr(clock, "_shift", timedelta(days=3)))
    assert made[6:] == ["scene", "step"]


def test_who_has_patched_the_program_takes_its_steps_itself(tests, monkeypatch):
    tests("patched", 5)
    made = tests("patched", 1, before=lambda: monkeypatch.setenv("SHOP_OF_THIS_TEST", "1"))
    assert made[6:] == ["step"]


def test_in_a_thread_of_its_own_nothing_is_copied(tests):
    def begun(make):
        found = []
        thread = threading.Thread(target=lambda: found.append(make()))
        thread.start()
        thread.join()
        return found[0]

    tests("threads", 5)
    assert tests("threads", 1, begun=begun)[6:] == ["step"]
