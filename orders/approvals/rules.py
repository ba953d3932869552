"""Which steps of approval an order takes, and who may take them: pure functions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shop.identity.permissions import Role

#: Roles that a step may be given to.
APPROVING = (Role.APPROVER, Role.FINANCE, Role.BUYER_ADMIN)


@dataclass(frozen=True, slots=True)
class Step:
    """One approval: by anybody with the role in the organisation, or by one of the people named."""

    name: str
    organisation_id: int
    role: str | None = None
    user_ids: tuple[int, ...] = ()

    @property
    def asked(self) -> tuple[int, str | None, tuple[int, ...]]:
        """Whom it asks, whatever it is called."""
        return self.organisation_id, self.role, self.user_ids


@dataclass(frozen=True, slots=True)
class Rule:
    """``depth``: how far down the tree the rule's unit lies; the steps of the lowest unit come first."""

    id: int
    depth: int
    position: int
    min_fen: int
    cumulative: bool
    fund_sources: frozenset[str]
    categories: frozenset[str]
    steps: tuple[Step, ...]


#: Fen by fund source and category.
Spend = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is to be ordered: fen by category, from one fund; and what its unit ordered before in the year."""

    fund_source: str
    amounts: Mapping[str, int]
    spent: Spend = field(default_factory=dict)


def matches(rule: Rule, purchase: Purchase) -> bool:
    """Whether a rule asks for its steps. A rule with categories looks at what is ordered of these alone; a cumulative one adds what was spent
    before in the year from its funds (named none: from all) on its categories."""
    if rule.fund_sources and purchase.fund_source not in rule.fund_sources:
        return False
    concerned = [fen for category, fen in purchase.amounts.items() if not rule.categories or category in rule.categories]
    if not concerned:
        return False
    amount = sum(concerned)
    if rule.cumulative:
        amount += sum(
            fen
            for (fund, category), fen in purchase.spent.items()
            if (not rule.fund_sources or fund in rule.fund_sources) and (not rule.categories or category in rule.categories)
        )
    return amount >= rule.min_fen


def steps_for(rules: Iterable[Rule], purchase: Purchase) -> list[Step]:
    """The steps of every rule that matches, those of the lowest unit first; what two rules ask of the same people is asked once."""
    asked: dict[tuple[int, str | None, tuple[int, ...]], Step] = {}
    for rule in sorted(rules, key=lambda rule: (-rule.depth, rule.position, rule.id)):
        if matches(rule, purchase):
            for step in rule.steps:
                asked.setdefault(step.asked, step)
    return list(asked.values())


def may_decide(
    candidates: Iterable[int], deputies: Mapping[int, frozenset[int]], requester: int, decided: frozenset[int]
) -> dict[int, int]:
    """Who may take a step, and in whose place (the own one, or that of whom they stand in for).

    ``candidates``: whom the step names; ``deputies``: who stands in for whom today, by deputy. Nobody approves the own request, neither as a
    deputy nor through one, and nobody takes two steps of one request, neither way (``decided``: who took one, or had one taken).
    """
    own = {user for user in candidates if user != requester and user not in decided}
    found = {user: user for user in own}
    for deputy, absent in deputies.items():
        if deputy != requester and deputy not in decided and deputy not in found:
            for user in sorted(absent & own):
                found.setdefault(deputy, user)
    return found


def first_unmet(steps: Sequence[Collection[int]]) -> int | None:
    """The place of the first step that nobody is left for where everybody takes one at most, or None; each step is given as who may take it.

    Whoever took a step makes room for it by another one, if there is somebody else for that (a matching by augmenting paths).
    """
    taken: dict[int, int] = {}

    def fill(step: int, asked: set[int]) -> bool:
        for user in steps[step]:
            if user not in asked:
                asked.add(user)
                if user not in taken or fill(taken[user], asked):
                    taken[user] = step
                    return True
        return False

    return next((step for step in range(len(steps)) if not fill(step, set())), None)
