"""What the county and the city do with an application."""

from sqlmodel import Session

from catalog.certification import rules
from catalog.certification.actions.cases import begin, finish
from catalog.certification.errors import NoticeRunning
from catalog.certification.models import Certificate, CertificationCase
from catalog.certification.states import CaseMove
from catalog.products.models import Product
from shop.core import audit, clock, numbers, outbox, workdays
from shop.identity import queries as organisations
from shop.identity.actor import Actor
from shop.identity.models import Organisation
from shop.programmes import queries as programmes

# Every function here raises NotFound (404) for a case out of reach, IllegalMove (409) for a state that has no such move, and
# Forbidden (403) in its kinds NotYourRegion, OwnCase and SamePerson.


def take_up(session: Session, actor: Actor, case_id: int) -> None:
    """The county begins its review."""
    case = begin(session, actor, case_id, CaseMove.TAKE_UP)
    finish(session, actor, case, CaseMove.TAKE_UP)


def publish_notice(session: Session, actor: Actor, case_id: int) -> None:
    """The county found nothing against it and tells the public; the programme says for how many working days."""
    case = begin(session, actor, case_id, CaseMove.PUBLISH_NOTICE)
    today = clock.today()
    working_days = programmes.config_of(session, today).certification.public_notice_working_days
    case.notice_from = today
    case.notice_until = rules.notice_end(today, working_days, workdays.calendar(session, today))
    finish(session, actor, case, CaseMove.PUBLISH_NOTICE, until=case.notice_until.isoformat())
    outbox.publish(session, "certification.noticed", case_id=case.id, version=case.version)


def close_notice(session: Session, actor: Actor, case_id: int, reason: str | None) -> None:
    """The county decides for the product after the notice and passes it on to the city.

    Raises:
        NoticeRunning: the notice has not ended (409).
    """
    case = begin(session, actor, case_id, CaseMove.CLOSE_NOTICE)
    if case.notice_until is None or clock.today() < case.notice_until:
        raise NoticeRunning(until=case.notice_until.isoformat() if case.notice_until else None)
    finish(session, actor, case, CaseMove.CLOSE_NOTICE, reason)
    _tell_decided(session, case)


def certify(session: Session, actor: Actor, case_id: int, reason: str | None) -> None:
    """The city certifies the product: a numbered certificate from today on, with the names as they are now.

    Raises:
        OrganisationNotApproved: the supplier was suspended meanwhile (409).
    """
    case = begin(session, actor, case_id, CaseMove.CERTIFY)
    organisations.require_approved(session, case.supplier_id)
    case.decided_at = clock.now()
    finish(session, actor, case, CaseMove.CERTIFY, reason)
    certificate = _issue(session, case)
    audit.record(session, actor, "certificate.issued", "certificate", certificate.id, number=certificate.number)
    outbox.publish(session, "certificate.issued", certificate_id=certificate.id)


def return_(session: Session, actor: Actor, case_id: int, reason: str) -> None:
    """Give the application back to the supplier, who may correct and submit it again."""
    _refuse(session, actor, case_id, CaseMove.RETURN, reason)


def reject(session: Session, actor: Actor, case_id: int, reason: str) -> None:
    """Decide against the application for good."""
    _refuse(session, actor, case_id, CaseMove.REJECT, reason)


def _refuse(session: Session, actor: Actor, case_id: int, move: CaseMove, reason: str) -> None:
    case = begin(session, actor, case_id, move)
    case.decision_reason = reason
    case.decided_at = clock.now() if move is CaseMove.REJECT else None
    finish(session, actor, case, move, reason)
    _tell_decided(session, case)


def _tell_decided(session: Session, case: CertificationCase) -> None:
    outbox.publish(session, "certification.decided", case_id=case.id, version=case.version, status=case.status)


def _issue(session: Session, case: CertificationCase) -> Certificate:
    today = clock.today()
    config = programmes.config_of(session, today)
    count = numbers.next_number(session, rules.certificate_series(today.year, case.district_code))
    certificate = Certificate(
        number=rules.certificate_number(today.year, case.district_code, count),
        case_id=case.id,
        product_id=case.product_id,
        supplier_id=case.supplier_id,
        programme_code=config.code,
        district_code=case.district_code,
        product_name=session.get_one(Product, case.product_id).name,
        supplier_name=session.get_one(Organisation, case.supplier_id).name,
        annual_capacity_kg=case.annual_capacity_kg,
        households=case.households,
        persons=case.persons,
        valid_from=today,
        valid_until=rules.last_day(today, config.certification.validity_months),
        issued_at=clock.now(),
    )
    session.add(certificate)
    session.flush()
    return certificate
