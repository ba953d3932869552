"""What deciding about doubts, and matching books, may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Forbidden, Invalid


class HoldDecided(DoneBefore):
    code = "hold_decided"
    zh = "该疑点已处理"
    en = "The doubt was decided before"


class CityDecides(Forbidden):
    code = "city_decides"
    zh = "涉及其他区县，由市级处理"
    en = "The other side lies in another district; the city decides"


class CorrectsNothing(Conflict):
    code = "corrects_nothing"
    zh = "所更正的批次 {corrects} 尚未收到，或已被更正，该批次不能计入"
    en = "The batch that it corrects, {corrects}, has not come or was corrected before; it cannot count"


class RefundExceeds(Conflict):
    code = "refund_exceeds"
    zh = "退货数量多于原销售的剩余数量（{left}），不能计入"
    en = "More is given back than is left of the sale ({left}); it cannot count"


class RefundOfNoSale(Conflict):
    code = "refund_of_no_sale"
    zh = "退货的原流水号不是一笔已统计的销售，不能计入"
    en = "What it gives back of is no sale that counts; it cannot count"


class OwnOrganisation(Forbidden):
    code = "own_organisation"
    zh = "不能处理本单位的申报"
    en = "Nobody decides about claims of the own organisation"


class OwnBatch(Forbidden):
    code = "own_batch"
    zh = "不能裁定本人申请的撤回"
    en = "Nobody decides about what he asked to be taken back himself"


class DocumentCountsOnce(Conflict):
    code = "document_counts_once"
    zh = "两笔申报合计超过同一单据的金额，不能都计入"
    en = "Together the two claims are more than their document says; they cannot both count"


class OtherStays(Invalid):
    code = "other_stays"
    zh = "对方没有与本笔相对的疑点，须另行裁定"
    en = "The other side is not held against this one: what becomes of it is not decided here"


class MatchedBefore(Conflict):
    code = "matched_before"
    zh = "其中一方已对应其他记录"
    en = "One of the two is matched with something else"


class NoPair(Invalid):
    code = "no_pair"
    zh = "两条记录不属于同一供应方和采购方，或尚未生效"
    en = "The two are not of one supplier and one buyer, or do not stand yet"


class PeriodTooLong(Invalid):
    code = "bad_period"
    zh = "期间须按先后填写，且不超过 {most} 天"
    en = "A period of at most {most} days, its first day before its last"


CONSTRAINTS["pk_book_match"] = MatchedBefore
CONSTRAINTS["uq_book_match_seller"] = MatchedBefore
