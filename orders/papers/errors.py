"""What a paper of an order may be refused for."""

from shop.core.errors import Conflict, DoneBefore, Invalid


class NotConfirmed(Conflict):
    code = "order_not_confirmed"
    zh = "订单尚未确认或已取消，不能上传此类文件"
    en = "The order is not confirmed, or is over; papers of this kind belong to confirmed orders"


class NotYourKind(Conflict):
    code = "other_side_uploads"
    zh = "此类文件由对方上传"
    en = "Papers of this kind are uploaded by the other side"


class AlreadyVoid(DoneBefore):
    code = "paper_void"
    zh = "该文件已作废"
    en = "The paper was voided before"


class TooManyPapers(Conflict):
    code = "too_many_papers"
    zh = "每个订单最多 {most} 份文件"
    en = "An order has at most {most} papers"


class IssuedInFuture(Invalid):
    code = "issued_in_future"
    zh = "开具日期不能晚于今天"
    en = "The date of issue lies in the future"
