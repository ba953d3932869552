"""``shop demo`` against a real server."""

import io
import os

import pytest
from rich.console import Console
from sqlalchemy import text

from shop.core import clock
from shop.demo import play
from shop.demo.story import SCENES, Story

pytestmark = pytest.mark.slow

#: `make thorough` plays it twice.
PLAYS = int(os.environ.get("SHOP_PLAYS", "1"))


def played(address):
    told = io.StringIO()
    code = play.run(address, Console(file=told, width=200))
    return code, told.getvalue()


@pytest.mark.slow(seconds=24)
def test_the_whole_story_holds_and_can_be_played_again(demo_server, demo_database):
    for times in range(1, PLAYS + 1):
        code, told = played(demo_server)
        assert code == 0, told
        assert told.count("✓") == len(SCENES)
        with demo_database.session() as session:
            orders = "SELECT count(*) FROM purchase_order WHERE buyer_reference LIKE 'ST-%'"
            assert session.execute(text(orders)).scalar_one() == times
    assert "0 differences" in told


def test_a_month_is_closed_once_and_revised_whenever_the_story_is_told(demo_server, demo_database):
    for _ in range(2):
        with Story(demo_server) as story:
            story.moved_to = clock.now()
            for scene in SCENES[SCENES.index(Story.checklist) : SCENES.index(Story.reconciliation) + 1]:
                scene(story)
    with demo_database.session() as session:
        told = session.execute(text("SELECT count(*), count(DISTINCT month), max(edition) FROM bulletin")).one()
        assert tuple(told) == (5, 2, 2)  # one with a revision that the demo data hold, and one with two revisions


def test_a_scene_that_does_not_hold_fails_the_demo(demo_server, demo_database):
    with demo_database.unit_of_work() as session:
        session.execute(text("UPDATE app_user SET active = false WHERE username = 'county'"))
    code, told = played(demo_server)
    assert code == 1
    assert "✗" in told
    assert "county cannot sign in: 401" in told
    assert "对账" not in told


def test_a_wrong_figure_fails_the_demo(demo_server, monkeypatch):
    from shop.demo.cast import Cast

    # what is ordered and accepted between the two looks at the figures needs nothing more of the scenes before
    looks = [Story.before, Story.spreadsheet, Story.delivery, Story.acceptance, Story.after]
    scenes = [Story.registration, *looks, Story.reconciliation]
    monkeypatch.setattr(play, "SCENES", scenes)
    figures = Cast.figures
    monkeypatch.setattr(
        Cast, "figures", lambda self: {k: (fen + len(self.accepted), grams) for k, (fen, grams) in figures(self).items()}
    )
    code, told = played(demo_server)
    assert code == 1
    assert told.count("✓") == len(scenes) - 2
    assert "in fen and grams: expected" in told


def test_without_the_clock_switch_it_says_what_to_do(api):
    code, told = played(str(api.base_url))
    assert code == 1
    assert "SHOP_DEMO=1" in told


def test_without_a_server_it_says_so():
    code, told = played("http://127.0.0.1:9")
    assert code == 1
    assert "ConnectError" in told
