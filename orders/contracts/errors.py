"""What is refused about contracts."""

from shop.core.errors import NotFound


class NoContract(NotFound):
    code = "no_contract"
    zh = "该订单尚未确认，没有合同"
    en = "The order has no contract: it was not confirmed"
