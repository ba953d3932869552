from tests.orders.online.conftest import online, switched_on
from tests.stripe_twin.fixture import twin, twin_process

__all__ = ["online", "switched_on", "twin", "twin_process"]
