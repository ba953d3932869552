"""To what a sale is credited: the decisions themselves."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.ledger.rules import Buyer, BuyerRole, Part, Sale, Support, Term, credit, part_to_reverse
from shop.programmes.rules import Channel, Mode, Relation

PRIORITY = ["central_unit", "municipal_group", "district_pair", "east_west", "policy_procurement", "social_network", "market"]
DAY = date(2026, 5, 4)
ALWAYS = Term()
PAIR = Support(1, Relation.DISTRICT_PAIR, 10, "500106", "500236", ALWAYS)
EAST = Support(2, Relation.EAST_WEST, 20, "371600", "500236", ALWAYS)
CENTRAL = Support(3, Relation.CENTRAL_UNIT, 30, None, "500236", ALWAYS)
GROUP = Support(4, Relation.MUNICIPAL_GROUP, 40, None, "500236T01", ALWAYS)
ALL = [PAIR, EAST, CENTRAL, GROUP]


def buyer(region="500103", **roles):
    return Buyer(region, tuple(BuyerRole(role, supporter, ALWAYS) for role, supporter in roles.items()))


def sale(who, place="500236", platform="marketplace", declared=None, on=DAY):
    return Sale(on, place, platform, who, declared)


@pytest.mark.parametrize(
    ("who", "place", "expected"),
    [
        (buyer(enterprise=None), "500236", ("market", "none", None, "market", "default")),
        (buyer(school=None), "500236", ("policy_procurement", "none", None, "policy_procurement", "school")),
        (buyer("500106", school=None), "500236", ("policy_procurement", "district_pair", 1, "district_pair", "relation:1")),
        (buyer("500106T03", school=None), "500236", ("policy_procurement", "district_pair", 1, "district_pair", "relation:1")),
        (buyer("371600", enterprise=None), "500236", ("east_west", "east_west", 2, "east_west", "relation:2")),
        (buyer("371600", enterprise=None), "500237", ("market", "none", None, "market", "default")),
        (buyer("370100", east_partner=None), "500236", ("east_west", "none", None, "east_west", "east_partner")),
        (buyer("110000", central_unit=30), "500236", ("market", "central_unit", 3, "central_unit", "relation:3")),
        (buyer(group_member=40), "500236", ("market", "none", None, "market", "default")),
        (buyer(group_member=40), "500236T01", ("market", "municipal_group", 4, "municipal_group", "relation:4")),
        (buyer(group_member=40), "500236T02", ("market", "none", None, "market", "default")),
    ],
)
def test_who_buys_from_where_decides(who, place, expected):
    found = credit(sale(who, place), ALL, PRIORITY)
    assert (found.mode, found.relation, found.relation_id, found.channel, found.basis) == expected


def test_the_social_network_is_a_mode_of_its_own_but_a_budget_unit_keeps_its_channel():
    found = credit(sale(buyer(budget_unit=None), platform="social_network"), ALL, PRIORITY)
    assert (found.mode, found.channel, found.basis) == (Mode.SOCIAL_NETWORK, Channel.POLICY_PROCUREMENT, "budget_unit")
    found = credit(sale(buyer(enterprise=None), platform="social_network"), ALL, PRIORITY)
    assert (found.mode, found.channel, found.basis) == (Mode.SOCIAL_NETWORK, Channel.SOCIAL_NETWORK, "platform")


def test_a_declared_relation_wins_where_it_applies():
    bank = buyer("500106", central_unit=30)
    assert credit(sale(bank), ALL, PRIORITY).relation_id == 3
    found = credit(sale(bank, declared=1), ALL, PRIORITY)
    assert (found.relation_id, found.channel, found.basis) == (1, "district_pair", "declared:1")
    for declared in (2, 4, 99):
        assert credit(sale(bank, declared=declared), ALL, PRIORITY).relation_id == 3


def test_only_what_is_in_force_on_the_day_of_the_sale_counts():
    ended = Support(5, Relation.DISTRICT_PAIR, 10, "500106", "500236", Term(date(2006, 1, 1), DAY))
    who = buyer("500106")
    assert credit(sale(who, on=date(2026, 5, 3)), [ended], PRIORITY).relation_id == 5
    assert credit(sale(who, on=DAY), [ended], PRIORITY).relation_id is None
    left = Buyer("500103", (BuyerRole("central_unit", 30, Term(None, DAY)),))
    assert credit(sale(left, on=date(2026, 5, 3)), ALL, PRIORITY).relation_id == 3
    assert credit(sale(left, on=DAY), ALL, PRIORITY).relation_id is None


def test_the_smaller_region_comes_first():
    district = Support(6, Relation.MUNICIPAL_GROUP, 40, None, "500236", ALWAYS)
    assert credit(sale(buyer(group_member=40), "500236T01"), [district, GROUP], PRIORITY).relation_id == 4
    assert credit(sale(buyer(group_member=40), "500236T02"), [district, GROUP], PRIORITY).relation_id == 6


@given(
    st.permutations(PRIORITY[:-1]),
    st.sampled_from(["500103", "500106", "371600"]),
    st.sampled_from(["marketplace", "social_network"]),
)
def test_there_is_always_exactly_one_channel_and_it_follows_the_priority(order, region, platform):
    priority = [*order, "market"]
    who = buyer(region, school=None, central_unit=30, group_member=40)
    found = credit(sale(who, "500236T01", platform), ALL, priority)
    possible = {"central_unit", "municipal_group", "policy_procurement"}
    possible |= {"social_network"} if platform == "social_network" else set()
    possible |= {"district_pair"} if region == "500106" else {"east_west"} if region == "371600" else set()
    assert found.channel == next(channel for channel in priority if channel in possible)


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.lists(st.integers(1, 10**5), min_size=1, max_size=8),
)
def test_reversing_in_parts_takes_back_exactly_what_was_booked(thousandths, grams, fen, shares):
    whole = Part(Decimal(thousandths) / 1000, grams, fen)
    before = Part(Decimal(0), 0, 0)
    for n, share in enumerate(shares):
        left = whole.quantity - before.quantity
        step = left if n == len(shares) - 1 else min(left, Decimal(share) / 1000)
        if not step:
            continue
        part = part_to_reverse(whole, before, step)
        assert part.grams >= 0
        assert part.amount_fen >= 0
        before = Part(before.quantity + part.quantity, before.grams + part.grams, before.amount_fen + part.amount_fen)
    assert before == whole
