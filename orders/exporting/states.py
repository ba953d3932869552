"""The life of a file that was asked for, and of a schedule."""

from enum import StrEnum

from shop.core.states import StateTable


class ExportStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ExportMove(StrEnum):
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"
    EXPIRE = "expire"


_S, _M = ExportStatus, ExportMove

EXPORT = StateTable(
    "export",
    {
        (_S.WAITING, _M.START): _S.RUNNING,
        # a worker was killed: the next one begins anew
        (_S.RUNNING, _M.START): _S.RUNNING,
        (_S.RUNNING, _M.FINISH): _S.DONE,
        (_S.RUNNING, _M.FAIL): _S.FAILED,
        (_S.WAITING, _M.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _M.CANCEL): _S.CANCELLED,
        (_S.DONE, _M.EXPIRE): _S.EXPIRED,
    },
    by_itself={_M.START, _M.FINISH, _M.FAIL, _M.EXPIRE},
)


class ScheduleStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    DELETED = "deleted"


class ScheduleMove(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"


SCHEDULE = StateTable(
    "export_schedule",
    {
        (ScheduleStatus.ACTIVE, ScheduleMove.PAUSE): ScheduleStatus.PAUSED,
        (ScheduleStatus.PAUSED, ScheduleMove.RESUME): ScheduleStatus.ACTIVE,
        (ScheduleStatus.ACTIVE, ScheduleMove.DELETE): ScheduleStatus.DELETED,
        (ScheduleStatus.PAUSED, ScheduleMove.DELETE): ScheduleStatus.DELETED,
    },
)
