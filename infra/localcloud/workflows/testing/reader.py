"""A case file's text to cases. What is wrong in it is told with line and column, everything at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Position, Problem, SourceError, WorkflowError
from ..language.source import Entry, Tree, read_tree
from ..language.source import Mapping as MappingTree
from ..language.syntax import Program
from ..language.walk import step_names
from ..stdlib.http import METHODS
from ..stdlib.time import parse_time
from .cases import (
    ALWAYS,
    FAILURES,
    Answer,
    CallbackRequest,
    CallPattern,
    Case,
    Elapsed,
    ExpectedCalls,
    ExpectedError,
    ExpectedSteps,
    Mock,
    Value,
)
from .shapes import Shapes, plain
from .world import DEFAULT_START, pubsub_event, reply_content

_MOST_TIMES = 10_000
_PATTERN = ("step", "function", "method", "url", "query", "headers", "body")
_ANSWER = ("status", "headers", "body", "text", "delay", "fail", "times")
_CASE = ("name", "argument", "pubsub", "routine", "args", "env", "now", "mocks", "callbacks", "result", "error")
_EXPECTED = ("calls", "calls_include", "steps", "steps_include", "elapsed")


def read_cases(text: str, program: Program) -> tuple[Case, ...]:
    """The cases of a file for a definition. SourceError with every problem."""
    tree = read_tree(text)
    if tree is None:
        raise SourceError([Problem("the file is empty; a list of cases is needed", Position(1, 1))])
    reader = _Reader(program)
    cases = reader.file(tree)
    if reader.problems:
        raise SourceError(reader.problems)
    return cases


class _Reader(Shapes):
    """Reads the forms of a case file."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self._steps = step_names(program)

    def file(self, tree: Tree) -> tuple[Case, ...]:
        """The whole file."""
        fields = self.fields(tree, "a case file", ("cases", "defaults"), ("cases",))
        defaults = (
            self.fields(fields["defaults"].value, "defaults", ("env", "now", "mocks")) if "defaults" in fields else {}
        )
        shared = tuple(self.mock(item, shared=True) for item in self.items(defaults.get("mocks")))
        cases = [self.case(item, defaults, shared) for item in self.items(fields.get("cases"))]
        names: set[str] = set()
        for case in cases:
            if case.name in names:
                self.problem(f"another case has the name {case.name!r}, too", case.position)
            names.add(case.name)
        if "cases" in fields and not cases:
            self.problem("cases must be a list with at least one case", fields["cases"].position)
        return tuple(cases)

    def case(self, tree: Tree, defaults: Mapping[str, Entry], shared: tuple[Mock, ...]) -> Case:
        """One case."""
        fields = self.fields(tree, "a case", (*_CASE, *_EXPECTED), ("name",))
        if ("result" in fields) == ("error" in fields):
            self.problem("a case needs either result or error", tree.position)
        now = fields.get("now", defaults.get("now"))
        start = DEFAULT_START if now is None else self.time(now)
        routine, arguments = self.start(fields, tree.position, start)
        own = tuple(self.mock(item, shared=False) for item in self.items(fields.get("mocks")))
        return Case(
            name=self.text(fields.get("name")) or "",
            position=tree.position,
            routine=routine,
            arguments=arguments,
            environment={**self.strings(defaults.get("env")), **self.strings(fields.get("env"))},
            start=start,
            mocks=own + shared,
            callbacks=tuple(self.callback(item) for item in self.items(fields.get("callbacks"))),
            result=self.value(fields.get("result")),
            error=self.error(fields.get("error")),
            calls=tuple(self.calls(fields)),
            steps=tuple(self.steps(fields)),
            elapsed=self.elapsed(fields.get("elapsed")),
        )

    def start(self, fields: Mapping[str, Entry], position: Position, now: float) -> tuple[str, dict[str, Any]]:
        """The routine that is run, and its arguments."""
        given = [key for key in ("argument", "pubsub", "routine") if key in fields]
        if len(given) > 1:
            self.problem(f"{' and '.join(given)} cannot stand together", fields[given[1]].position)
        if "routine" in fields:
            name = self.one_of(fields["routine"], self._program.routines) or "main"
            return name, self.arguments(name, fields.get("args"), position)
        if "args" in fields:
            self.problem("args needs routine; what main gets is its argument", fields["args"].position)
        argument: Value | None = None
        if "argument" in fields:
            argument = Value(plain(fields["argument"].value))
        elif "pubsub" in fields:
            argument = Value(pubsub_event(self.json(fields["pubsub"]), now))
        parameters = self._program.main.parameters
        if argument is not None and not parameters:
            self.problem("main has no params, so nothing receives the argument", fields[given[0]].position)
        if not parameters or (argument is None and parameters[0].default is not None):
            return "main", {}
        return "main", {parameters[0].name: argument.value if argument is not None else None}

    def arguments(self, name: str, entry: Entry | None, position: Position) -> dict[str, Any]:
        """The arguments of a subworkflow, checked against its parameters."""
        found = self.mapping(entry)
        parameters = self._program.routines[name].parameters
        known = [parameter.name for parameter in parameters]
        for key in found:
            if entry is not None and key not in known:
                takes = ", ".join(known) or "none"
                self.problem(f"{name} has no parameter {key!r}; it has {takes}", entry.value.position)
        for parameter in parameters:
            if parameter.default is None and parameter.name not in found:
                self.problem(f"{name} needs the argument {parameter.name!r} in args", position)
        return found

    def time(self, entry: Entry) -> float:
        """RFC 3339 text as seconds since the epoch."""
        text = self.text(entry)
        try:
            return parse_time(text or "", "now")
        except WorkflowError as error:
            self.problem(error.headline(), entry.value.position)
            return DEFAULT_START

    def pattern(self, fields: Mapping[str, Entry], position: Position) -> CallPattern:
        """Which calls are meant."""
        return CallPattern(
            position=position,
            step=self.step(fields["step"].value) if "step" in fields else None,
            function=self.text(fields.get("function")),
            method=self.one_of(fields.get("method"), METHODS),
            url=self.text(fields.get("url")),
            query=self.mapping(fields.get("query")),
            headers=self.mapping(fields.get("headers")),
            body=self.value(fields.get("body")),
        )

    def mock(self, tree: Tree, *, shared: bool) -> Mock:
        """A mock."""
        fields = self.fields(tree, "a mock", (*_PATTERN, "answer", "answers"))
        if ("answer" in fields) == ("answers" in fields):
            self.problem("a mock needs either answer or answers", tree.position)
        answers: tuple[Answer, ...]
        if "answer" in fields:
            answers = (self.answer(fields["answer"].value, ALWAYS),)
        else:
            answers = tuple(self.answer(item, 1) for item in self.items(fields.get("answers")))
        return Mock(self.pattern(fields, tree.position), answers, shared)

    def answer(self, tree: Tree, times: int) -> Answer:
        """An answer, given `times` unless it says otherwise."""
        allowed = _ANSWER if times != ALWAYS else _ANSWER[:-1]
        fields = self.fields(tree, "an answer", allowed)
        if "body" in fields and "text" in fields:
            self.problem("an answer has either body (JSON) or text", fields["text"].position)
        failure = self.one_of(fields.get("fail"), FAILURES)
        for key in ("status", "headers", "body", "text"):
            if failure is not None and key in fields:
                self.problem(f"an answer that fails has no {key}", fields[key].position)
        content, content_type = reply_content(
            Value(self.json(fields["body"])) if "body" in fields else None, self.text(fields.get("text"))
        )
        return Answer(
            status=self.integer(fields.get("status"), 200, 200, 599),
            headers={**content_type, **self.strings(fields.get("headers"))},
            body=content,
            delay_seconds=self.number(fields.get("delay"), 0.0),
            failure=failure,
            times=self.integer(fields.get("times"), times, 1, _MOST_TIMES),
        )

    def callback(self, tree: Tree) -> CallbackRequest:
        """A request to a callback endpoint."""
        allowed = ("at", "endpoint", "method", "headers", "query", "body")
        fields = self.fields(tree, "a callback", allowed, ("at",))
        body = fields.get("body")
        return CallbackRequest(
            position=tree.position,
            at_seconds=self.number(fields.get("at"), 0.0),
            endpoint=self.step(fields["endpoint"].value) if "endpoint" in fields else None,
            method=self.one_of(fields.get("method"), METHODS) or "POST",
            headers=self.strings(fields.get("headers")),
            query=self.strings(fields.get("query")),
            body=plain(body.value) if body is not None else None,
        )

    def error(self, entry: Entry | None) -> ExpectedError | None:
        """What the error must be like."""
        if entry is None:
            return None
        fields = self.fields(entry.value, "error", ("tags", "message", "payload"))
        tags = tuple(str(plain(item)) for item in self.items(fields.get("tags")))
        return ExpectedError(tags, self.text(fields.get("message")), self.value(fields.get("payload")))

    def calls(self, fields: Mapping[str, Entry]) -> Iterator[ExpectedCalls]:
        """`calls` and `calls_include`."""
        for key in ("calls", "calls_include"):
            if key in fields:
                patterns = [self.expected_call(item) for item in self.items(fields[key])]
                yield ExpectedCalls(tuple(patterns), whole=key == "calls")

    def expected_call(self, tree: Tree) -> tuple[CallPattern, int]:
        """One entry of `calls`."""
        fields = self.fields(tree, "a call", (*_PATTERN, "times"))
        return self.pattern(fields, tree.position), self.integer(fields.get("times"), 1, 1, _MOST_TIMES)

    def steps(self, fields: Mapping[str, Entry]) -> Iterator[ExpectedSteps]:
        """`steps` and `steps_include`."""
        for key in ("steps", "steps_include"):
            if key in fields:
                names = [self.step(item) for item in self.items(fields[key])]
                yield ExpectedSteps(tuple(name for name in names if name is not None), whole=key == "steps")

    def elapsed(self, entry: Entry | None) -> Elapsed | None:
        """Bounds of the simulated time."""
        if entry is None:
            return None
        if not isinstance(entry.value, MappingTree):
            # A thousandth covers what adding up doubles loses.
            seconds = self.number(entry, 0.0)
            return Elapsed(seconds - 0.001, seconds + 0.001)
        fields = self.fields(entry.value, "elapsed", ("at_least", "at_most"))
        return Elapsed(self.number(fields.get("at_least"), 0.0), self.number(fields.get("at_most"), float("inf")))

    def step(self, tree: Tree) -> str | None:
        """STEP or ROUTINE.STEP of the definition."""
        name = plain(tree)
        if not isinstance(name, str) or name not in self._steps:
            self.problem(f"there is no step {name!r} in the definition", tree.position)
            return None
        return name
