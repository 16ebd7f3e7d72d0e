"""Where control can go in a definition: which steps are reached at all, and which steps of a block form loops."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..expressions.tree import Constant
from ..language.syntax import (
    BREAK,
    CONTINUE,
    END,
    Action,
    Block,
    Expression,
    For,
    Literal,
    Parallel,
    Raise,
    Return,
    Routine,
    Step,
    Steps,
    Switch,
    Template,
    Try,
)


@dataclass(frozen=True)
class Exit:
    """How an action can end: by going on to what follows it, and by jumping to the names in `jumps`."""

    goes_on: bool
    jumps: frozenset[str] = frozenset()

    def __or__(self, other: Exit) -> Exit:
        return Exit(self.goes_on or other.goes_on, self.jumps | other.jumps)


GOES_ON = Exit(True)
STOPS = Exit(False)


@dataclass
class Flow:
    """The flow of one routine: for each block the steps that are reached, and where each of them leads in it."""

    blocks: list[tuple[Block, Mapping[int, frozenset[int]]]] = field(default_factory=list)

    def unreached(self) -> Iterator[Step]:
        """The first step of every stretch that control never comes to."""
        for block, edges in self.blocks:
            for place, step in enumerate(block.steps):
                if place not in edges and (place == 0 or place - 1 in edges):
                    yield step

    def loops(self) -> Iterator[tuple[Step, ...]]:
        """The steps of every loop that is made by jumping back inside a block."""
        for block, edges in self.blocks:
            backwards = {
                place: frozenset(before for before, nexts in edges.items() if place in nexts) for place in edges
            }
            for last, nexts in edges.items():
                for first in (place for place in nexts if place <= last):
                    members = _from(first, edges) & _from(last, backwards)
                    yield tuple(block.steps[place] for place in sorted(members))


def flow_of(routine: Routine) -> Flow:
    """The flow of a routine, with every block that is reached in it."""
    flow = Flow()
    _block(routine.steps, flow)
    return flow


def always_true(condition: Template) -> bool:
    """Whether a switch's condition is the literal true."""
    match condition:
        case Literal(value=True) | Expression(node=Constant(value=True)):
            return True
        case _:
            return False


def _block(block: Block, flow: Flow) -> Exit:
    edges: dict[int, frozenset[int]] = {}
    place_in_flow = len(flow.blocks)
    flow.blocks.append((block, edges))
    leaving = STOPS
    pending = [0]
    while pending:
        place = pending.pop()
        if place in edges:
            continue
        if place == len(block.steps):
            leaving |= GOES_ON
            continue
        step = block.steps[place]
        exits = _then(_action(step.action, flow), step.next)
        targets = {block.places[name] for name in exits.jumps if name in block.places}
        leaving |= Exit(False, exits.jumps - block.places.keys())
        following = targets | ({place + 1} if exits.goes_on else set())
        edges[place] = frozenset(following - {len(block.steps)})
        pending.extend(sorted(following, reverse=True))
    flow.blocks[place_in_flow] = (block, dict(sorted(edges.items())))
    return leaving


def _then(exits: Exit, target: str | None) -> Exit:
    """What `next: target` makes of an action's ends."""
    if target is None or not exits.goes_on:
        return exits
    jumps = exits.jumps if target == END else exits.jumps | {target}
    return Exit(False, jumps)


def _action(action: Action, flow: Flow) -> Exit:
    match action:
        case Return() | Raise():
            return STOPS
        case Steps(steps=steps):
            return _block(steps, flow)
        case For(steps=steps):
            return GOES_ON | Exit(True, _block(steps, flow).jumps - {BREAK, CONTINUE})
        case Parallel(branches=branches, loop=loop):
            for branch in branches:
                _block(branch.steps, flow)
            if loop is not None:
                _block(loop.steps, flow)
            return GOES_ON
        case Try(body=body, handler=handler):
            exits = _block(body, flow)
            return exits if handler is None else exits | _block(handler.steps, flow)
        case Switch(conditions=conditions):
            exits = STOPS
            for entry in conditions:
                done = GOES_ON if entry.action is None else _action(entry.action, flow)
                exits |= _then(done, entry.next)
                if always_true(entry.condition):
                    return exits
            return exits | GOES_ON
        case _:
            return GOES_ON


def _from(start: int, edges: Mapping[int, frozenset[int]]) -> frozenset[int]:
    seen: set[int] = set()
    pending = [start]
    while pending:
        place = pending.pop()
        if place not in seen:
            seen.add(place)
            pending.extend(edges.get(place, ()))
    return frozenset(seen)
