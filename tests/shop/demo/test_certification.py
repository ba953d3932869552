"""What the demo data say of certification and supervision: every record is one that the marketplace could have made itself."""

import hashlib
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from catalog.certificates.states import CertificateState, certificate_state
from catalog.certification import steps
from catalog.certification.rules import checklist
from catalog.certification.states import CaseMove, CaseStatus, Level, course
from shop.core import clock, sealing, workdays
from shop.demo.dossier import monthly
from shop.demo.households import id_number
from shop.demo.people import COUNTY
from shop.programmes import queries as programmes

pytestmark = pytest.mark.slow


def rows(database, sql, **values):
    with database.session() as session:
        return session.execute(text(sql), values).all()


def one(database, sql, **values):
    (row,) = rows(database, sql, **values)
    return row[0]


# --- cases -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow(seconds=14)
def test_every_case_went_its_own_way_step_by_step(demo):
    """The record of each case, replayed through its state table, ends where the case is."""
    moves = rows(demo, "SELECT * FROM certification_step ORDER BY case_id, at, id")
    for case in rows(demo, "SELECT * FROM certification_case"):
        status, sent_back = CaseStatus.DRAFT, None
        for step in (move for move in moves if move.case_id == case.id):
            assert step.from_status == status
            at = steps.step_of(case.steps, status)
            supplier = step.action in ("submit", "resubmit")
            assert step.level == ("supplier" if supplier else at["level"])
            status = course(steps.codes(case.steps), sent_back).after(status, CaseMove(step.action))
            assert step.to_status == status
            if step.action in ("return", "reject"):
                sent_back = step.from_status
        assert (case.status, case.sent_back_from) == (status, sent_back), case.id


def test_the_clock_of_each_step_is_that_of_the_programme(demo):
    with demo.session() as session:
        today = clock.today()
        days, rules = workdays.calendar(session, today), programmes.config_of(session, today).certification
    reviewed = rows(
        demo, "SELECT * FROM certification_case WHERE status IN ('township_review','county_review','city_review','filing')"
    )
    for case in reviewed:
        assert case.due_on == days.add(case.entered_on, steps.step_of(case.steps, case.status)["working_days"]), case.id
    for case in rows(demo, "SELECT * FROM certification_case WHERE status = 'public_notice'"):
        assert case.entered_on == case.notice_from
        assert case.notice_until == steps.notice_end(case.notice_from, rules.public_notice_working_days, days)
    for case in rows(demo, "SELECT * FROM certification_case WHERE status = 'returned'"):
        assert case.due_on == days.add(case.entered_on, rules.correction_working_days)
        assert case.corrections
        assert case.remaining_days is not None
    overdue = "SELECT count(*) FROM certification_case WHERE status = 'county_review' AND due_on < :today"
    assert one(demo, overdue, today=today) == 1


def test_late_steps_are_marked(demo):
    late = "SELECT count(*) FROM certification_step WHERE late"
    assert one(demo, late) > 0
    assert one(demo, f"{late} AND working_days <= 3 AND from_status IN ('township_review','county_review','city_review')") == 0


def test_townships_review_what_names_a_township(demo):
    wrong = """
        SELECT count(*) FROM certification_case c JOIN product p ON p.id = c.product_id
        WHERE c.township_code IS DISTINCT FROM p.township_code
           OR ((p.township_code IS NOT NULL) <> c.steps @> '[{"step": "township_review"}]')
    """
    assert one(demo, wrong) == 0


def test_a_department_spoke_before_a_county_passed_a_case(demo):
    unheard = """
        SELECT count(*) FROM certification_step s WHERE s.from_status = 'county_review' AND s.action = 'approve'
        AND NOT EXISTS (SELECT FROM certification_opinion o WHERE o.case_id = s.case_id AND o.step = 'county_review' AND o.at < s.at
            AND o.author_id <> s.actor_id)
    """
    assert one(demo, unheard) == 0


def test_nobody_acts_at_two_levels_or_out_of_office(demo):
    twice = (
        "SELECT count(*) FROM (SELECT 1 FROM certification_step WHERE level <> 'supplier' GROUP BY case_id, actor_id"
        " HAVING count(DISTINCT level) > 1) t"
    )
    assert one(demo, twice) == 0
    strange = """
        SELECT count(*) FROM certification_step s JOIN certification_case c ON c.id = s.case_id
        WHERE s.level <> 'supplier' AND NOT EXISTS (SELECT FROM user_role r WHERE r.user_id = s.actor_id AND r.role = s.actor_role
            AND r.role = s.level || '_officer' AND starts_with(coalesce(c.township_code, c.district_code), r.region_code))
        AND s.level <> 'city'
    """
    assert one(demo, strange) == 0
    assert {row.level for row in rows(demo, "SELECT DISTINCT level FROM certification_step")} == {level.value for level in Level}


def test_what_was_handed_in_is_complete(demo):
    """The demo's applications hold what the programme's checklist asks for."""
    with demo.session() as session:
        rules = programmes.config_of(session, clock.today()).certification
    papers = rows(demo, "SELECT * FROM certification_document")
    cases = rows(
        demo,
        "SELECT c.*, p.kind AS sort, p.category, p.specification, p.village, p.producer FROM certification_case c"
        " JOIN product p ON p.id = c.product_id WHERE c.status <> 'draft'",
    )
    for case in cases:
        brought = {paper.kind: paper for paper in papers if paper.case_id == case.id}
        assert set(checklist(rules, case.sort, case.category).documents) <= set(brought), case.id
        assert all(
            case[name] for name in map(case._fields.index, ("statement", "specification", "village", "linkage", "linkage_modes"))
        )
        assert case.comparable_price_fen
        assert case.comparable_price_source
        assert case.comparable_price_on < case.submitted_at.date()
        assert (case.comparable_pack_grams is not None) == (case.sort == "goods")
        for paper in brought.values():
            assert paper.issued_on < clock.shanghai_date(case.submitted_at)
            if paper.kind in ("production_licence", "quarantine_certificate", "business_licence"):
                assert paper.number
        if case.monthly_capacity_kg:
            assert sum(case.monthly_capacity_kg) == case.annual_capacity_kg


# --- households --------------------------------------------------------------------------------------------------------


def test_lists_of_households_agree_with_what_is_stated(demo):
    differing = """
        SELECT count(*) FROM certification_case c
        JOIN (SELECT case_id, count(*) AS persons, count(DISTINCT household_hash) AS households FROM household_member GROUP BY 1) m
          ON m.case_id = c.id
        WHERE (c.households, c.persons) <> (m.households, m.persons)
    """
    assert one(demo, differing) == 0
    unlisted = (
        "SELECT count(*) FROM certification_case c WHERE (status <> 'approved' OR households <= 12)"
        " AND NOT EXISTS (SELECT FROM household_member WHERE case_id = c.id)"
    )
    assert one(demo, unlisted) == 0


def test_who_the_households_are_is_sealed(demo):
    for member in rows(demo, "SELECT m.*, c.district_code FROM household_member m JOIN certification_case c ON c.id = m.case_id"):
        person = sealing.unseal(member.sealed)
        assert id_number(person["id_number"][:6], _born(person), int(person["id_number"][14:17])) == person["id_number"]
        assert person["id_number"][:6] == member.district_code
        assert member.person_hash == sealing.keyed_hash("person", person["id_number"])
        assert member.household_hash == sealing.keyed_hash("household", member.district_code, person["household_no"])


def _born(person):
    return date.fromisoformat(person["id_number"][6:14])


def test_the_check_character_is_that_of_the_standard():
    # computed by hand from GB 11643: the remainder 2 gives X
    assert id_number("110105", date(1949, 12, 31), 2) == "11010519491231002X"


@given(st.integers(0, 10**9), st.lists(st.floats(0.001, 12, allow_nan=False), min_size=12, max_size=12))
def test_months_add_up_to_the_year(annual, weights):
    season = [weight * 12 / sum(weights) for weight in weights]
    months = monthly(annual, season)
    assert sum(months) == annual
    assert len(months) == 12


# --- certificates ------------------------------------------------------------------------------------------------------


def test_certificates_are_numbered_without_gaps_in_the_order_of_their_issue(demo):
    counted = {}
    for certificate in rows(demo, "SELECT * FROM certificate ORDER BY issued_at, case_id"):
        series = f"CQ-{clock.shanghai_date(certificate.issued_at).year}-{certificate.district_code}"
        counted[series] = counted.get(series, 0) + 1
        assert certificate.number == f"{series}-{counted[series]:06}"
    last = {row.series: row.last for row in rows(demo, "SELECT * FROM number_series WHERE series LIKE 'certificate:%'")}
    assert last == {f"certificate:{series[3:7]}:{series[8:]}": count for series, count in counted.items()}


def test_every_certificate_stands_in_a_batch_of_its_day(demo):
    wrong = """
        SELECT count(*) FROM certificate c JOIN certification_case k ON k.id = c.case_id LEFT JOIN catalogue_batch b ON b.id = c.batch_id
        WHERE b.status IS DISTINCT FROM 'published' OR b.published_at <> c.issued_at OR k.batch_id <> b.id OR k.status <> 'approved'
           OR k.decided_at <> c.issued_at
    """
    assert one(demo, wrong) == 0
    batches = rows(demo, "SELECT number, published_at FROM catalogue_batch ORDER BY published_at")
    years = [clock.shanghai_date(batch.published_at).year for batch in batches]
    assert [batch.number for batch in batches] == [f"{year}-{years[: at + 1].count(year):02}" for at, year in enumerate(years)]


def test_a_certificate_says_what_its_case_and_product_say(demo):
    differing = """
        SELECT count(*) FROM certificate c JOIN certification_case k ON k.id = c.case_id JOIN product p ON p.id = c.product_id
        WHERE (c.district_code, c.township_code, c.annual_capacity_kg, c.monthly_capacity_kg, c.households, c.persons,
               c.comparable_price_fen, c.comparable_pack_grams) IS DISTINCT FROM
              (k.district_code, k.township_code, k.annual_capacity_kg, k.monthly_capacity_kg, k.households, k.persons,
               k.comparable_price_fen, k.comparable_pack_grams)
           OR (c.village, c.producer, c.grade, c.specification, c.product_name) IS DISTINCT FROM
              (p.village, p.producer, p.grade, p.specification, p.name)
    """
    assert one(demo, differing) == 0


def test_the_history_of_a_certificate_ends_in_its_state(demo):
    events = rows(demo, "SELECT * FROM certificate_event ORDER BY certificate_id, at, id")
    found = set()
    for row in rows(demo, "SELECT * FROM certificate"):
        told = [event for event in events if event.certificate_id == row.id]
        assert (told[0].kind, told[0].at) == ("issued", row.issued_at)
        state = certificate_state(
            revoked=row.revoked_at is not None,
            suspended_at=row.suspended_at,
            suspended_until=row.suspended_until,
            held=row.held_at is not None,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            papers_valid_until=row.papers_valid_until,
            now=clock.now(),
            today=clock.today(),
        )
        found.add(state)
        stopped = [event for event in told if event.kind in ("suspended", "revoked")]
        assert [event.at for event in stopped] == [at for at in (row.suspended_at, row.revoked_at) if at]
    states = CertificateState
    assert found == {states.IN_FORCE, states.SUSPENDED, states.REVOKED, states.EXPIRED}


def test_a_revocation_had_its_statement_and_its_time(demo):
    (revoked,) = rows(demo, "SELECT r.*, c.issued_at, c.revoked_at FROM revocation r JOIN certificate c ON c.id = r.certificate_id")
    assert revoked.issued_at < revoked.opened_at < revoked.stated_at < revoked.decided_at == revoked.revoked_at
    assert clock.shanghai_date(revoked.stated_at) <= revoked.statement_due_on
    assert revoked.opened_by != revoked.decided_by


def test_nothing_was_ordered_under_a_certificate_that_was_not_in_force(demo):
    wrong = """
        SELECT count(*) FROM order_line l JOIN purchase_order o ON o.id = l.purchase_order_id JOIN certificate c ON c.id = l.certificate_id
        WHERE o.placed_at < c.issued_at OR (o.placed_at AT TIME ZONE 'Asia/Shanghai')::date > least(c.valid_until, c.papers_valid_until)
           OR o.placed_at >= c.suspended_at OR o.placed_at >= c.revoked_at
    """
    assert one(demo, wrong) == 0


def test_no_price_lies_above_its_ceiling(demo):
    """But for what needs a review, which the demo has none of."""
    dear = """
        SELECT count(*) FROM price_tier t JOIN sku s ON s.id = t.sku_id JOIN product p ON p.id = s.product_id
        WHERE CASE WHEN s.net_grams IS NULL THEN t.unit_price_fen > p.ceiling_fen
              ELSE t.unit_price_fen::numeric * p.ceiling_grams > p.ceiling_fen::numeric * s.net_grams END
    """
    assert one(demo, dear) == 0
    assert one(demo, "SELECT count(*) FROM product WHERE ceiling_fen IS NOT NULL") == one(demo, "SELECT count(*) FROM certificate")


# --- supervision -------------------------------------------------------------------------------------------------------


def test_objections_are_against_notices_and_hide_who_objects(demo):
    found = rows(
        demo, "SELECT o.*, c.notice_from AS noticed FROM objection o JOIN certification_case c ON c.id = o.case_id ORDER BY o.id"
    )
    assert [(row.status, bool(row.answer)) for row in found] == [("received", False), ("dismissed", True)]
    for row in found:
        assert row.notice_from == row.noticed
        assert re.fullmatch(rf"YY-\d{{4}}-{COUNTY}-[2-9A-HJKMNP-Z]{{16}}", row.receipt)
        assert sealing.unseal(row.sealed_contact)["phone"].encode() not in bytes(row.sealed_contact)


def test_anybody_can_repeat_the_draw_of_the_plan(demo):
    (plan,) = rows(demo, "SELECT * FROM check_plan")
    drawn_on = clock.shanghai_date(plan.drawn_at)
    numbers = [
        row.number
        for row in rows(
            demo,
            "SELECT number FROM certificate WHERE district_code = :county AND valid_from <= :on AND valid_until >= :on"
            " AND revoked_at IS NULL AND suspended_at IS NULL ORDER BY id",
            county=COUNTY,
            on=drawn_on,
        )
    ]
    assert plan.population == len(numbers)
    assert plan.population_sha256 == hashlib.sha256("\n".join(numbers).encode()).hexdigest()
    drawn = sorted(numbers, key=lambda number: hashlib.sha256(f"{plan.seed}:{number}".encode()).hexdigest())[: plan.size]
    inspected = rows(
        demo, "SELECT c.number, i.status FROM inspection i JOIN certificate c ON c.id = i.certificate_id ORDER BY c.id"
    )
    assert sorted(row.number for row in inspected) == sorted(drawn)
    assert [row.status for row in inspected] == ["passed", "open"]


def test_the_flagged_product_sold_more_than_it_was_certified_for(demo):
    (flag,) = rows(
        demo, "SELECT f.*, c.product_id, c.annual_capacity_kg FROM capacity_flag f JOIN certificate c ON c.id = f.certificate_id"
    )
    sold = one(
        demo,
        "SELECT round(sum(m.reserved * s.net_grams))::bigint FROM stock_movement m JOIN sku s ON s.id = m.sku_id"
        " WHERE s.product_id = :id AND m.kind IN ('reserve', 'release') AND extract(year FROM m.at AT TIME ZONE 'Asia/Shanghai') = :year",
        id=flag.product_id,
        year=flag.year,
    )
    assert (flag.committed_grams, flag.capacity_grams) == (sold, flag.annual_capacity_kg * 1000)
    assert flag.capacity_grams < flag.committed_grams < flag.capacity_grams * 6 // 5
    assert flag.explanation


def test_the_upheld_complaint_left_a_warning(demo):
    (complaint,) = rows(demo, "SELECT * FROM complaint")
    assert (complaint.status, bool(complaint.answer), bool(complaint.statement)) == ("upheld", True, True)
    (warned,) = rows(demo, "SELECT * FROM certificate_event WHERE kind = 'warned'")
    assert (warned.certificate_id, warned.at, warned.reason_code) == (
        complaint.certificate_id,
        complaint.decided_at,
        "complaint_upheld",
    )


def test_the_price_found_elsewhere_is_compared_gram_for_gram(demo):
    (check,) = rows(demo, "SELECT * FROM price_check")
    exact = (check.own_fen * check.found_grams - check.found_fen * check.own_grams) * 10_000 / (check.found_fen * check.own_grams)
    assert check.above_bp == pytest.approx(exact, abs=0.5)
    assert 0 < check.above_bp < 1_000
