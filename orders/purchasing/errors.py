"""What a purchase order may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, Forbidden, Invalid


class LinesRefused(Invalid):
    """One or more lines cannot be met; ``errors`` names each with its reason. Nothing was ordered."""

    code = "lines_refused"
    zh = "订单未提交：有 {count} 行不能满足"
    en = "Nothing was ordered: {count} line(s) cannot be met"


class BuyerNotApproved(Conflict):
    code = "buyer_not_approved"
    zh = "采购单位尚未通过审核"
    en = "The buying organisation is not approved"


class OutsideProgramme(Conflict):
    code = "outside_programme"
    zh = "当前日期没有生效的方案"
    en = "No programme is in force today"


class NotYourUnit(Forbidden):
    code = "not_your_unit"
    zh = "只能为本单位及下级单位下单"
    en = "Orders are placed for the own unit or one below it"


class AboveApproved(Conflict):
    code = "above_approved"
    zh = "现价合计 {total} 元，超过审批金额 {approved} 元，请重新提交审批"
    en = "It costs {total} yuan by now and was approved up to {approved}; hand it in again"


class UnknownRelation(Invalid):
    code = "unknown_relation"
    zh = "所填帮扶关系不存在"
    en = "The declared support relation does not exist"


class StockMoved(Conflict):
    code = "stock_moved"
    zh = "库存刚刚发生变化，请重试"
    en = "The stock changed this moment; try again"


class ConfirmedTooLate(Conflict):
    code = "confirm_deadline_passed"
    zh = "确认期限（{confirm_by}）已过，订单将自动释放"
    en = "The time to confirm ended at {confirm_by}; the order is being released"


class FreightFixed(Conflict):
    code = "freight_fixed"
    zh = "订单确认后运费不可变更"
    en = "Freight can be changed only until the order is confirmed"


class FreightNotAgreed(Conflict):
    """Only what the buyer agreed to, or what the programme lets a supplier set alone, comes into the contract."""

    code = "freight_not_agreed"
    zh = "运费 {freight} 元待采购单位同意，暂不能确认订单"
    en = "The buyer has not agreed to a freight of {freight} yuan; the order cannot be confirmed yet"


class OtherFreight(Conflict):
    code = "freight_not_asked"
    zh = "供应单位未提出此运费，请刷新后再确认"
    en = "The supplier does not ask for this freight (any more); read the order again"


class PaidMoreThanThat(Conflict):
    code = "paid_more_than_that"
    zh = "已付款 {paid} 元，超过变更后的应付金额 {payable} 元"
    en = "{paid} yuan were paid, which is more than the {payable} yuan that would be payable"


class ConsentNeeded(Conflict):
    """The buyer may no longer cancel alone; it proposes the cancellation as an amendment."""

    code = "cancel_needs_consent"
    zh = "订单已确认，取消须经供应单位同意"
    en = "The order was confirmed; its supplier has to agree to a cancellation"


CONSTRAINTS["fk_purchase_order_declared_relation_id"] = UnknownRelation
CONSTRAINTS["ck_stock_not_oversold"] = StockMoved
