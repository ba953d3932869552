"""What vouchers and bookings may be refused for."""

from shop.core.errors import CONSTRAINTS, Conflict, DoneBefore, Invalid


class NothingForVouchers(Conflict):
    code = "nothing_for_vouchers"
    zh = "该订单没有可发券的服务项目"
    en = "The order has no services of which vouchers could be issued"


class VouchersIssued(DoneBefore):
    code = "vouchers_issued"
    zh = "服务券已经发出"
    en = "The vouchers were issued before"


class TooManyVouchers(Conflict):
    code = "too_many_vouchers"
    zh = "一次最多发出 {most} 张服务券"
    en = "At most {most} vouchers are issued at once"


class BadValidity(Invalid):
    code = "bad_validity"
    zh = "有效期须从今天或以后开始，且不超过两年"
    en = "Vouchers hold from today or later, for at most two years"


class DayFull(Conflict):
    """``day`` has no such number of units left, or its supplier takes nobody on it."""

    code = "day_full"
    zh = "{day} 名额不足或未开放"
    en = "Not enough is free on {day}"


class BelowBooked(Conflict):
    code = "below_booked"
    zh = "{days} 已被预约的数量多于新的容量"
    en = "More is booked on {days} than the new capacity"


class OutsideValidity(Conflict):
    code = "outside_validity"
    zh = "服务券 {number} 的有效期为 {valid_from} 至 {valid_until}"
    en = "Voucher {number} holds from {valid_from} until {valid_until}"


class TooLateToChange(Conflict):
    code = "too_late_to_change"
    zh = "服务券 {number} 的预约须在 {days} 天前更改或取消"
    en = "The booking of voucher {number} is changed or given up at least {days} days before its day"


class BookedForLater(Conflict):
    code = "booked_for_later"
    zh = "服务券 {number} 预约的日期是 {day}"
    en = "Voucher {number} is booked for {day}"


class AlreadyRedeemed(DoneBefore):
    code = "already_redeemed"
    zh = "服务券 {number} 已核销"
    en = "Voucher {number} was redeemed before"


class TooManyForPdf(Conflict):
    code = "too_many_for_pdf"
    zh = "共 {count} 张服务券，请改用 XLSX 或 CSV"
    en = "Too many for a PDF: {count} voucher(s); take XLSX or CSV instead"


CONSTRAINTS["ck_service_capacity_not_overbooked"] = DayFull
CONSTRAINTS["uq_voucher_order_line_id_unit_no"] = VouchersIssued
