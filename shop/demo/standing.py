"""What the demo's school has set up for its purchasing, through the actions of the domains: nobody begins with empty pages."""

from sqlmodel import Session

from orders.budgets import actions as budgets
from orders.budgets.schemas import BudgetIn
from orders.lists import actions as lists
from orders.lists.schemas import SavedListIn
from orders.purchasing.schemas import OrderLineIn
from orders.reserved_share.actions import filing
from orders.reserved_share.schemas import ReservedShareIn
from orders.units import actions as units
from orders.units.schemas import DeliveryAddressIn
from shop.core import audit, clock
from shop.demo.market import Offer
from shop.demo.people import acting, as_it_is

#: What the canteen may spend in a year: enough for playing the story and the tour many times.
CANTEEN_YUAN = "6000000.00"
#: What the canteen orders every week.
_WEEKLY = ("vegetable", "grain_oil", "meat_poultry_egg", "fruit")


def load(session: Session, offers: list[Offer]) -> None:
    """Write a budget of this year, a delivery address, a saved list and the draft of a reserved share, and seal their records."""
    year = clock.today().year
    buyer, finance = acting(session, "buyer"), acting(session, "finance")
    address = DeliveryAddressIn(
        name="食堂", address="重庆市沙坪坝区大学城中路1号食堂", contact="食堂采购组", phone="023-65100000", is_default=True
    )
    units.add_address(session, buyer, address)
    budgets.create(session, finance, BudgetIn(year=year, fund_source="canteen", limit=CANTEEN_YUAN))
    lists.create(session, buyer, SavedListIn(name="每周食材", shared=True, lines=_weekly(offers)))
    share = ReservedShareIn(base="4000000.00", percent="15")
    filing.save(session, finance, year, None, share, as_it_is)
    while audit.seal(session):
        pass


def _weekly(offers: list[Offer]) -> list[OrderLineIn]:
    """Ten packs of the first product on sale of each category."""
    first = {
        offer.category: offer for offer in reversed(offers) if offer.on_sale_until is None or offer.on_sale_until > clock.today()
    }
    return [OrderLineIn(sku_id=first[each].sku_id, quantity=first[each].tiers[0][0] * 10) for each in _WEEKLY if each in first]
