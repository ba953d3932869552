"""Two officers at once, and many certificates at once; with the proof that the guards are what keeps them right."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from catalog.certification.actions import cases, reviewing
from shop.core import numbers
from shop.core.errors import Problem
from shop.identity import tokens
from shop.identity.permissions import Role
from tests.catalog.certification.test_many_at_once import unlocked
from tests.factories.catalog import make_product
from tests.factories.certification import make_case
from tests.factories.identity import access_token, make_supplier, make_user

AT_ONCE = 8


def waiting_cases(database, many):
    """Cases at the city's review, after which their certificates follow at once; each of a product of its own."""
    with database.unit_of_work() as session:
        supplier = make_supplier(session, "500236")
        ids = [make_case(session, make_product(session, supplier, certified=False).product_id, "city_review") for _ in range(many)]
        unfiled = text(
            "UPDATE certification_case SET steps = jsonb_path_query_array(steps, '$[*] ? (@.step != \"filing\")') WHERE id = ANY (:ids)"
        )
        session.execute(unfiled, {"ids": ids})
        return ids


def officers(database, many):
    """Officers of the city, as the actions know them."""
    with database.unit_of_work() as session:
        users = [make_user(session, Role.CITY_OFFICER) for _ in range(many)]
        return [tokens.actor_of(session, token=access_token(session, user), api_key=None) for user in users]


def at_once(database, acts):
    """Do each act on a connection of its own, all of them starting together; returns the code of each refusal, or None."""
    start = threading.Barrier(len(acts))

    def run(act):
        start.wait()
        try:
            with database.unit_of_work() as session:
                act(session)
        except Problem as refusal:
            return refusal.code
        except (IntegrityError, RuntimeError) as error:
            return type(error).__name__
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def certifying(actors, case_ids):
    return [
        lambda session, a=actor, c=case_id: reviewing.approve(session, a, c)
        for actor, case_id in zip(actors, case_ids, strict=True)
    ]


def certificates(database):
    with database.unit_of_work() as session:
        return list(session.execute(text("SELECT number FROM certificate ORDER BY number")).scalars())


def test_of_many_who_certify_one_case_one_wins(database):
    [case_id] = waiting_cases(database, 1)
    results = at_once(database, certifying(officers(database, AT_ONCE), [case_id] * AT_ONCE))
    assert (results.count(None), results.count("illegal_move")) == (1, AT_ONCE - 1)
    assert len(certificates(database)) == 1


def test_of_certify_and_reject_only_one_happens(database):
    for case_id in waiting_cases(database, 5):
        one, other = officers(database, 2)
        results = at_once(
            database,
            [
                lambda s, a=one, c=case_id: reviewing.approve(s, a, c),
                lambda s, a=other, c=case_id: reviewing.reject(s, a, c, "x"),
            ],
        )
        assert sorted(map(str, results)) == ["None", "illegal_move"]
        with database.unit_of_work() as session:
            steps = session.execute(
                text("SELECT count(*) FROM certification_step WHERE case_id = :id"), {"id": case_id}
            ).scalar_one()
        assert steps == 1


@pytest.mark.control
def test_without_the_lock_one_case_gets_several_certificates(database, monkeypatch):
    """The control: when this fails, the tests above prove nothing."""
    [case_id] = waiting_cases(database, 1)
    read = threading.Barrier(AT_ONCE)
    with database.unit_of_work() as session:  # the database's own guard would still let only one through
        session.execute(text("ALTER TABLE certificate DROP CONSTRAINT uq_certificate_case_id"))

    monkeypatch.setattr(cases, "locked_each", unlocked(read))
    results = at_once(database, certifying(officers(database, AT_ONCE), [case_id] * AT_ONCE))
    assert results.count(None) > 1
    assert len(certificates(database)) == results.count(None)


@pytest.mark.parametrize("failing", [False, True])
def test_certificates_at_once_are_numbered_without_gaps(database, failing):
    many = 16
    acts = certifying(officers(database, many), waiting_cases(database, many))
    if failing:  # every second one fails after it has taken its number, and must give it back

        def broken(act):
            def run(session):
                act(session)
                raise RuntimeError

            return run

        acts = [broken(act) if n % 2 else act for n, act in enumerate(acts)]
    issued = at_once(database, acts).count(None)
    assert issued == (many // 2 if failing else many)
    assert [int(number[-6:]) for number in certificates(database)] == list(range(1, issued + 1))


@pytest.mark.control
def test_without_the_row_of_the_series_numbers_collide(database, monkeypatch):
    """The control: counting what is there gives two certificates the same number."""
    many = 8
    counted = threading.Barrier(many)

    def counting(session, series, count):
        last = session.execute(text("SELECT count(*) FROM certificate")).scalar_one()
        counted.wait(30)
        return range(last + 1, last + 1 + count)

    monkeypatch.setattr(numbers, "next_numbers", counting)
    results = at_once(database, certifying(officers(database, many), waiting_cases(database, many)))
    assert results.count("IntegrityError") == many - 1
