"""The basket by the mixed-integer solver HiGHS. It is loaded by the first basket that a process makes: no server pays its memory.

One thread, one seed and a limit on nodes make the same question give the same answer; the limit on time is there for a slow machine.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from orders.pledges.rules.asking import Demand, Limit
from orders.pledges.rules.choosing import Basket, Facts, Item, Offer, attained, broken, greedy, offers, score, shortlist
from orders.pledges.rules.program import Model, model

#: Offers in the program, and the seconds that it may take: first those of a shortlist, then of a longer one.
ATTEMPTS = ((400, 4.0), (2_500, 8.0))
#: To say what stands in the way, one program for each limit.
EXPLAIN_OFFERS, EXPLAIN_SECONDS = 400, 2.0
MAX_NODES = 5_000
WIDENING = frozenset({Limit.BUDGET, Limit.CATEGORIES, Limit.RESERVED_SHARE_ONLY})
#: As near to the best as a ten-thousandth of the budget is near enough.
GAP = 0.1
#: How far inside its bounds a second try stays, where rounding carried the first one out of them.
MARGIN = 2e-6


class SolverFailed(Exception):
    """The solver gave neither a basket nor a reason."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: a basket or none, the greedy one beside it. ``proven``: where there is none, none exists."""

    basket: list[Item] | None
    baseline: list[Item]
    candidates: int
    proven: bool


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A limit without which there would be a basket, and how near to it one can come; None: giving up this one alone is not enough."""

    limit: Limit
    attainable: str | None


def propose(demand: Demand, catalogue: Sequence[Facts]) -> Found:
    """The best basket that is found in time; never worse than the greedy one.

    Raises:
        SolverFailed: there, and the greedy basket does not do either.
    """
    choices = offers(catalogue, demand)
    baseline = greedy(demand, choices)
    good = [] if broken(demand, baseline) else [baseline]
    proven = not choices
    for size, seconds in ATTEMPTS if choices else ():
        short = shortlist(choices, size, keep=[item.offer.facts.sku_id for item in baseline])
        try:
            basket, impossible = _solve(demand, short, seconds, start=baseline if good else None)
        except SolverFailed:
            if good:
                break
            raise
        if basket is not None:
            good.append(basket)
            break
        if len(short) == len(choices):
            proven = impossible
            break
        if good:
            break
    best = max(good, key=lambda each: score(demand, each), default=None)
    return Found(best, baseline, len(choices), proven)


def explain(demand: Demand, catalogue: Sequence[Facts]) -> list[Obstacle]:
    """Which limit stands in the way: each is given up alone, the others hold. One about which the solver fails is left out."""
    found = []
    usual = shortlist(offers(catalogue, demand), EXPLAIN_OFFERS)
    for limit in demand.limits():
        # without these there is more to choose from
        short = shortlist(offers(catalogue, demand, limit), EXPLAIN_OFFERS) if limit in WIDENING else usual
        try:
            basket = _run(model(demand, short, without=limit), EXPLAIN_SECONDS)[0] if short else None
        except SolverFailed:
            continue
        helps = basket and not set(broken(demand, basket)) - {limit}
        found.append(Obstacle(limit, attained(demand, limit, basket) if basket and helps else None))
    return found


def _solve(demand: Demand, choices: Sequence[Offer], seconds: float, start: Basket | None) -> tuple[list[Item] | None, bool]:
    """A basket that meets everything, or None and whether there is none."""
    for margin in (0.0, MARGIN):
        basket, impossible = _run(model(demand, choices, margin=margin), seconds, start)
        if basket is None:
            return None, impossible and not margin
        if not broken(demand, basket):
            return basket, False
    return None, False


@contextmanager
def _unheard() -> Iterator[None]:
    """HiGHS greets on standard output, where a worker writes its log as JSON, before it can be told to be quiet."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _run(program: Model, seconds: float, start: Basket | None = None) -> tuple[list[Item] | None, bool]:
    """What the solver makes of a program: a basket, or None and whether it says that there is none."""
    import highspy
    import numpy as np

    with _unheard():
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "time_limit": seconds,
        "mip_max_nodes": MAX_NODES,
        "mip_abs_gap": GAP,
        "mip_rel_gap": 0.0,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    columns = highspy.HighsLp()
    columns.num_col_, columns.num_row_ = len(program.cost), len(program.rows)
    columns.col_cost_, columns.col_lower_, columns.col_upper_ = (
        np.array(values, dtype=float) for values in (program.cost, program.lower, program.upper)
    )
    columns.row_lower_ = np.array([row[0] for row in program.rows], dtype=float)
    columns.row_upper_ = np.array([row[1] for row in program.rows], dtype=float)
    columns.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    columns.a_matrix_.start_ = np.cumsum([0, *(len(row[2]) for row in program.rows)])
    columns.a_matrix_.index_ = np.array([at for row in program.rows for at, _ in row[2]])
    columns.a_matrix_.value_ = np.array([value for row in program.rows for _, value in row[2]], dtype=float)
    kinds = highspy.HighsVarType
    columns.integrality_ = [kinds.kInteger if integer else kinds.kContinuous for integer in program.integer]
    solver.passModel(columns)
    if start is not None:
        values = program.start(start)
        solver.setSolution(len(values), np.array(list(values), dtype=np.int32), np.array(list(values.values()), dtype=float))
    solver.run()
    status = solver.getModelStatus()
    known = highspy.HighsModelStatus
    if status in (known.kInfeasible, known.kUnboundedOrInfeasible):
        return None, True
    if status not in (known.kOptimal, known.kTimeLimit, known.kSolutionLimit, known.kIterationLimit):
        raise SolverFailed(solver.modelStatusToString(status))
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, False
    return program.basket(list(solver.getSolution().col_value)), False
