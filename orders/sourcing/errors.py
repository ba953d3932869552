"""What requests for quotation, quotations and awards may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid

#: What is said of a day of delivery on which nothing can have been awarded yet.
BEFORE_CLOSING = "交货日期早于报价截止日", "This day lies before the closing day"


class ContentRefused(Invalid):
    """Lines or suppliers of a request that cannot be; ``errors`` names each."""

    code = "content_refused"
    zh = "询价单未保存：有 {count} 处错误"
    en = "The request was not saved: {count} fault(s)"


class TimeIsPast(Conflict):
    code = "closing_time_past"
    zh = "报价截止时间须晚于当前时间"
    en = "The closing time lies in the past"


class OnlyLater(Conflict):
    code = "closing_only_later"
    zh = "报价和提问的截止时间只能推后"
    en = "The closing time, and that for questions, can only be moved to a later one"


class NobodyToAsk(Conflict):
    code = "nobody_to_ask"
    zh = "没有符合条件的供应商"
    en = "There is no supplier to ask"


class QuotationsSealed(Conflict):
    """Before the end nobody on the buyer's side, and no officer, reads a quotation or who sent one."""

    code = "quotations_sealed"
    zh = "报价在截止时间（{closes_at}）前保密，已收到 {count} 份"
    en = "Quotations are sealed until {closes_at}; come in so far: {count}"


class RequestClosed(Conflict):
    code = "quotation_request_closed"
    zh = "报价已截止或询价已取消"
    en = "Quotations are no longer taken: the closing time is past, or the request was cancelled"


class QuestionsOver(Conflict):
    code = "questions_over"
    zh = "提问时间已截止"
    en = "Questions are no longer taken"


class TooManyQuestions(Conflict):
    code = "too_many_questions"
    zh = "每个供应商最多提 {most} 个问题"
    en = "A supplier may ask {most} questions at most"


class QuestionAnswered(DoneBefore):
    code = "question_answered"
    zh = "该问题已答复"
    en = "This question was answered already"


class OwnRequest(Conflict):
    code = "own_request"
    zh = "不能对本单位的询价报价"
    en = "A unit cannot quote for its own request"


class NotInvited(Conflict):
    code = "not_invited"
    zh = "公开需求无需谢绝，不报价即可"
    en = "Nobody was invited to published demand; simply send no quotation"


class QuotationStands(Conflict):
    code = "quotation_in_force"
    zh = "本单位已报价，不报请先撤回报价"
    en = "A quotation of yours is in force; withdraw it first"


class QuotationRefused(Invalid):
    """Lines of a quotation that cannot be; ``errors`` names each."""

    code = "quotation_refused"
    zh = "报价未提交：有 {count} 处错误"
    en = "The quotation was not taken: {count} fault(s)"


class QuotationOver(Conflict):
    code = "quotation_over"
    zh = "该报价已被替换或撤回"
    en = "This quotation was replaced or withdrawn"


class AwardRefused(Invalid):
    """Lines of an award that cannot be; ``errors`` names each. Nothing was awarded."""

    code = "award_refused"
    zh = "未定标：有 {count} 处错误"
    en = "Nothing was awarded: {count} fault(s)"


class SeveralPlaces(Invalid):
    code = "several_places"
    zh = "各行的交货地点不同，请按交货地点分别定标"
    en = "These lines go to different places; award each place by itself"


class OneSupplierOneSku(Invalid):
    code = "one_supplier_one_sku"
    zh = "一份协议只含一个供应商，每个规格一行，最多 {most} 行，请分别定标"
    en = "An agreement is with one supplier, has each SKU once, and {most} lines at most; award the rest by itself"


class AwardedMeanwhile(Conflict):
    code = "awarded_meanwhile"
    zh = "该数量刚刚已定标"
    en = "This quantity was awarded this moment"


class TooManyFiles(Conflict):
    code = "too_many_files"
    zh = "最多可上传 {most} 个文件"
    en = "At most {most} files can be attached"


CONSTRAINTS["ck_quotation_in_time"] = RequestClosed
CONSTRAINTS["ck_quotation_request_line_not_awarded_twice"] = AwardedMeanwhile
CONSTRAINTS["ck_quotation_line_not_above_offered"] = AwardedMeanwhile
