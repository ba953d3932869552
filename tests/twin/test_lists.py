"""Lists with cursors, filters by time, search, expansion."""

from typing import Any

import pytest
import stripe

from tests.stripe_twin.errors import StripeError
from tests.stripe_twin.fixture import Twin
from tests.stripe_twin.given import parse
from tests.twin.conftest import paid


def test_pages(twin: Twin, client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"metadata": {"n": str(n)}}).id for n in range(7)]
    page = client.v1.customers.list({"limit": 3})
    assert ([each.id for each in page.data], page.has_more) == (made[:3:-1], True)
    page = client.v1.customers.list({"limit": 3, "starting_after": page.data[-1].id})
    assert ([each.id for each in page.data], page.has_more) == (made[3:0:-1], True)
    page = client.v1.customers.list({"limit": 3, "starting_after": page.data[-1].id})
    assert ([each.id for each in page.data], page.has_more) == (made[:1], False)
    page = client.v1.customers.list({"limit": 3, "ending_before": made[1]})
    assert ([each.id for each in page.data], page.has_more) == ([made[4], made[3], made[2]], True)
    assert [each.id for each in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]
    for wrong in ({"limit": 0}, {"limit": 101}, {"starting_after": "cus_none"}, {"colour": "red"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.list(wrong)


def test_filters_by_time_and_field(twin: Twin, client: stripe.StripeClient) -> None:
    one = client.v1.customers.create({"email": "a@example.org"})
    twin.advance(100)
    two = client.v1.customers.create({"email": "b@example.org"})

    def found(**filters: Any) -> list[str]:
        return [each.id for each in client.v1.customers.list(filters).data]

    assert found(created={"gte": two.created}) == [two.id]
    assert found(created={"gt": one.created, "lt": two.created}) == []
    assert found(created={"lte": one.created}) == [one.id]
    assert found(created=two.created) == [two.id]
    assert found(email="a@example.org") == [one.id]


def test_search(twin: Twin, client: stripe.StripeClient) -> None:
    first = paid(client, 500, metadata={"order": "PO-1", "district": "城口县"})
    second = paid(client, 900, metadata={"order": "PO-2", "it's": 'say "hi"'})
    with pytest.raises(stripe.CardError):
        paid(client, 900, "pm_card_chargeDeclined", metadata={"order": "PO-2"})

    def found(query: str) -> list[str]:
        return [each.id for each in client.v1.payment_intents.search({"query": query}).data]

    assert found("metadata['order']:'PO-1'") == [first.id]
    assert found('metadata["district"]:"城口县"') == [first.id]
    assert found("metadata['order']:'PO-2' AND status:'succeeded'") == [second.id]
    assert found("metadata['order']:'PO-1' OR amount:900 OR amount:1") == found("amount>0")
    assert found("-metadata['order']:'PO-2' amount<=500") == [first.id]
    assert found("-metadata['district']:null") == [first.id]
    assert found("metadata['order']:'PO-1\\''") == []
    page = client.v1.payment_intents.search({"query": "amount>0", "limit": 2})
    assert page.has_more
    assert [each.id for each in page.auto_paging_iter()] == found("amount>0")
    for wrong in ("", "order:'1'", "metadata['order'", "amount:1 AND amount:2 OR amount:3", "status = 'succeeded'"):
        with pytest.raises(stripe.InvalidRequestError):
            found(wrong)


def test_search_lags_behind(twin: Twin, client: stripe.StripeClient) -> None:
    """Stripe says: up to a minute. Who only searches after an unknown outcome pays twice."""
    twin.settings(search_lag=60)
    done = paid(client, metadata={"order": "PO-1"})
    query = {"query": "metadata['order']:'PO-1'"}
    assert client.v1.payment_intents.search(query).data == []
    assert client.v1.payment_intents.list({"created": {"gte": done.created}}).data[0].id == done.id
    twin.advance(61)
    assert len(client.v1.payment_intents.search(query).data) == 1


def test_expansion(twin: Twin, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "张老师"})
    done = paid(client, customer=customer.id, expand=["customer", "payment_method", "latest_charge.balance_transaction"])
    assert isinstance(done.customer, stripe.Customer)
    assert isinstance(done.payment_method, stripe.PaymentMethod)
    assert isinstance(done.latest_charge, stripe.Charge)
    assert isinstance(done.latest_charge.balance_transaction, stripe.BalanceTransaction)
    refund = client.v1.refunds.create({"payment_intent": done.id, "expand": ["charge.payment_intent", "balance_transaction"]})
    assert isinstance(refund.charge, stripe.Charge)
    assert isinstance(refund.charge.payment_intent, stripe.PaymentIntent)
    listed = client.v1.charges.list({"expand": ["data.payment_intent.customer"]}).data[0]
    assert isinstance(listed.payment_intent, stripe.PaymentIntent)
    assert isinstance(listed.payment_intent.customer, stripe.Customer)
    client.v1.customers.delete(customer.id)
    gone = client.v1.payment_intents.retrieve(done.id, {"expand": ["customer"]}).customer
    assert isinstance(gone, stripe.Customer)
    assert gone.deleted is True
    for wrong in ("id", "amount", "currency", "nonsense", "latest_charge.payment_method", "data.customer", "a.b.c.d.e"):
        with pytest.raises(stripe.InvalidRequestError, match="expand"):
            client.v1.payment_intents.retrieve(done.id, {"expand": [wrong]})
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        paid(client, expand=["nonsense"])
    assert len(twin.objects("payment_intent")) == 1


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[1]=2&a[0]=1", {"a": ["1", "2"]}),
        ("a[0][b]=1&a[1][b]=2", {"a": [{"b": "1"}, {"b": "2"}]}),
        ("a%5Bb%5D=%E9%87%8D%E5%BA%86", {"a": {"b": "重庆"}}),
    ],
)
def test_nested_forms(sent: str, meant: dict[str, Any]) -> None:
    assert parse(sent) == meant


@pytest.mark.parametrize("sent", ["a[b=1", "a]=1", "[a]=1", "a[b]c=1", "a=1&a[b]=2", "metadata[k%5Bx]=1"])
def test_forms_that_mean_nothing(sent: str) -> None:
    with pytest.raises(StripeError):
        parse(sent)
