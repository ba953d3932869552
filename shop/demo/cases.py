"""The demo's certification cases: each product's way to its certificate, or to where it waits today."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from catalog.certification import rules
from catalog.certification.states import CERTIFICATION, CaseAction, CaseStatus
from shop.core import clock, storage
from shop.core.money import fen_from_yuan
from shop.core.workdays import Calendar
from shop.demo.papers import paper
from shop.demo.people import People, Supplier
from shop.demo.rows import Table, write_all
from shop.demo.trail import Trail
from shop.identity.permissions import Role
from shop.programmes import queries as programmes

#: Working days before the last step at which each step was taken. The public notice and a margin lie between publishing and closing.
_TO_CERTIFICATE = (("submit", 11), ("take_up", 9), ("publish_notice", 8), ("close_notice", 2), ("certify", 0))
#: The same, back from today, for each state in which a product of ``products.csv`` may be.
_WAYS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "draft": (),
    "submitted": (("submit", 2),),
    "county_review": (("submit", 4), ("take_up", 2)),
    "notice_open": (("submit", 6), ("take_up", 4), ("publish_notice", 2)),
    "notice_over": (("submit", 12), ("take_up", 10), ("publish_notice", 8)),
    "city_review": (("submit", 14), ("take_up", 12), ("publish_notice", 10), ("close_notice", 3)),
    "returned": (("submit", 7), ("take_up", 5), ("return", 4)),
    "rejected": (("submit", 18), ("take_up", 16), ("reject", 12)),
}
_REASONS = {
    "return": "检测报告已过期，请补充近一年内的检测报告",
    "reject": "产品原料主要来自外地，不符合认定条件",
}
_LINKAGES = ["订单收购", "务工就业", "土地流转租金", "股份分红", "代养托管"]


@dataclass(frozen=True)
class Certified:
    """A certificate and the days on which its product was ordered: from ``since`` to the day before ``until``."""

    certificate_id: int
    since: date
    until: date | None


class CaseBook:
    """Gathers cases with their steps, documents and certificates."""

    def __init__(
        self, session: Session, trail: Trail, people: People, workdays: Calendar, chance: random.Random, start: date, today: date
    ) -> None:
        self.session, self.trail, self.people, self.workdays = session, trail, people, workdays
        self.chance, self.start, self.today = chance, start, today
        self.cases = Table(
            session,
            "certification_case",
            "product_id supplier_id programme_code district_code status statement annual_capacity_kg households persons linkage"
            " comparable_price_fen comparable_price_source decision_reason submitted_at notice_from notice_until decided_at"
            " created_at version",
        )
        self.steps = Table(session, "certification_step", "case_id action from_status to_status actor_id actor_role reason at")
        self.files = Table(session, "stored_file", "storage_key name content_type size sha256 uploaded_by uploaded_at")
        self.documents = Table(session, "certification_document", "case_id kind file_id")
        self.certificates = Table(
            session,
            "certificate",
            "number case_id product_id supplier_id programme_code district_code product_name supplier_name annual_capacity_kg"
            " households persons valid_from valid_until suspended_at revoked_at issued_at",
        )
""" 
