"""State tables: every status change of an aggregate goes through one table, and what is not in it is refused."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from shop.core.errors import Conflict
from shop.core.words import MOVES, STATES, Words

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class IllegalMove(Conflict):
    code = "illegal_move"
    zh = "当前状态为“{state}”，不能{action}"
    en = "'{action}' is not possible in state '{state}'"
    words = {"state": STATES, "action": MOVES}


class StateTable(Generic[S, A]):
    """``{(state, action): next state}`` with a name for docs and messages; ``said``: Chinese words of states that read otherwise here than elsewhere;
    ``by_itself``: moves that follow from something else, such as the end of a time, and that nobody can ask for; ``says_more``: moves that say more than
    the state that they lead to, such as an amount, or that another move leads to for another reason: the state does not tell that they were made."""

    def __init__(
        self,
        name: str,
        moves: Mapping[tuple[S, A], S],
        said: Words | None = None,
        by_itself: Collection[A] = (),
        says_more: Collection[A] = (),
    ) -> None:
        self.name = name
        self.moves = dict(moves)
        self.by_itself = frozenset(by_itself)
        self.says_more = frozenset(says_more)
        self.words = {"state": {**STATES, **(said or {})}, "action": MOVES}

    def after(self, state: S | str, action: A, mine: Collection[A] | None = None) -> S:
        """The state that ``action`` leads to. ``mine``: what whoever asks may do at all; a refusal tells of nothing else that it is allowed.

        Raises:
            IllegalMove: the table has no such move (409); its data say ``already`` where the state is what the move leads to and all that it
            says, as those of :class:`shop.core.errors.DoneBefore` do.
        """
        for (origin, move), target in self.moves.items():
            if origin == state and move == action:
                return target
        refused = IllegalMove(state=str(state), action=str(action), allowed=[str(a) for a in self.possible(state, mine)])
        if action not in self.says_more and any(target == state for (_, move), target in self.moves.items() if move == action):
            refused.data["already"] = True
        refused.words = self.words
        raise refused

    def possible(self, state: S | str, mine: Collection[A] | None = None) -> list[A]:
        """The actions that somebody may take in ``state``; with ``mine``, those of them that are among what somebody may do at all."""
        possible = [move for (origin, move) in self.moves if origin == state and move not in self.by_itself]
        return possible if mine is None else [move for move in possible if move in mine]

    def diagram(self) -> str:
        """A Mermaid state diagram, for the docs."""
        lines = [f"    {origin} --> {target}: {move}" for (origin, move), target in self.moves.items()]
        return "\n".join(["stateDiagram-v2", *lines])
