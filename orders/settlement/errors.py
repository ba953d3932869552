"""What settling and paying out may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class PeriodNotOver(Conflict):
    code = "period_not_over"
    zh = "结算期尚未结束（{last}）"
    en = "The period is not over before the end of {last}"


class NotAPeriod(Invalid):
    code = "not_a_period"
    zh = "该日期不是结算期的最后一天"
    en = "No period ends on that day"


class ObjectionTooLate(Conflict):
    code = "objection_too_late"
    zh = "异议期已于 {until} 结束"
    en = "Objections were possible until {until}"


class PayoutOnItsWay(Conflict):
    code = "payout_on_its_way"
    zh = "该结算单的款项已放行，不能再提出异议"
    en = "The payout of this settlement was released already"


class LiftedBefore(DoneBefore):
    code = "hold_lifted_before"
    zh = "该暂缓原因已解除"
    en = "This hold was lifted before"


class NotHeld(Conflict):
    code = "hold_not_there"
    zh = "该订单没有此项暂缓原因"
    en = "This part of the order does not wait for that"


class SettlementObjected(Conflict):
    code = "settlement_objected"
    zh = "供应商已对结算单提出异议，请先答复"
    en = "The supplier objected to the settlement; answer that first"


class ObjectionPeriodRunning(Conflict):
    code = "objection_period_running"
    zh = "供应商尚未确认结算单，异议期至 {until}"
    en = "The supplier has not confirmed the statement and may object until {until}"


class MoneyMissing(Conflict):
    """Payments for orders of the settlement were taken back, or charged back, after it was made."""

    code = "money_no_longer_received"
    zh = "结算单中有订单的货款已被撤销或拒付（缺 {missing} 元）；仍要付款的，请在 despite 中说明理由"
    en = "{missing} yuan of what buyers paid for these orders is not there any more; say in `despite` why it is paid out nevertheless"


class NothingLeft(Conflict):
    code = "nothing_left_on_list"
    zh = "名单中的款项均已记为失败，没有可提交银行的付款；再次放行的款项请另制名单"
    en = "Everything on the list has failed, so there is nothing for the bank to pay: make another list of what was released again"


class PaidTwiceHeld(Conflict):
    """Its supplier holds the same money ahead, because it left twice: what came back may be the one that was too many."""

    code = "paid_twice_held"
    zh = (
        "付款 {number} 曾重复付出（银行流水 {line_id}，{day}），其中 {held} 元仍在供应商预付款中待抵扣；退回的如是多付的一笔，请撤销退回流水的核销，"
        "改按重复付款（paid_twice）核销；仍要付款的，请在 despite 中说明理由"
    )
    en = (
        "Payout {number} left twice (line {line_id} of the bank, {day}), and the supplier still holds {held} yuan of it ahead: if what came back is the one"
        " too many, undo the match of its return and write that line off as `paid_twice`; or say in `despite` why it is paid nevertheless"
    )


class SupplierBarred(Conflict):
    """It was suspended or barred after the settlement was made, which would have held what it was owed."""

    code = "supplier_barred"
    zh = "供应商已被暂停或列入失信名单；仍要付款的，请在 despite 中说明理由"
    en = "The supplier is suspended or barred by now; say in `despite` why it is paid nevertheless"


class CertificateStopped(Conflict):
    """It was suspended, held or revoked after the settlement was made, which would have held what was sold under it; nobody lifted that."""

    code = "certificate_stopped_since"
    zh = "结算单中有商品的认定证书已被暂停、冻结或撤销；仍要付款的，请在 despite 中说明理由"
    en = "A certificate of goods in the settlement was suspended, held or revoked since; say in `despite` why it is paid nevertheless"


class SamePerson(Forbidden):
    code = "two_persons_needed"
    zh = "须由另一人办理"
    en = "Another person has to do this"


class NoAccount(Conflict):
    code = "no_payout_account"
    zh = "供应商没有已生效的收款账户"
    en = "The supplier has no bank account that may be paid to"


class NoOnlineAccount(Conflict):
    code = "no_online_account"
    zh = "供应商没有可收款的在线支付账户，请改用银行付款（method: bank），或由供应商先开通"
    en = "The supplier has no account at the provider that may be sent money: pay it by bank (`method: bank`), or have the supplier open one"


class ChangeWaiting(Conflict):
    code = "account_change_waiting"
    zh = "已有待审批的账户变更"
    en = "A change of the account waits already"


class SameAccount(Conflict):
    code = "account_unchanged"
    zh = "与现用账户相同"
    en = "That is the account in use"


class NotByHand(Conflict):
    code = "payout_not_by_hand"
    zh = "在线支付渠道的付款由渠道回报结果"
    en = "The provider tells what becomes of an online payout"


class NothingToSend(Conflict):
    code = "no_payout_to_send"
    zh = "没有待发送的银行付款"
    en = "There is no released payout by bank that was not sent"


class ListExecuted(Conflict):
    """A line of the bank, or somebody who heard it of the bank, shows that a payment of the list was made, or that it failed."""

    code = "payout_file_executed"
    zh = "名单中已有付款被银行执行，或对账单上有疑似该名单的流水，不能作废"
    en = "The bank shows a payment of the list, or a line that may be one; it cannot be made void"


class OnWaitingList(Conflict):
    """The list pays it once it is handed to the bank, whatever is said of it singly."""

    code = "payout_in_live_file"
    zh = "付款 {number} 在待上传的名单 {file} 中：请先登记该名单已上传，或由另一人将其作废"
    en = "Payout {number} stands on list {file}, which waits to be uploaded: say first that it was, or have another person make it void"


class RuleInPast(Invalid):
    code = "commission_rule_in_past"
    zh = "佣金规则不能从今天以前开始生效"
    en = "A commission rule cannot begin before today"


class RuleReachesBack(Invalid):
    """Orders that were placed today would bear what nobody had agreed to when they were placed."""

    code = "commission_rule_reaches_back"
    zh = "今天已有订单适用该范围，佣金规则最早从明天开始生效"
    en = "Orders of its scope were placed today already: the rule begins tomorrow or later"


class AgreementNotInForce(Conflict):
    code = "agreement_not_in_force"
    zh = "协议未生效或已终止，不能预付"
    en = "Only for a signed agreement in force can money be paid ahead"


class AboveAgreement(Conflict):
    code = "advance_above_agreement"
    zh = "预付款合计超过协议可达金额（尚可 {left} 元）"
    en = "The advances are above what the agreement may come to ({left} yuan are left)"


class AgreementUnbounded(Conflict):
    """Nothing says what it may come to: no cap by amount, and a line without cap or without a price today."""

    code = "agreement_unbounded"
    zh = "协议没有金额上限，且有商品行没有数量上限或当前没有价格，不能预付"
    en = "The agreement has no cap by amount, and a line of it no cap or no price today: nothing bounds what may be paid ahead"


class AdvanceUsedUp(Conflict):
    """Settlements took off what suppliers were owed what they had got ahead: that much of it is theirs, and cannot come back."""

    code = "advance_used_up"
    zh = "预付款已被结算抵扣，最多可退回 {left} 元"
    en = "Settlements used the advance up: at most {left} yuan of it can come back"


CONSTRAINTS["uq_hold_lift_supplier_order_id_hold"] = LiftedBefore
CONSTRAINTS["ck_payout_two_persons"] = SamePerson
CONSTRAINTS["ck_payout_not_by_who_drafted"] = SamePerson
CONSTRAINTS["ck_payout_file_two_persons"] = SamePerson
CONSTRAINTS["ck_payout_account_two_persons"] = SamePerson
CONSTRAINTS["ck_advance_two_persons"] = SamePerson
CONSTRAINTS["ck_advance_return_two_persons"] = SamePerson
CONSTRAINTS["uq_payout_account_requested"] = ChangeWaiting
