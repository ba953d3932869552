"""What the demo's applications bring: facts about the product, and papers with their numbers and dates."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from shop.core import clock, storage
from shop.demo.papers import paper
from shop.demo.people import Supplier
from shop.demo.rows import Table

_ISSUERS = {
    "business_licence": "{district}市场监督管理局",
    "production_licence": "{district}市场监督管理局",
    "quarantine_certificate": "{district}动物卫生监督所",
    "test_report": "重庆市农产品质量安全检测中心",
    "quality_certificate": "中国绿色食品发展中心",
}
_STANDARDS = {
    "fruit": "GB/T 33670",
    "vegetable": "NY/T 1741",
    "grain_oil": "GB/T 1354",
    "tea": "GB/T 14456",
    "honey": "GB 14963",
    "handicraft": "企业标准",
    "rural_tourism": "LB/T 065",
}


def specification(row: dict[str, str]) -> str:
    """What a product is, and by which standard."""
    return f"{row['pack']}，{_STANDARDS.get(row['category'], 'GB 2762、GB 2763')}"


def monthly(annual: int, season: Sequence[float]) -> list[int]:
    """A year's capacity over its months in proportion to the season; the first month takes what rounding leaves."""
    months = [int(annual * weight / 12) for weight in season]
    months[0] += annual - sum(months)
    return months


@dataclass(frozen=True)
class Paper:
    """One paper as it is on record. ``valid_until``: its last day; None: no end."""

    kind: str
    valid_until: date | None


@dataclass(frozen=True)
class Applied:
    """A product as its case sees it; ``season`` has a weight for each month, 1 on average."""

    row: dict[str, str]
    product_id: int
    supplier: Supplier
    district: str
    district_name: str
    village: str
    producer: str
    grade: str
    specification: str
    season: Sequence[float]


class Dossiers:
    """Gathers the papers of cases and the files behind them."""

    def __init__(self, session: Session, chance: random.Random) -> None:
        self.chance = chance
        self.files = Table(session, "stored_file", "storage_key name content_type size sha256 uploaded_by uploaded_at")
        self.documents = Table(session, "certification_document", "case_id side kind file_id number issuer issued_on valid_until")
        self._stored: dict[str, tuple[str, str, int]] = {}

    def bring(
        self, case_id: int, kinds: Sequence[str], district: str, user_id: int, at: datetime, ends: dict[str, date] | None = None
    ) -> list[Paper]:
        """The papers of one case, uploaded at a moment; ``ends`` says of some when they end."""
        return [self._paper(case_id, kind, district, user_id, at, (ends or {}).get(kind)) for kind in kinds]

    def _paper(self, case_id: int, kind: str, district: str, user_id: int, at: datetime, end: date | None) -> Paper:
        day = clock.shanghai_date(at)
        issued = day - timedelta(days=self.chance.randint(20, 200))
        number = {
            "business_licence": f"渝市监照字 {self.chance.randint(10**5, 10**6 - 1)}",
            "production_licence": f"SC1{self.chance.randint(10**12, 10**13 - 1)}",
            "test_report": f"NJ{day:%Y}-{self.chance.randint(1, 9999):04}",
            "quarantine_certificate": f"渝动检 {self.chance.randint(10**7, 10**8 - 1)}",
            "quality_certificate": f"LB-{self.chance.randint(10, 60)}-{day:%y%m}{self.chance.randint(0, 999):03}",
        }.get(kind)
        if kind == "production_licence":  # five years (食品生产许可管理办法, article 19)
            end = date(issued.year + 5, issued.month, min(issued.day, 28)) - timedelta(days=1)
        issuer = _ISSUERS[kind].format(district=district) if kind in _ISSUERS else None
        content_key, sha256, size = self._content(kind)
        file_id = self.files.add(content_key, f"{kind}.pdf", "application/pdf", size, sha256, user_id, at)
        self.documents.add(case_id, "supplier", kind, file_id, number, issuer, issued, end)
        return Paper(kind, end)

    def _content(self, kind: str) -> tuple[str, str, int]:
        """Papers of a kind look alike, so the store keeps one of each."""
        if kind not in self._stored:
            content = paper(kind.replace("_", " ").title())
            self._stored[kind] = (*storage.put(content), len(content))
        return self._stored[kind]
