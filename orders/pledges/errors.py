"""What pledges, baskets and proofs may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid


class RegionsRefused(Invalid):
    code = "regions_refused"
    zh = "受益区域须为现行的区县或乡镇，每个只填一次"
    en = "Regions are districts or townships in force, each named once"


class PeriodWrong(Invalid):
    code = "period_wrong"
    zh = "截止日期不得早于开始日期或今天"
    en = "A pledge ends neither before it begins nor before today"


class OnlyMore(Conflict):
    code = "only_more"
    zh = "已公开的承诺只能提高金额或延长期限"
    en = "What is pledged openly can only be raised or go on for longer"


class RecipientTwice(Conflict):
    code = "recipient_twice"
    zh = "已有同名的受助对象"
    en = "There is a recipient of this name already"


class OrderCountsElsewhere(Conflict):
    code = "order_counts_elsewhere"
    zh = "该订单已计入另一项承诺；每个订单只能计入一项"
    en = "This order counts towards another pledge already; an order counts for one only"


class OrderCountsHere(DoneBefore):
    code = "order_counts_here"
    zh = "该订单已计入本承诺"
    en = "This order counts towards this pledge already"


class AgreementCountsElsewhere(Conflict):
    code = "agreement_counts_elsewhere"
    zh = "该协议已计入另一项承诺"
    en = "This agreement counts towards another pledge already"


class AgreementCountsHere(DoneBefore):
    code = "agreement_counts_here"
    zh = "该协议已计入本承诺"
    en = "This agreement counts towards this pledge already"


class OrderOutsidePeriod(Conflict):
    code = "order_outside_period"
    zh = "订单不在承诺期限内（{valid_from} 至 {valid_until}）"
    en = "The order was not placed between {valid_from} and {valid_until}"


class ProofStands(Conflict):
    code = "proof_stands"
    zh = "已出具购买证明 {number}，请先撤销"
    en = "Proof {number} was issued for this pledge; revoke it first"


class NothingAccepted(Conflict):
    code = "nothing_accepted"
    zh = "尚无已验收的金额，不能出具证明"
    en = "Nothing was accepted so far, so there is nothing to prove"


class ProofUnchanged(Conflict):
    code = "proof_unchanged"
    zh = "证明 {number} 与当前数据一致，无需重新出具"
    en = "Proof {number} says what there is; another one would say the same"


class ProofNotStanding(Conflict):
    code = "proof_not_standing"
    zh = "该证明已被替代或撤销"
    en = "This proof was replaced or revoked before"


class TooManyProposals(Conflict):
    code = "too_many_proposals"
    zh = "还有 {count} 个方案正在计算，请稍后再试"
    en = "Still being worked out: {count} basket(s); wait for that"


class HeadsNeeded(Invalid):
    code = "heads_needed"
    zh = "人均上限或人均礼包须有人数"
    en = "A cap for each head, or a basket for each, needs the number of heads"


class TooManyHeads(Invalid):
    code = "too_many_heads"
    zh = "受助对象共 {heads} 人，一个方案最多 {most} 人；请填写人数"
    en = "The recipients are {heads} heads; a basket is made for {most} at most: say for how many"


class TooManyRecipients(Conflict):
    code = "too_many_recipients"
    zh = "每项承诺最多 {most} 个受助对象"
    en = "A pledge has at most {most} recipients"


class ProposalOutdated(Conflict):
    """Prices or stock are not what they were; ``data.lines`` names the lines."""

    code = "proposal_outdated"
    zh = "方案的价格已变化，请重新生成方案"
    en = "Prices are not what they were when the basket was made; ask for a new one"


class PerHeadCapPassed(Conflict):
    """A basket for several recipients goes to one of them: then it is more for each head than the pledge allows."""

    code = "per_head_cap_passed"
    zh = "方案共 {total} 元，按该受助对象 {heads} 人计算超过人均限额 {cap} 元；请按该对象人数重新生成方案"
    en = "{total} yuan for {heads} heads are more than {cap} yuan each; ask for a basket for so many heads"


class WhereTo(Invalid):
    code = "where_to"
    zh = "请填写受助对象或送货地址，二者选一"
    en = "Name either a recipient or an address"


class TooManyForXlsx(Conflict):
    code = "too_many_for_xlsx"
    zh = "行数超出一张工作表的容量，请导出 CSV"
    en = "A sheet does not hold that many rows; export CSV"


CONSTRAINTS["uq_pledge_recipient_pledge_id_name"] = RecipientTwice
