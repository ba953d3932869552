"""What counts is the programme in force on a date."""

import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shop.programmes import queries, seed
from shop.programmes.errors import NoProgramme
from shop.programmes.rules import Channel, Mode, Relation, merged
from shop.programmes.schemas import ProgrammeConfig
from tests.factories.identity import signed_in


@pytest.fixture
def reader(api):
    return signed_in(api, "monitor")


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("2020-02-15", None),
        ("2020-02-16", "chongqing-2020"),
        ("2021-04-30", "chongqing-2020"),
        ("2021-05-01", "chongqing-2021"),
        ("2050-01-01", "chongqing-2021"),
    ],
)
def test_one_programme_is_in_force(reader, database, day, code):
    answer = reader.get("/v1/programmes/current", params={"on": day})
    with database.unit_of_work() as session:
        if code is None:
            assert (answer.status_code, answer.json()["code"]) == (404, "no_programme")
            for ask in (queries.in_force, queries.config_of):
                with pytest.raises(NoProgramme):
                    ask(session, date.fromisoformat(day))
        else:
            assert answer.json()["code"] == code
            assert queries.in_force(session, date.fromisoformat(day)).code == code
            assert queries.config_of(session, date.fromisoformat(day)).code == code


def test_the_rules_of_both_programmes(reader):
    listed = reader.get("/v1/programmes").json()
    assert [(row["code"], row["in_force"]) for row in listed] == [("chongqing-2020", False), ("chongqing-2021", True)]
    for row in listed:
        rules = reader.get(f"/v1/programmes/{row['code']}").json()
        certification = rules["certification"]
        assert (certification["public_notice_working_days"], certification["validity_months"]) == (5, 36)
        assert certification["eligible_designation"] == "poverty_task"
        assert certification["pipelines"]["change"] == ["county_review", "city_review"]
        assert certification["steps"]["county_review"]["min_opinions"] == 1
        assert certification["checklist"]["service"]["documents"] == [
            "business_licence",
            "commitment_letter",
            "household_evidence",
        ]
        assert rules["reserved_share"]["percent"] == 10
        assert rules["reserved_share"]["eligible_designation"] == "county_832"
        assert rules["counting_rule"] == "acceptance"
        assert rules["channel_priority"] == [
            "central_unit",
            "municipal_group",
            "district_pair",
            "east_west",
            "policy_procurement",
            "social_network",
            "market",
        ]


def test_the_targets_of_2020(reader):
    targets = {row["code"]: (row["value"], row["unit"]) for row in reader.get("/v1/programmes/chongqing-2020").json()["targets"]}
    assert targets["rural_online_retail_growth"] == (25, "percent")
    assert targets["cabinets"] == (10_000, "count")
    assert targets["social_network_sales"] == (100_000_000, "yuan")
    assert targets["east_west_sales"] == (330_000_000, "yuan")


def test_the_words_change_and_the_codes_stay(reader):
    def words(code, language):
        return reader.get(f"/v1/programmes/{code}/terms", headers={"Accept-Language": language}).json()["terms"]

    before, after = words("chongqing-2020", "zh-CN"), words("chongqing-2021", "zh-CN")
    assert (before["concept"]["programme"], after["concept"]["programme"]) == ("消费扶贫", "消费帮扶")
    assert (before["mode"]["east_west"], after["mode"]["east_west"]) == ("东西部扶贫协作", "东西部协作")
    assert before["category"] == after["category"]
    assert {group: set(codes) for group, codes in before.items()} == {group: set(codes) for group, codes in after.items()}
    assert words("chongqing-2021", "en")["category"]["tea"] == "Tea"


def test_unknown_programmes(reader):
    assert reader.get("/v1/programmes/atlantis").status_code == 404
    assert reader.get("/v1/programmes/atlantis/terms").status_code == 404
    assert reader.get("/v1/programmes/no code").status_code == 422
    assert reader.get("/v1/programmes/current", params={"on": "yesterday"}).status_code == 422


def test_a_changed_configuration_is_noticed_without_a_restart(database):
    day = date(2026, 1, 1)
    with database.unit_of_work() as session:
        before = queries.config_of(session, day)
        assert queries.config_of(session, day) is before
        session.execute(
            text(
                "UPDATE programme SET config = jsonb_set(config, '{certification,public_notice_working_days}', '7')"
                " WHERE code = 'chongqing-2021'"
            )
        )
        assert before.certification.public_notice_working_days == 5
        assert queries.config_of(session, day).certification.public_notice_working_days == 7


def test_the_database_refuses_overlapping_programmes(database):
    with pytest.raises(IntegrityError, match="ex_programme_period"), database.unit_of_work() as session:
        session.execute(
            text("INSERT INTO programme SELECT 'second', name_zh, name_en, '2025-01-01', NULL, config FROM programme LIMIT 1")
        )


def test_seeding_again_changes_nothing(database):
    with database.unit_of_work() as session:
        before = session.execute(text("SELECT * FROM programme ORDER BY code")).all()
        seed.seed(session)
        assert session.execute(text("SELECT * FROM programme ORDER BY code")).all() == before


FILES = seed.files()


@given(st.dates(min_value=FILES[0].valid_from, max_value=date(2100, 1, 1)))
def test_since_the_first_programme_there_is_exactly_one_on_every_day(day):
    in_force = [file for file in FILES if file.valid_from <= day and (file.valid_to is None or day < file.valid_to)]
    assert len(in_force) == 1


def test_every_programme_follows_the_one_before():
    for earlier, later in itertools.pairwise(FILES):
        assert earlier.valid_to == later.valid_from
    assert FILES[-1].valid_to is None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.code)
def test_every_code_has_words_in_both_languages(file):
    for group, codes in {"mode": Mode, "relation": Relation, "channel": Channel}.items():
        for code in codes:
            assert file.term(group, code, "zh") != code
            assert file.term(group, code, "en") != code
    assert file.term("channel", "unheard_of", "zh") == "unheard_of"


@pytest.mark.parametrize(
    "fault",
    [
        {"channel_priority": ["market"]},
        {"channel_priority": ["market", *(c for c in Channel if c is not Channel.MARKET)]},
        {"counting_rule": "payment"},
        {"terms": {}},
        {"certification": {"public_notice_working_days": 0, "validity_months": 36, "eligible_designation": "poverty_task"}},
        {"surprise": 1},
    ],
)
def test_a_faulty_configuration_is_refused(fault):
    content = FILES[0].model_dump(mode="json", exclude={"name_zh", "name_en", "valid_from", "valid_to"})
    assert ProgrammeConfig.model_validate(content).code == "chongqing-2020"
    with pytest.raises(ValidationError):
        ProgrammeConfig.model_validate(content | fault)


tables = st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from("xyz"), st.integers(), max_size=3), max_size=3)


@given(tables, tables)
def test_own_words_replace_shared_ones_and_nothing_is_lost(shared, own):
    both = merged(shared, own)
    for group in set(shared) | set(own):
        for code in set(shared.get(group, {})) | set(own.get(group, {})):
            assert both[group][code] == own.get(group, {}).get(code, shared.get(group, {}).get(code))
