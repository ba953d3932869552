"""Refusals of feeds and webhooks."""

from shop.core.errors import Conflict, Problem


class CursorExpired(Problem):
    """What came after the cursor is no longer all there, or the cursor is not of this feed; whoever reads must begin anew."""

    status, code = 410, "cursor_expired"
    zh = "游标已过期（变更仅保留 {days} 天），请重新全量同步后再从新的游标开始"
    en = "Changes are kept for {days} days and some after this cursor are gone: read everything once, then go on from a new cursor"


class TooManyEndpoints(Conflict):
    code = "too_many_endpoints"
    zh = "每个单位最多可设 {most} 个回调地址"
    en = "An organisation has at most {most} endpoints"


class EndpointDisabled(Conflict):
    code = "endpoint_disabled"
    zh = "该回调地址已停用，请先启用"
    en = "The endpoint is disabled; enable it first"


class TooManyToReplay(Conflict):
    code = "too_many_to_replay"
    zh = "此时段内的变更超过 {most} 条，请缩短时段，或改用变更接口 /v1/changes"
    en = "More than {most} changes lie between these moments; take less, or read /v1/changes"
