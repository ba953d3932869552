"""Signing in, going on, signing out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from shop.core import clock
from shop.core.settings import settings
from shop.identity.actions import sign_in
from tests.factories.identity import PASSWORD, make_organisation, make_user


@pytest.fixture
def somebody(database):
    with database.unit_of_work() as session:
        return make_user(session, "purchaser", make_organisation(session), username="somebody")


def ask(api, **form):
    return api.post("/v1/auth/token", data=form)


def by_password(api, username="somebody", password=PASSWORD):
    return ask(api, grant_type="password", username=username, password=password)


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def test_a_password_gives_a_token_that_works(api, somebody):
    answer = by_password(api)
    assert answer.status_code == 200
    tokens = answer.json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == settings().access_token_minutes * 60
    assert answer.headers["cache-control"] == "no-store"
    me = api.get("/v1/me", headers=bearer(tokens)).json()
    assert me["user"]["username"] == "somebody"
    assert me["user"]["roles"] == [{"role": "purchaser", "region_code": None}]
    assert "orders:place" in me["permissions"]
    assert me["organisation"]["id"] == somebody.organisation_id


def test_wrong_name_and_wrong_password_are_told_alike(api, somebody):
    wrong = [
        by_password(api, password="not the password"),
        by_password(api, username="nobody"),
        by_password(api, username="no\x00body"),
    ]
    for answer in wrong:
        assert answer.status_code == 401
        assert answer.json()["code"] == "invalid_credentials"
        assert answer.headers["www-authenticate"] == "Bearer"
    assert len({answer.json()["title"] for answer in wrong}) == 1


def test_a_weak_hash_is_renewed_at_sign_in(api, database, somebody):
    by_password(api)
    with database.unit_of_work() as session:
        kept = session.execute(text("SELECT password_hash FROM app_user WHERE id = :id"), {"id": somebody.id}).scalar_one()
    assert kept != somebody.password_hash
    assert sign_in.passwords.verify(PASSWORD, kept)
    assert by_password(api).status_code == 200


def test_secrets_are_not_kept_in_clear(api, database, somebody):
    tokens = by_password(api).json()
    with database.unit_of_work() as session:
        everything = str(session.execute(text("SELECT hash FROM token")).all()) + str(
            session.execute(text("SELECT * FROM audit_event")).all()
        )
    for secret in (tokens["access_token"], tokens["refresh_token"], PASSWORD):
        assert secret not in everything


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "implicit"},
        {"grant_type": "password", "username": "somebody"},
        {"grant_type": "refresh_token"},
        {"grant_type": "password", "username": "x" * 300, "password": "y"},
    ],
)
def test_an_incomplete_form_is_refused(api, form):
    assert ask(api, **form).status_code == 422


def test_a_refresh_token_works_once_and_its_second_use_ends_the_sign_in(api, somebody):
    first = by_password(api).json()
    second = ask(api, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert api.get("/v1/me", headers=bearer(second)).status_code == 200

    again = ask(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert again.status_code == 401
    assert again.json()["code"] == "invalid_credentials"
    for tokens in (first, second):
        assert api.get("/v1/me", headers=bearer(tokens)).status_code == 401
    assert ask(api, grant_type="refresh_token", refresh_token=second["refresh_token"]).status_code == 401


def test_of_parallel_refreshes_one_wins_and_the_sign_in_ends(api, somebody):
    first = by_password(api).json()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(api, grant_type="refresh_token", refresh_token=first["refresh_token"]), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_an_access_token_cannot_refresh(api, somebody):
    tokens = by_password(api).json()
    assert ask(api, grant_type="refresh_token", refresh_token=tokens["access_token"]).status_code == 401
    assert api.get("/v1/me", headers={"Authorization": f"Bearer {tokens['refresh_token']}"}).status_code == 401


def test_tokens_end_by_themselves(api, somebody):
    started = clock.now()
    tokens = by_password(api).json()
    with clock.fixed(started + timedelta(minutes=settings().access_token_minutes, seconds=1)):
        assert api.get("/v1/me", headers=bearer(tokens)).status_code == 401
        renewed = ask(api, grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
        assert api.get("/v1/me", headers=bearer(renewed)).status_code == 200
    with clock.fixed(started + timedelta(hours=settings().refresh_token_hours, seconds=5)):
        # refreshing does not make the sign-in itself longer
        assert ask(api, grant_type="refresh_token", refresh_token=renewed["refresh_token"]).status_code == 401


def test_signing_out_ends_this_sign_in_only(api, somebody):
    one, other = by_password(api).json(), by_password(api).json()
    assert api.post("/v1/auth/revoke", headers=bearer(one)).status_code == 204
    assert api.get("/v1/me", headers=bearer(one)).status_code == 401
    assert ask(api, grant_type="refresh_token", refresh_token=one["refresh_token"]).status_code == 401
    assert api.get("/v1/me", headers=bearer(other)).status_code == 200


def test_a_new_password_ends_the_other_sign_ins(api, somebody):
    here, elsewhere = by_password(api).json(), by_password(api).json()
    new = "a much longer secret"
    wrong = api.post("/v1/me/password", json={"current_password": "guess", "new_password": new}, headers=bearer(here))
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["code"] == "wrong_password"
    surrogate = b'{"current_password": "\\ud800", "new_password": "0123456789"}'
    json_type = {"Content-Type": "application/json"}
    assert api.post("/v1/me/password", content=surrogate, headers=bearer(here) | json_type).status_code == 422
    done = api.post("/v1/me/password", json={"current_password": PASSWORD, "new_password": new}, headers=bearer(here))
    assert done.status_code == 204
    assert api.get("/v1/me", headers=bearer(here)).status_code == 200
    assert api.get("/v1/me", headers=bearer(elsewhere)).status_code == 401
    assert by_password(api).status_code == 401
    assert by_password(api, password=new).status_code == 200


def test_guessing_one_name_is_slowed_down(api, somebody):
    answers = [by_password(api, password=f"guess {n}") for n in range(settings().sign_in_rate_per_minute + 1)]
    assert [answer.status_code for answer in answers[:-1]] == [401] * settings().sign_in_rate_per_minute
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    # the right password does not get through either, another name does
    assert by_password(api).status_code == 429
    assert by_password(api, username="nobody").status_code == 401


def test_old_tokens_are_swept(api, database, somebody):
    by_password(api)
    with database.unit_of_work() as session:
        assert sign_in.forget_ended(session) == 0
    with clock.fixed(clock.now() + timedelta(days=3)), database.unit_of_work() as session:
        assert sign_in.forget_ended(session) == 2
