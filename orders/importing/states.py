"""The life of an uploaded list."""

from enum import StrEnum

from shop.core.states import StateTable


class ImportStatus(StrEnum):
    READING = "reading"
    CHECKING = "checking"
    READY = "ready"
    FAILED = "failed"
    ORDERED = "ordered"


class ImportAction(StrEnum):
    READ = "read"
    FAIL = "fail"
    CHECK = "check"
    SET_COLUMNS = "set_columns"
    CHECK_AGAIN = "check_again"
    CORRECT = "correct"
    ORDER = "order"
    ORDER_AGAIN = "order_again"


_S, _A = ImportStatus, ImportAction

ORDER_IMPORT = StateTable(
    "order_import",
    {
        (_S.READING, _A.READ): _S.CHECKING,
        (_S.READING, _A.FAIL): _S.FAILED,
        (_S.CHECKING, _A.CHECK): _S.READY,
        (_S.READING, _A.SET_COLUMNS): _S.READING,
        (_S.CHECKING, _A.SET_COLUMNS): _S.READING,
        (_S.READY, _A.SET_COLUMNS): _S.READING,
        (_S.FAILED, _A.SET_COLUMNS): _S.READING,
        (_S.CHECKING, _A.CHECK_AGAIN): _S.CHECKING,
        (_S.READY, _A.CHECK_AGAIN): _S.CHECKING,
        # choices and rows that are left out
        (_S.READY, _A.CORRECT): _S.READY,
        (_S.READY, _A.ORDER): _S.ORDERED,
        (_S.ORDERED, _A.ORDER_AGAIN): _S.ORDERED,
    },
    by_itself={_A.READ, _A.FAIL, _A.CHECK},
)
