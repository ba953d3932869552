"""The grade of a figure: how much of it is proven by papers, and what makes it doubtful. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.programmes.reporting import GradingRules, Letter

#: From the best to the worst.
LETTERS: tuple[Letter, ...] = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sales of a figure before returns, in fen, by how far their papers go.

    ``strong``: ordered, accepted, invoiced and paid here; told by an outlet's device in its hash chain; claimed with an invoice and a bank receipt
    or waybill. ``partial``: a part of it. ``weak``: none.
    """

    strong: int = 0
    partial: int = 0
    weak: int = 0

    @property
    def total(self) -> int:
        return self.strong + self.partial + self.weak

    def __add__(self, other: "Evidence") -> "Evidence":
        return Evidence(self.strong + other.strong, self.partial + other.partial, self.weak + other.weak)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is looked at for plausibility. ``now``, ``before``: fen of the month and of the month before."""

    over_capacity: int = 0
    copied_days: int = 0
    now_fen: int = 0
    before_fen: int = 0
    claimed: int = 0
    claimed_round: int = 0

    def __add__(self, other: "Signals") -> "Signals":
        return Signals(*(getattr(self, name) + getattr(other, name) for name in Signals.__slots__))


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason to doubt, in words."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Grade:
    letter: Letter
    #: 0 to 100, by the papers alone.
    points: int
    reasons: tuple[Flag, ...]


def points(evidence: Evidence, rules: GradingRules) -> int | None:
    """Points by amount, rounded down; None where nothing was sold."""
    if evidence.total <= 0:
        return None
    weighted = evidence.strong * rules.strong_points + evidence.partial * rules.partial_points + evidence.weak * rules.weak_points
    return weighted // evidence.total


def flags(signals: Signals, rules: GradingRules) -> list[Flag]:
    """What makes a figure doubtful."""
    found = []
    if signals.over_capacity:
        count = signals.over_capacity
        found.append(
            Flag("over_capacity", f"{count} 个认定产品本年销量超过产能", f"{count} certified product(s) sold beyond capacity")
        )
    if signals.copied_days:
        count = signals.copied_days
        found.append(
            Flag(
                "copied_batches",
                f"{count} 个网点日的销售明细与其他日期完全相同",
                f"{count} day(s) of outlets repeat another day's lines",
            )
        )
    if _odd_growth(signals, rules):
        found.append(
            Flag(
                "odd_growth", f"较上月变动超过 {rules.growth_percent}%", f"more than {rules.growth_percent} % off the month before"
            )
        )
    if signals.claimed >= rules.round_entries and signals.claimed_round * 100 >= signals.claimed * rules.round_percent:
        share = signals.claimed_round * 100 // signals.claimed
        found.append(
            Flag(
                "round_amounts",
                f"申报销售中 {share}% 为整 {rules.round_yuan} 元",
                f"{share} % of claims are whole {rules.round_yuan} yuan",
            )
        )
    return found


def _odd_growth(signals: Signals, rules: GradingRules) -> bool:
    low, high = sorted((signals.now_fen, signals.before_fen))
    if high < rules.growth_floor_yuan * 100 or (low <= 0 and signals.before_fen <= 0):
        return False  # too small to tell, or new: there is nothing to compare with
    return (high - low) * 100 > max(low, 0) * rules.growth_percent


def grade(evidence: Evidence, signals: Signals, rules: GradingRules) -> Grade | None:
    """The grade: what the papers give, one step less for each flag. None where nothing was sold."""
    reached = points(evidence, rules)
    if reached is None:
        return None
    doubts = flags(signals, rules)
    by_papers = next(
        (n for n, least in enumerate((rules.a_points, rules.b_points, rules.c_points)) if reached >= least), len(LETTERS) - 1
    )
    percent = evidence.strong * 100 // evidence.total
    papers = Flag(
        "evidence",
        f"凭证齐全的占 {percent}%，凭证得分 {reached}",
        f"{percent} % with all papers, {reached} points",
    )
    return Grade(LETTERS[min(by_papers + len(doubts), len(LETTERS) - 1)], reached, (papers, *doubts))


def publishable(letter: Letter, rules: GradingRules) -> bool:
    """Whether a figure of this grade is published without an explanation."""
    return LETTERS.index(letter) <= LETTERS.index(rules.published)


def together(found: Sequence[Evidence]) -> Evidence:
    return sum(found, Evidence())
