"""What an evaluation may be refused for."""

from shop.core.errors import Conflict, DoneBefore, Invalid


class NothingAccepted(Conflict):
    code = "nothing_accepted"
    zh = "尚未验收任何货物，不能评价"
    en = "Nothing of this order was accepted yet; only what was accepted is rated"


class NoLongerChangeable(Conflict):
    code = "no_longer_changeable"
    zh = "评价已超过 {days} 天，不能修改"
    en = "It was rated more than {days} days ago and stays as it is"


class AlreadyAnswered(DoneBefore):
    code = "already_answered"
    zh = "已回复过该评价，只能回复一次"
    en = "This evaluation was answered; there is one answer"


class TooManyPhotos(Conflict):
    code = "too_many_files"
    zh = "一条评价最多可上传 {most} 张照片"
    en = "An evaluation holds at most {most} photos"


class NotAPhoto(Invalid):
    code = "photos_only"
    zh = "只能上传 PNG 或 JPEG 照片"
    en = "Only photos are accepted, as PNG or JPEG"
