"""Which organisations may be what, and which roles follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.identity.permissions import REGIONAL, Role
from shop.identity.rules import (
    MAY_NAME_SUPPORTER,
    NEEDS_SUPPORTER,
    Capacity,
    OrganisationKind,
    Side,
    capacity_at_registration,
    first_role,
    grantable_roles,
    is_buyer,
    may_supply,
)
from shop.identity.states import REGISTRATION, OrganisationMove, OrganisationStatus

capacities = st.sets(st.sampled_from(Capacity))


@given(capacities, capacities)
def test_more_capacities_never_take_a_role_away(some, more):
    assert grantable_roles(some) <= grantable_roles(some | more)


@given(capacities)
def test_no_organisation_gives_a_role_of_the_platform(held):
    assert not grantable_roles(held) & (REGIONAL | {Role.PLATFORM_ADMIN})


@given(st.sampled_from(Side), st.sampled_from(OrganisationKind))
def test_who_registers_can_add_colleagues_of_the_same_side(side, kind):
    capacity = capacity_at_registration(side, kind)
    assert first_role(side) in grantable_roles([capacity])
    assert is_buyer([capacity]) == (side is Side.BUYER)


@pytest.mark.parametrize(
    ("kind", "capacity"),
    [("agency", "budget_unit"), ("trade_union", "budget_unit"), ("school", "school"), ("enterprise", "enterprise")],
)
def test_a_buyer_starts_as_what_it_is(kind, capacity):
    assert capacity_at_registration(Side.BUYER, kind) == capacity


def test_only_market_subjects_supply():
    assert {kind for kind in OrganisationKind if may_supply(kind)} == {
        "cooperative",
        "enterprise",
        "village_collective",
        "family_farm",
    }


def test_what_needs_a_supporter_may_name_one():
    assert NEEDS_SUPPORTER < MAY_NAME_SUPPORTER


def test_an_approved_registration_is_final():
    assert REGISTRATION.possible(OrganisationStatus.APPROVED) == []
    assert REGISTRATION.possible(OrganisationStatus.PENDING) == [OrganisationMove.APPROVE, OrganisationMove.REJECT]
