"""References, dates, amounts, keys and matching, as pure rules."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.banking import layouts, rules
from orders.banking.known import Announced, Facts, Line, Listed, Order, Sent, SentList
from orders.banking.matching import is_like, propose
from orders.banking.reasons import Reason
from orders.banking.rules import Break, Entry, MatchKind, Statement
from orders.money.names import plain_name
from orders.money.references import is_written, order_ids_in, payment_reference, plain, printed, written

IDS = st.integers(1, 2**63 - 1)
FULL_WIDTH = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
AROUND = st.text(alphabet="货款采购订单沙坪坝0123456789 ,.-:/（）", max_size=30)


def noisy(reference, chance):
    """A reference as people and scanners leave it."""
    made = ""
    for character in reference:
        if chance.random() < 0.3:
            made += chance.choice([" ", "　", "-", ".", "\t", "/"])
        if character == "0" and chance.random() < 0.2:
            character = chance.choice("Oo")
        if character == "1" and chance.random() < 0.2:
            character = chance.choice("Il")
        if chance.random() < 0.3:
            character = character.lower()
        made += FULL_WIDTH[character] if chance.random() < 0.3 else character
    return made


@given(IDS, AROUND, AROUND, st.randoms())
def test_a_reference_is_found_whatever_stands_around_it(order_id, before, after, chance):
    reference = payment_reference(order_id)
    assert order_id in order_ids_in(f"{before}款{noisy(reference, chance)}款{after}")
    assert order_id in order_ids_in(printed(reference))
    # digits that follow without a space take nothing away
    assert order_id in order_ids_in(f"{reference}20260105")


#: Of longer references the beginning alone may pass by chance, once in 97.
OF_EIGHT_DIGITS = st.integers(1, 10**8 - 1)


@given(OF_EIGHT_DIGITS, st.data())
def test_a_reference_with_one_wrong_digit_is_none(order_id, data):
    reference = payment_reference(order_id)
    at = data.draw(st.integers(2, len(reference) - 1))
    digit = data.draw(st.sampled_from([each for each in "0123456789" if each != reference[at]]))
    assert order_ids_in(reference[:at] + digit + reference[at + 1 :]) == set()


@given(OF_EIGHT_DIGITS, st.data())
def test_nor_is_one_whose_neighbours_changed_places(order_id, data):
    reference = payment_reference(order_id)
    at = data.draw(st.integers(2, len(reference) - 2))
    swapped = reference[:at] + reference[at + 1] + reference[at] + reference[at + 2 :]
    assert swapped == reference or order_ids_in(swapped) == set()


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("20260105", date(2026, 1, 5)),
        ("2026-01-05 10:11:12", date(2026, 1, 5)),
        ("2026/1/5", date(2026, 1, 5)),
        ("2026.01.05", date(2026, 1, 5)),
        ("2026年1月5日", date(2026, 1, 5)),
        ("20260105101112", date(2026, 1, 5)),
        ("２０２６－０１－０５", date(2026, 1, 5)),
        ("2026-01-05T10:11:12", date(2026, 1, 5)),
        ("46027", date(2026, 1, 5)),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("202601051", None),
        ("合计", None),
        ("0206-01-05", None),
        ("٢٠٢٦-٠١-٠٥", None),
        ("٤٦٠٢٧", None),
        ("", None),
    ],
)
def test_dates(cell, day):
    assert rules.day_of(cell) == day


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("1,234.50", 123450), ("1234.5", 123450), ("￥1,234.50", 123450), ("-12.00", -1200), ("(12.00)", -1200), ("+5", 500), ("１２．５０", 1250),
        ("--", 0), ("", 0), ("0.00", 0), ("12.00元", 1200), ("RMB12", 1200), ("1.005", None), ("abc", None), ("12,34.00", None), ("1e5", None),
        ("99999999999999", None), ("NaN", None),
    ],
)  # fmt: skip
def test_amounts(cell, fen):
    assert rules.fen_of(cell) == fen


@given(st.integers(-(10**11), 10**11))
def test_every_amount_is_read_as_it_is_written(fen):
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    assert rules.fen_of(f"{sign}{rest // 100:,}.{rest % 100:02d}") == fen


ENTRIES = st.lists(
    st.tuples(
        st.integers(-10_000, 10_000).filter(bool),
        st.integers(0, 2),
        st.sampled_from(["", "S1", "S2"]),
        st.sampled_from(["甲", "乙"]),
    ),
    min_size=1,
    max_size=12,
)


def entries_of(drawn, opening=0):
    made, balance = [], opening
    for number, (fen, days, serial, name) in enumerate(sorted(drawn, key=lambda each: each[1]), 1):
        balance += fen
        made.append(Entry(number, date(2026, 1, 5) + timedelta(days), fen, balance, serial, name, text="货款"))
    return made


@given(ENTRIES, st.integers(-1000, 1000))
def test_lines_are_put_in_order_of_time_whichever_way_they_stand(drawn, opening):
    entries = entries_of(drawn, opening)
    for listed in (entries, entries[::-1]):
        ordered = rules.in_order_of_time(listed)
        assert [entry.balance_fen for entry in ordered] == [entry.balance_fen for entry in entries] or len(entries) < 3
        statement = Statement("csv", tuple(ordered))
        first, last = rules.balances(statement)
        assert last - first == sum(entry.amount_fen for entry in entries)


@given(ENTRIES.filter(lambda drawn: len(drawn) > 2), st.data())
def test_a_line_that_is_left_out_breaks_the_balances(drawn, data):
    entries = entries_of(drawn)
    gone = data.draw(st.integers(1, len(entries) - 2))
    left = entries[:gone] + entries[gone + 1 :]
    breaks = [rules._first_break(each) for each in (left, left[::-1])]
    if None not in breaks:
        with pytest.raises(Break):
            rules.in_order_of_time(left)


@given(ENTRIES, st.data())
def test_keys_know_a_line_again_in_any_file_that_holds_it(drawn, data):
    entries = entries_of(drawn)
    keys = rules.keys(entries)
    assert len(set(keys)) == len(keys)
    # a file that ends earlier, and one that begins with a later day
    end = data.draw(st.integers(0, len(entries)))
    assert rules.keys(entries[:end]) == keys[:end]
    day = data.draw(st.sampled_from([entry.booked_on for entry in entries]))
    assert set(rules.keys([entry for entry in entries if entry.booked_on >= day])) <= set(keys)


SHIPPED = {
    "icbc": ["凭证号", "本方账号", "对方账号", "交易时间", "借/贷", "借方发生额", "贷方发生额", "对方行号", "摘要", "用途", "对方单位名称", "余额", "个性化信息"],
    "ccb": ["账号", "账户名称", "交易时间", "借方发生额（支取）", "贷方发生额（收入）", "余额", "币种", "对方户名", "对方账号", "对方开户机构", "记账日期", "摘要", "备注",
            "账户明细编号-交易流水号", "企业流水号"],
    "abc": ["交易时间", "收入金额", "支出金额", "账户余额", "交易行名", "对方省市", "对方账号", "对方户名", "交易用途"],
    "boc": ["交易类型[ Transaction Type ]", "付款人账号[ Debit Account No. ]", "付款人名称[ Payer's Name ]", "收款人账号[ Payee's Account Number ]",
            "收款人名称[ Payee's Name ]", "交易日期[ Transaction Date ]", "交易货币[ Trade Currency ]", "交易金额[ Trade Amount ]",
            "交易后余额[ After-transaction balance ]", "交易流水号[ Transaction reference number ]", "用途[ Purpose ]", "交易附言[ Remark ]"],
    "cmb": ["账号", "账号名称", "币种", "交易日", "交易时间", "起息日", "交易类型", "借方金额", "贷方金额", "余额", "摘要", "流水号", "用途", "业务摘要",
            "收/付方名称", "收/付方帐号"],
}  # fmt: skip


@pytest.mark.parametrize("bank", SHIPPED)
def test_the_layouts_of_banks_are_known(bank):
    found = layouts.find([["账户明细"], [], SHIPPED[bank]])
    assert (found.layout, found.row) == (bank, 2)
    header = SHIPPED[bank]
    date_at = {"icbc": "交易时间", "ccb": "交易时间", "abc": "交易时间", "boc": "交易日期[ Transaction Date ]", "cmb": "交易日"}[
        bank
    ]
    assert header[found.columns[rules.Column.DATE][0]] == date_at
    assert rules.Column.BALANCE in found.columns


def test_a_direction_beside_two_columns_of_amounts_says_nothing_new():
    """ICBC has 借/贷 and both columns: the column that is filled in tells which way it went."""
    header = SHIPPED["icbc"]
    came_in = {"交易时间": "2026-01-05", "借/贷": "贷", "贷方发生额": "849.00", "余额": "849.00"}
    went_out = {"交易时间": "2026-01-06", "借/贷": "借", "借方发生额": "49.00", "余额": "800.00"}
    rows = [header, *([row.get(name, "") for name in header] for row in (came_in, went_out))]
    made = layouts.read(rows, layouts.find(rows))
    assert made.faults == []
    assert [(each.amount_fen, each.balance_fen) for each in made.entries] == [(84900, 84900), (-4900, 80000)]


SCHOOL = frozenset({plain_name("沙坪坝中学")})


def order(order_id=7, due=84900, **changes):
    return Order(order_id, f"PO20260105{order_id}", due, changes.pop("buyers", SCHOOL), **changes)


def line(amount=84900, text="", payer="沙坪坝中学", **changes):
    return Line(1, amount, text, payer_name=payer, **changes)


def best(line, *orders, **known):
    found = propose(line, Facts(orders, **known))
    return found[0] if found else None


def test_reference_and_amount_up_to_the_due_are_certain_if_the_buyer_paid():
    text = payment_reference(7)
    for amount, reason in ((84900, Reason.EXACT_DUE), (1, Reason.BELOW_DUE)):
        found = best(line(amount, text), order())
        assert (found.kind, found.certain, reason in found.reasons) == (MatchKind.ORDER, True, True)
    assert not best(line(84901, text), order()).certain
    assert not best(line(text=text, payer="张三"), order()).certain
    assert not best(line(text=text, payer=""), order()).certain
    assert not best(line(text=f"{text} {payment_reference(8)}"), order(), order(8)).certain
    assert best(line(text=text, payer="张三"), order(approved=frozenset({plain_name("张三")}))).certain


def test_an_announced_transfer_is_certain_by_its_number_and_amount():
    announced = (Announced(3, 7, 50000, "ICBC-77 1"),)
    found = best(line(50000, serial="ICBC771"), order(due=34900, announced=announced))
    assert (found.kind, found.payment_id, found.certain) == (MatchKind.ANNOUNCED, 3, True)
    assert not best(line(50001, serial="ICBC771"), order(due=34900, announced=announced)).certain
    assert not best(line(50000, serial="ICBC771", payer="张三"), order(due=34900, announced=announced)).certain
    # the order's reference and the amount of its announcement say the same
    found = best(line(50000, payment_reference(7)), order(due=34900, announced=announced))
    assert (found.kind, found.certain) == (MatchKind.ANNOUNCED, True)
    # two announcements that fit alike: a person decides
    two = (*announced, Announced(4, 7, 50000, "OTHER"))
    assert not best(line(50000, payment_reference(7)), order(due=0, announced=two)).certain
    assert best(line(50000, payment_reference(7), serial="ICBC771"), order(due=0, announced=two)).payment_id == 3


def test_exact_due_and_the_payers_name_are_a_proposal_only():
    found = best(line(), order(), order(8, 84900), order(9, 1))
    assert (found.certain, Reason.EXACT_DUE in found.reasons, found.order_id) == (False, True, 7)
    assert best(line(1234), order()) is None


def refund(**changes):
    told = {"payee": "沙坪坝中学", "account": "6222", "leaves": True, "returns": False, "order_id": 7, **changes}
    return Sent(MatchKind.REFUND, 5, "TK2026-000005", 12000, **told)


def payout(attempt=12, **changes):
    told = {"payee": "奉节脐橙合作社", "account": "310002100", "leaves": True, "returns": False, **changes}
    return Sent(MatchKind.PAYOUT, 3, f"JS2026-000004-{attempt}", 69900, attempt_id=attempt, **told)


def test_refunds_that_leave_and_come_back():
    found = best(line(-12000, "退款 TK2026-000005 PO202601057"), sent=[refund()])
    assert (found.kind, found.certain, found.refund_id, found.payout_id) == (MatchKind.REFUND, True, 5, None)
    assert found.reasons == (Reason.REFUND_NUMBER, Reason.AMOUNT, Reason.PAYEE)
    assert not best(line(-12000, "退款"), sent=[refund()]).certain
    assert not best(line(-12000, "TK2026-000005", "张三"), sent=[refund()]).certain
    assert best(line(-12000, "TK2026-000005", "张三", payer_account="6222"), sent=[refund()]).certain
    assert best(line(-11999, "TK2026-000005"), sent=[refund()]) is None
    assert best(line(12000, "退汇 TK2026-000005"), sent=[refund()]) is None
    paid = refund(leaves=False, returns=True)
    found = best(line(12000, "账号户名不符退汇 TK2026-000005"), sent=[paid])
    assert (found.kind, found.certain) == (MatchKind.REFUND_RETURNED, True)
    assert not best(line(12000, "TK2026-000005"), sent=[paid]).certain
    assert best(line(12000, "货款"), sent=[paid]) is None
    assert best(line(-12000, "TK2026-000005"), sent=[paid]) is None  # a line has shown it already


def test_payouts_are_known_by_the_number_of_their_release():
    to = "奉节脐橙合作社"
    found = best(line(-69900, "JS2026-000004-12 消费帮扶货款结算", to), sent=[payout()])
    assert (found.kind, found.certain, found.payout_id, found.attempt_id) == (MatchKind.PAYOUT, True, 3, 12)
    assert found.reasons == (Reason.PAYOUT_NUMBER, Reason.AMOUNT, Reason.PAYEE)
    # without the number, or to somebody else, a person decides
    assert not best(line(-69900, "货款结算", to), sent=[payout()]).certain
    assert not best(line(-69900, "JS2026-000004-12", "张三"), sent=[payout()]).certain
    # the number of another release is not that of this one
    assert not best(line(-69900, "JS2026-000004-12 货款", to), sent=[payout(1)]).certain
    assert best(line(-69900, "JS2026-000004-12 货款", to), sent=[payout(1, leaves=True), payout(12)]).attempt_id == 12
    back = payout(leaves=False, returns=True)
    found = best(line(69900, "退汇 JS2026-000004-12，账号户名不符", "银行"), sent=[back])
    assert (found.kind, found.certain, found.attempt_id) == (MatchKind.PAYOUT_RETURNED, True, 12)
    # what one line has used, the next does not find; but it may come back, once
    facts = Facts(sent=[payout()])
    facts.use(propose(line(-69900, "JS2026-000004-12 x", to), facts)[0])
    assert propose(line(-69900, "JS2026-000004-12 x", to), facts) == []
    facts.use(propose(line(69900, "退汇 JS2026-000004-12"), facts)[0])
    assert propose(line(69900, "退汇 JS2026-000004-12"), facts) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("JS2026-000004-1", True),
        ("货款js2026 000004－1。", True),
        ("JS2026-000004-1消费帮扶", True),
        ("JS2026-000004-12", False),
        ("JS2026-00004-1", False),
        ("", False),
    ],
)
def test_a_number_is_found_whole_however_it_was_typed(text, named):
    assert is_written(written("JS2026-000004-1"), text) is named


@pytest.mark.parametrize("leaves", [True, False])
def test_what_people_said_to_have_failed_no_rule_takes_back(leaves):
    """Be it that the books hold its payment as one that no line has shown, or not."""
    for sent, text in (
        (refund(failed=True, leaves=leaves), "TK2026-000005"),
        (payout(failed=True, leaves=leaves), "JS2026-000004-12"),
    ):
        found = best(line(-sent.amount_fen, text, sent.payee), sent=[sent])
        assert (found.certain, found.reasons[-1]) == (False, Reason.SAID_FAILED)
    listed = SentList(7, "FK2026-000001", 300, date(2026, 11, 2), (Listed(1, 11, 100), Listed(2, 12, 200)), failed=True)
    one = Line(1, -300, "FK2026-000001", booked_on=date(2026, 11, 2))
    [found] = propose(one, Facts(lists=[listed]))
    assert (found.certain, found.reasons[-1]) == (False, Reason.SAID_FAILED)
    [found] = propose(one, Facts(lists=[replace(listed, failed=False)]))
    assert found.certain


def test_the_banks_own_entries():
    assert best(line(-1050, "跨行汇款手续费", ""), order()).entry == "fee"
    assert best(line(321, "结息", ""), order()).entry == "interest"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("重庆某某食品有限责任公司", "重庆某某食品有限公司"),
        ("重庆某某（集团）有限公司", "重庆某某(集团)有限公司"),
        ("沙坪坝中学", " 沙 坪 坝 中 学 "),
        ("ABC公司", "ａｂｃ公司"),
        ("沙坪坝中学食堂专户", "沙坪坝中学"),
        ("沙坪坝区财政局零余额账户", "沙坪坝区财政局"),
    ],
)
def test_names_that_are_the_same(one, other):
    assert plain_name(one) == plain_name(other)


def test_names_that_are_not():
    assert plain_name("沙坪坝中学") != plain_name("沙坪坝小学")
    assert plain_name("某某有限公司") != plain_name("某某股份有限公司")
    assert is_like(plain_name("重庆市沙坪坝中学"), plain_name("沙坪坝中学"))
    assert not is_like(plain_name("中学"), plain_name("沙坪坝中学"))
    assert plain_name("专户")  # never empty


ORDERS = st.lists(
    st.tuples(st.integers(-500, 500), st.booleans(), st.lists(st.integers(1, 500), max_size=2)), min_size=1, max_size=4
)


@pytest.mark.slow
@given(
    ORDERS,
    st.integers(1, 600),
    st.lists(st.integers(1, 5), max_size=2),
    st.sampled_from(["沙坪坝中学", "张三", "李四", ""]),
    st.randoms(),
)
def test_certain_is_what_the_rule_says_and_nothing_else(drawn, amount, named, payer, chance):
    orders = [
        order(
            number,
            due,
            approved=frozenset({plain_name("张三")}) if approved else frozenset(),
            announced=tuple(Announced(10 * number + n, number, fen, f"REF{number}{n}X") for n, fen in enumerate(announced)),
        )
        for number, (due, approved, announced) in enumerate(drawn, 1)
    ]
    text = "货款" + "，".join(noisy(payment_reference(each), chance) for each in named)
    serial = chance.choice(["", "REF10X", "REF21X"])
    proposals = propose(Line(1, amount, text, serial, payer), Facts(orders))
    certain = [each for each in proposals if each.certain]
    # whoever paid is looked for only where a person decides; what is certain is the same
    assert [
        each for each in propose(Line(1, amount, text, serial, payer), Facts(orders, by_payer=False)) if each.certain
    ] == certain
    assert len(certain) <= 1
    assert all(0 <= each.score <= 100 and each.amount_fen <= amount and each.reasons for each in proposals)
    by_id = {each.id: each for each in orders}
    for each in certain:
        assert payer == "沙坪坝中学" or (payer == "张三" and plain_name("张三") in by_id[each.order_id].approved)
        assert each is proposals[0]
        if each.kind is MatchKind.ORDER:
            assert set(named) == {each.order_id}
            assert amount <= by_id[each.order_id].due_fen
        else:
            [announced] = [one for one in by_id[each.order_id].announced if one.payment_id == each.payment_id]
            assert announced.amount_fen == amount == each.amount_fen
            assert set(named) == {each.order_id} or (not named and plain(announced.reference) == plain(serial))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 400)), max_size=12))
def test_lines_that_are_matched_one_after_another_never_pass_what_is_due(drawn):
    facts = Facts([order(number, 500) for number in range(1, 6)])
    paid = dict.fromkeys(range(1, 6), 0)
    for number, amount in drawn:
        found = propose(line(amount, payment_reference(number)), facts)
        if found and found[0].certain:
            facts.use(found[0])
            paid[number] += amount
    assert max(paid.values()) <= 500
    assert all(facts.orders[number].due_fen == 500 - fen for number, fen in paid.items())


def test_pairs_are_found_among_all_orders_of_a_payer():
    orders = [order(number, 1) for number in range(1, 61)] + [order(61, 300), order(62, 400)]
    [together] = [each for each in propose(line(700, "货款"), Facts(orders)) if each.kind is MatchKind.ORDERS]
    assert together.orders == ((61, 300), (62, 400))


def test_random_texts_hold_no_reference():
    chance = random.Random(1)
    false = sum(bool(order_ids_in(f"RF{chance.randrange(10**10):010}")) for _ in range(20_000))
    assert false < 20_000 / 60  # one in 97 by the check digits alone
