"""Certificates are given, changed and renewed by what certification decides."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from catalog.certificates import queries, rules
from catalog.certificates.actions.measures import event, locked, note
from catalog.certificates.models import Certificate
from catalog.certificates.rules import Paper
from catalog.certificates.states import CertificateState
from catalog.products import listing
from catalog.products.models import Product
from shop.core import audit, clock, numbers, outbox
from shop.identity.actor import Actor
from shop.programmes import queries as programmes

_CASES = text(
    """
    SELECT k.id, k.kind, k.certificate_id, k.product_id, k.supplier_id, k.programme_code, k.district_code, k.township_code,
           k.annual_capacity_kg, k.monthly_capacity_kg, k.comparable_price_fen, k.comparable_pack_grams, k.households, k.persons,
           p.village, p.name AS product_name, p.producer, p.grade, p.specification, o.name AS supplier_name,
           old.valid_until AS old_valid_until, old.revoked_at IS NULL AS old_stands
    FROM certification_case k
    JOIN product p ON p.id = k.product_id
    JOIN organisation o ON o.id = k.supplier_id
    LEFT JOIN certificate old ON old.id = k.certificate_id
    WHERE k.id = ANY (:ids)
    ORDER BY k.district_code, k.id
    """
)
#: The papers of the cases behind a certificate: the one that ended in it, and the changes that were approved since.
_PAPERS_OF_CASES = text(
    "SELECT case_id, id, kind, number, valid_until FROM certification_document WHERE case_id = ANY (:ids) AND side = 'supplier'"
)
_PAPERS_OF_CERTIFICATE = text(
    "SELECT d.id, d.kind, d.number, d.valid_until FROM certification_document d JOIN certification_case k ON k.id = d.case_id"
    " WHERE d.side = 'supplier' AND (k.id = :case_id OR (k.certificate_id = :id AND k.kind = 'change' AND k.status = 'approved'))"
)
_SET_CEILINGS = text(
    "UPDATE product SET ceiling_fen = u.fen, ceiling_grams = u.grams, version = version + 1"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:fen AS bigint[]), CAST(:grams AS bigint[])) AS u (id, fen, grams) WHERE product.id = u.id"
)
#: What a certificate says of its product, under the same name.
_OF_PRODUCT = ("township_code", "village", "producer", "grade", "specification")


def issue(session: Session, actor: Actor, case_ids: Sequence[int], batch_id: int | None) -> list[int]:
    """Give a certificate for each of these decided cases, numbered without gaps per year and county; returns their ids.

    A renewal begins the day after the certificate that it continues, so that nothing of that one's time is lost.
    """
    today = clock.today()
    config = programmes.config_of(session, today).certification
    cases = session.execute(_CASES, {"ids": list(case_ids)}).all()
    papers = _papers(session, case_ids)
    issued: list[tuple[Certificate, Row[Any]]] = []
    for district, group in groupby(cases, key=lambda case: case.district_code):
        gathered = list(group)
        counts = numbers.next_numbers(session, rules.certificate_series(today.year, district), len(gathered))
        for case, count in zip(gathered, counts, strict=True):
            first = max(today, case.old_valid_until + timedelta(days=1)) if case.kind == "renewal" and case.old_stands else today
            said = {
                name: getattr(case, name)
                for name in Certificate.model_fields
                if name not in ("id", "case_id") and hasattr(case, name)
            }
            certificate = Certificate(
                **said,
                number=rules.certificate_number(today.year, district, count),
                case_id=case.id,
                batch_id=batch_id,
                renews_id=case.certificate_id,
                valid_from=first,
                valid_until=rules.last_day(first, config.validity_months),
                papers_valid_until=rules.papers_end(papers.get(case.id, [])),
                issued_at=clock.now(),
            )
            issued.append((certificate, case))
    session.add_all([certificate for certificate, _ in issued])
    session.flush()
    _set_ceilings(session, [case for _, case in issued], config.price_tolerance_percent)
    session.add_all(event(actor, certificate.id, "issued") for certificate, _ in issued)
    session.add_all(event(actor, case.certificate_id, "renewed") for _, case in issued if case.certificate_id is not None)
    session.flush()
    numbered = [(certificate.id, {"number": certificate.number}) for certificate, _ in issued]
    audit.record_each(session, actor, "certificate.issued", "certificate", numbered)
    outbox.publish_each(session, "certificate.issued", "certificate_id", [certificate.id for certificate, _ in issued])
    return [certificate.id for certificate, _ in issued]


def change(session: Session, actor: Actor, certificate_id: int, changes: Mapping[str, Any]) -> None:
    """Let a certificate, and the product where it speaks of that, say what a review agreed to."""
    certificate = locked(session, certificate_id)
    for field, value in changes.items():
        setattr(certificate, field, value)
    session.add(certificate)
    if of_product := {field: changes[field] for field in _OF_PRODUCT if field in changes}:
        product = session.get_one(Product, certificate.product_id, with_for_update=True)
        for field, value in of_product.items():
            setattr(product, field, value)
        product.version += 1
        session.add(product)
    session.flush()
    if of_product:
        listing.refresh_text(session, [certificate.product_id])
    note(session, actor, certificate.id, "changed")
    audit.record(session, actor, "certificate.changed", "certificate", certificate.id, fields=sorted(changes))
    outbox.publish(session, "certificate.changed", certificate_id=certificate.id, at=clock.now().isoformat())


def renew_papers(session: Session, actor: Actor, certificate_id: int, case_id: int) -> None:
    """Count the papers again, those of an approved change among them: a certificate whose licence was prolonged goes on."""
    certificate = locked(session, certificate_id)
    rows = session.execute(_PAPERS_OF_CERTIFICATE, {"id": certificate_id, "case_id": certificate.case_id})
    ends = rules.papers_end(Paper(row.kind, row.number, row.valid_until, row.id) for row in rows)
    if ends == certificate.papers_valid_until:
        return
    expired = queries.state_of(certificate) is CertificateState.PAPERS_EXPIRED
    certificate.papers_valid_until = ends
    session.add(certificate)
    session.flush()
    note(session, actor, certificate.id, "papers_renewed")
    audit.record(session, actor, "certificate.papers_renewed", "certificate", certificate.id, case_id=case_id)
    if expired and queries.state_of(certificate) is not CertificateState.PAPERS_EXPIRED:
        outbox.publish(session, "certificate.papers_renewed", certificate_id=certificate.id, at=clock.now().isoformat())


def _papers(session: Session, case_ids: Sequence[int]) -> dict[int, list[Paper]]:
    papers: dict[int, list[Paper]] = {}
    for row in session.execute(_PAPERS_OF_CASES, {"ids": list(case_ids)}):
        papers.setdefault(row.case_id, []).append(Paper(row.kind, row.number, row.valid_until, row.id))
    return papers


def _set_ceilings(session: Session, cases: Sequence[Row[Any]], tolerance_percent: int) -> None:
    priced = [case for case in cases if case.comparable_price_fen is not None]
    values = {
        "ids": [case.product_id for case in priced],
        "fen": [rules.ceiling(case.comparable_price_fen, tolerance_percent) for case in priced],
        "grams": [case.comparable_pack_grams for case in priced],
    }
    session.execute(_SET_CEILINGS, values)
