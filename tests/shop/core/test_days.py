"""Days and moments of requests are written out: a number is none of them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from shop.core.quantities import AnyDay, Day, Moment
from shop.identity.permissions import Role
from tests.factories.identity import signed_in
from tests.factories.outlets import Till, sale


@pytest.mark.parametrize(
    "value", [0, 86400, 1_700_000_000, 1.5, Decimal(86400), True, "86400", " 0 ", "-86400", "1e9", "20260101", "1700000000000"]
)
@pytest.mark.parametrize("kind", [AnyDay, Day, Moment, AnyDay | None])
def test_a_number_is_no_day_and_no_moment(kind, value):
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    assert {entry["type"] for entry in refused.value.errors()} <= {"value_error"}


def test_what_is_written_out_is_taken_as_before():
    assert TypeAdapter(AnyDay | None).validate_python(None) is None
    assert TypeAdapter(Day).validate_python("2026-01-31") == date(2026, 1, 31)
    assert TypeAdapter(Day).validate_python(date(2026, 1, 31)) == date(2026, 1, 31)
    assert TypeAdapter(Day).json_schema() == {"type": "string", "format": "date"}
    at = datetime(2026, 1, 31, 1, tzinfo=UTC)
    for told in ("2026-01-31T09:00:00+08:00", "2026-01-31 01:00:00Z", at):
        assert TypeAdapter(Moment).validate_python(told) == at


def test_requests_name_the_field(api):
    client = signed_in(api, Role.CITY_OFFICER)
    for path, field in (
        ("/v1/outlet-sales", "from"),
        ("/v1/statistics/sales", "to"),
        ("/v1/sale-entries", "from"),
        ("/v1/regions", "as_of"),
    ):
        for value in ("86400", "0"):
            answer = client.get(path, params={field: value})
            assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])
    batch = Till().batch([{**sale("1"), "sold_at": 1_790_000_000}])
    answer = client.post("/v1/sales-batches", json={**batch, "sent_at": "1790000000"})
    assert (answer.status_code, {each["field"] for each in answer.json()["errors"]}) == (422, {"sent_at", "lines[0].sold_at"})
