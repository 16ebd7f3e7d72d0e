"""What a case expected and did not get: every mismatch at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import Position, WorkflowError
from .cases import CallPattern, Case, ExpectedCalls, ExpectedError, ExpectedSteps
from .following import RunStep
from .matchers import Difference, differences, short
from .mocks import MadeCall, misfits
from .player import Outcome


@dataclass(frozen=True)
class Mismatch:
    """One thing that is not as expected. `position` is a place in the case file, when one says more than the case's."""

    message: str
    differences: tuple[Difference, ...] = ()
    position: Position | None = None


def mismatches(case: Case, outcome: Outcome) -> Iterator[Mismatch]:
    """All that is not as the case says. A call without an answer is not among them (see `Outcome.unanswered`)."""
    if outcome.unanswered is None:
        yield from _end(case, outcome)
        for mock in outcome.unused:
            yield Mismatch(f"the mock {describe(mock.pattern)} was never used", position=mock.pattern.position)
        if case.elapsed is not None:
            low, high = case.elapsed.at_least_seconds, case.elapsed.at_most_seconds
            if not low <= outcome.elapsed_seconds <= high:
                wanted = f"{(low + high) / 2:g} s" if high - low < 0.003 else f"{low:g} to {high:g} s"
                yield Mismatch("elapsed", (Difference("seconds", wanted, f"{outcome.elapsed_seconds:g} s"),))
    for request, reason in outcome.refused_callbacks:
        yield Mismatch(f"the callback at {request.at_seconds:g} s was not taken: {reason}", position=request.position)
    for expected_calls in case.calls:
        whole = expected_calls.whole
        yield from _all_calls(expected_calls, outcome.calls) if whole else _some_calls(expected_calls, outcome.calls)
    for expected_steps in case.steps:
        yield from _steps(expected_steps, outcome.steps)


def _end(case: Case, outcome: Outcome) -> Iterator[Mismatch]:
    if case.result is not None:
        if outcome.result is None:
            assert outcome.error is not None
            yield Mismatch("it failed")
            return
        found = tuple(differences(case.result.value, outcome.result[0], "result"))
        if found:
            yield Mismatch("result", found)
    elif case.error is not None:
        if outcome.error is None:
            assert outcome.result is not None
            yield Mismatch("it did not fail", (Difference("error", "an error", f"result {short(outcome.result[0])}"),))
            return
        found = tuple(_error(case.error, outcome.error))
        if found:
            yield Mismatch("error", found)


def _error(expected: ExpectedError, error: WorkflowError) -> Iterator[Difference]:
    for tag in expected.tags:
        if tag not in error.tags:
            yield Difference("error.tags", tag, short(list(error.tags)))
    if expected.message is not None and expected.message not in error.headline():
        yield Difference("error.message", f"something with {short(expected.message)}", short(error.headline()))
    if expected.payload is not None:
        yield from differences(expected.payload.value, error.payload, "error.payload")


def _all_calls(expected: ExpectedCalls, calls: Sequence[MadeCall]) -> Iterator[Mismatch]:
    patterns = [pattern for pattern, times in expected.patterns for _ in range(times)]
    missing, unexpected = _unmatched(patterns, calls)
    # A call that was made where another was expected is that one with something wrong in it, if any part fits.
    for number, pattern in missing:
        nearest = min(
            (pair for pair in unexpected if _distance(pattern, pair[1]) < _parts(pattern)),
            key=lambda pair: (_distance(pattern, pair[1]), abs(pair[0] - number)),
            default=None,
        )
        if nearest is None:
            yield Mismatch(f"call {number + 1} was not made: {describe(pattern)}", position=pattern.position)
        else:
            unexpected.remove(nearest)
            message = f"call {number + 1} is not as expected: {nearest[1]}"
            yield Mismatch(message, tuple(misfits(pattern, nearest[1])), pattern.position)
    for number, call in unexpected:
        yield Mismatch(f"call {number + 1} was not expected: {call}")


def _unmatched(
    patterns: Sequence[CallPattern], calls: Sequence[MadeCall]
) -> tuple[list[tuple[int, CallPattern]], list[tuple[int, MadeCall]]]:
    """What is left of both, with its place, when as many as possible are paired in order."""

    def fit(i: int, j: int) -> bool:
        return next(misfits(patterns[i], calls[j]), None) is None

    # The longest common subsequence, for what lies between a beginning and an end that fit as they are.
    start, ends = 0, (len(patterns), len(calls))
    while start < min(ends) and fit(start, start):
        start += 1
    while min(ends) > start and fit(ends[0] - 1, ends[1] - 1):
        ends = (ends[0] - 1, ends[1] - 1)
    longest = {(i, j): 0 for i in range(start, ends[0] + 1) for j in range(start, ends[1] + 1)}
    for i in reversed(range(start, ends[0])):
        for j in reversed(range(start, ends[1])):
            both = max(longest[i + 1, j], longest[i, j + 1])
            longest[i, j] = longest[i + 1, j + 1] + 1 if fit(i, j) else both
    missing, unexpected = [], []
    i = j = start
    while i < ends[0] or j < ends[1]:
        if i < ends[0] and j < ends[1] and fit(i, j):
            i, j = i + 1, j + 1
        elif j == ends[1] or (i < ends[0] and longest[i + 1, j] >= longest[i, j + 1]):
            missing.append((i, patterns[i]))
            i += 1
        else:
            unexpected.append((j, calls[j]))
            j += 1
    return missing, unexpected


def _some_calls(expected: ExpectedCalls, calls: Sequence[MadeCall]) -> Iterator[Mismatch]:
    place = 0
    for pattern in (pattern for pattern, times in expected.patterns for _ in range(times)):
        later = calls[place:]
        found = next((i for i, call in enumerate(later) if next(misfits(pattern, call), None) is None), None)
        if found is not None:
            place += found + 1
            continue
        after = f" after {calls[place - 1]}" if place else ""
        nearest = min(later, key=lambda call: _distance(pattern, call), default=None)
        if nearest is None or _distance(pattern, nearest) >= _parts(pattern):
            yield Mismatch(f"this call was not made{after}: {describe(pattern)}", position=pattern.position)
        else:
            message = f"this call was not made{after}; the nearest is {nearest}"
            yield Mismatch(message, tuple(misfits(pattern, nearest)), pattern.position)


def _steps(expected: ExpectedSteps, steps: Sequence[RunStep]) -> Iterator[Mismatch]:
    place = 0
    for name in expected.names:
        rest = steps[place:]
        if expected.whole:
            found = 0 if rest and name in (rest[0].name, str(rest[0])) else None
        else:
            found = next((i for i, step in enumerate(rest) if name in (step.name, str(step))), None)
        if found is None:
            before = f" after {steps[place - 1]}" if place else ""
            came = str(rest[0]) if rest else "the end"
            yield Mismatch(f"steps{before}", (Difference("step", name, came),))
            return
        place += found + 1
    if expected.whole and place < len(steps):
        yield Mismatch(f"steps after {steps[place - 1]}", (Difference("step", "the end", str(steps[place])),))


def describe(pattern: CallPattern) -> str:
    """A pattern on one line."""
    given = (pattern.function, pattern.method, pattern.url, f"at step {pattern.step}" if pattern.step else None)
    return " ".join(part for part in given if part is not None) or "for any call"


def _distance(pattern: CallPattern, call: MadeCall) -> int:
    """In how many parts a call differs."""
    return len({difference.path.partition(".")[0].partition("[")[0] for difference in misfits(pattern, call)})


def _parts(pattern: CallPattern) -> int:
    """How many parts a pattern has; all of them differ when a call is another one."""
    given = (pattern.step, pattern.function, pattern.method, pattern.url, pattern.body)
    return sum(part is not None for part in given) + bool(pattern.query) + bool(pattern.headers)
