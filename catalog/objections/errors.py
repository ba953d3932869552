"""Refusals about notices and objections."""

from shop.core.errors import Conflict


class NoticeNotRunning(Conflict):
    """The public can object from the day on which a notice is published to its last day."""

    code = "notice_not_running"
    zh = "该公示已结束，不再受理异议"
    en = "This notice runs no more; objections against it are no longer taken"


class TooManyObjections(Conflict):
    code = "too_many_objections"
    zh = "该公示待处理的异议已达 {most} 件，暂不再受理"
    en = "{most} objections against this notice are waiting already; no more are taken for now"


class ObjectionDecided(Conflict):
    code = "objection_decided"
    zh = "该异议已处理完毕"
    en = "This objection was decided already"


class TooManyFiles(Conflict):
    code = "too_many_files"
    zh = "最多可上传 {most} 份证据"
    en = "At most {most} files can be added"
