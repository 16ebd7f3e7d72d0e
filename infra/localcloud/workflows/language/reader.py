"""A tree of values to routines, steps and actions. Names and jumps are looked at later, in `checks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import limits
from ..errors import Position
from ..expressions.tree import dotted
from ..stdlib import FUNCTIONS, RETRY_POLICIES
from ..values import is_number
from .shapes import VARIABLE, Shapes, refusal
from .source import Entry, Mapping, Scalar, Sequence, Tree
from .syntax import (
    BREAK,
    CONTINUE,
    END,
    Action,
    Assign,
    Assignment,
    Block,
    Branch,
    Call,
    ComputedMap,
    Condition,
    Expression,
    For,
    Handler,
    Jump,
    ListTemplate,
    Literal,
    MapTemplate,
    NamedRetry,
    Parallel,
    Parameter,
    Raise,
    RetryPolicy,
    Return,
    Routine,
    Step,
    Steps,
    Switch,
    Template,
    Try,
)
from .templates import target

# The documentation enforces no form of step names; these would be no targets of `next`.
_RESERVED_STEPS = (END, BREAK, CONTINUE)
_BACKOFF = ("initial_delay", "max_delay", "multiplier")


class Reader(Shapes):
    """Reads routines, steps and actions; one method per form. What is wrong is noted, and the rest still read."""

    def routine(self, entry: Entry) -> Routine:
        """A routine."""
        name = entry.key
        if not VARIABLE.fullmatch(name):
            message = f"{name!r} is not a routine name: letters, digits and underscores, not starting with a digit"
            self.note(message, entry.position, None)
        # Samples of the vendor have the list of steps directly below the routine's name when there are no params.
        if isinstance(entry.value, Sequence):
            return Routine(name, (), self.block(entry.value, None, 0), entry.position)
        body = self.mapping(entry.value, None, f"routine {name}", required=("steps",), optional=("params",))
        parameters = self.parameters(body["params"]) if "params" in body else ()
        if name == "main" and len(parameters) > limits.PARAMETERS_OF_MAIN:
            message = "main takes at most one parameter, which receives the whole argument of the execution"
            self.note(message, entry.position, None)
        return Routine(name, parameters, self.block(body["steps"], None, 0), entry.position)

    def parameters(self, tree: Tree) -> tuple[Parameter, ...]:
        """The `params` of a routine."""
        if not isinstance(tree, Sequence):
            raise refusal("params must be a list of names", tree.position, None)
        found: dict[str, Parameter] = {}
        for item in tree.items:
            with self.collecting():
                parameter = self.parameter(item)
                if parameter.name in found:
                    self.note(f"duplicate parameter {parameter.name!r}", item.position, None)
                found[parameter.name] = parameter
        return tuple(found.values())

    def parameter(self, tree: Tree) -> Parameter:
        """A name, or a name with its default."""
        if not isinstance(tree, Mapping):
            return Parameter(self.variable(tree, None, "a parameter"), None)
        entry = self.single(tree, None, "a parameter with a default")
        name = self.variable(Scalar(entry.key, entry.position), None, "a parameter")
        return Parameter(name, self.value(entry.value, None))

    # --- steps

    def block(self, tree: Tree, step: str | None, depth: int) -> Block:
        """A list of steps. One that cannot be read is left out."""
        if depth > limits.BLOCK_DEPTH:
            raise refusal(f"steps are nested more than {limits.BLOCK_DEPTH} levels deep", tree.position, step)
        found: list[Step] = []
        lines: dict[str, int] = {}
        for item in self.sequence(tree, step, "steps"):
            with self.collecting():
                inner = self.step(item, step, depth)
                # Samples of the vendor use a name again in another block; a jump means the nearest block's.
                if inner.name in lines:
                    message = f"duplicate step name; line {lines[inner.name]} has it too"
                    self.note(message, inner.position, inner.name)
                lines.setdefault(inner.name, inner.position.line)
                found.append(inner)
        return Block.of(tuple(found))

    def step(self, tree: Tree, parent: str | None, depth: int) -> Step:
        """One named step; one whose action cannot be read is kept as a place to jump to."""
        entry = self.single(tree, parent, "a step")
        name = entry.key
        if not name or name in _RESERVED_STEPS:
            message = f"{name!r} is not a step name: any text but {', '.join(_RESERVED_STEPS)}"
            self.note(message, entry.position, parent)
        action: Action | None = None
        jump: str | None = None
        with self.collecting():
            if not isinstance(entry.value, Mapping) or not entry.value.entries:
                raise refusal(f"a step must have one action: {', '.join(_ACTIONS)} or next", entry.position, name)
            action, jump = self.action(entry.value, name, depth, ())
        return Step(name, action or Jump(), jump, entry.position, _place_of_next(entry.value))

    def action(
        self, body: Mapping, step: str, depth: int, besides: tuple[str, ...]
    ) -> tuple[Action | None, str | None]:
        """The action among the fields of `body` and its `next`; fields named in `besides` belong to the caller."""
        actions = [entry for entry in body.entries if entry.key in _ACTIONS]
        if len(actions) > 1:
            found = ", ".join(entry.key for entry in actions)
            raise refusal(f"one action is allowed here, found {found}", actions[1].position, step)
        kind = actions[0].key if actions else None
        read, companions = _ACTIONS[kind] if kind else (None, ("next",))
        allowed = (*besides, *((kind,) if kind else ()), *companions)
        unknown = [entry for entry in body.entries if entry.key not in allowed]
        for entry in unknown:
            self.unknown_field(entry, allowed if kind else (*besides, *_ACTIONS, "next"), step)
        next_entry = body.get("next")
        jump: str | None = None
        if next_entry is not None:
            with self.collecting():
                jump = self.text(next_entry.value, step, "next")
        elif not (kind or besides or unknown):
            raise refusal(f"a step must have one action: {', '.join(_ACTIONS)} or next", body.position, step)
        return read(self, body, step, depth + 1) if read else None, jump

    def field(self, body: Mapping, name: str) -> Tree:
        """A field that is known to be there."""
        entry = body.get(name)
        assert entry is not None
        return entry.value

    def assign(self, body: Mapping, step: str, depth: int) -> Action:
        """`assign`."""
        found = []
        for item in self.sequence(self.field(body, "assign"), step, "assign", limits.ASSIGNMENTS_PER_STEP):
            with self.collecting():
                entry = self.single(item, step, "an assignment")
                value = self.value(entry.value, step)
                found.append(Assignment(target(entry.key, entry.position, step), value, entry.position))
        return Assign(tuple(found))

    def call(self, body: Mapping, step: str, depth: int) -> Action:
        """`call` with `args` and `result`."""
        name = self.field(body, "call")
        args, result = body.get("args"), body.get("result")
        arguments: dict[str, Template] = {}
        if args is not None and isinstance(args.value, Mapping):
            arguments = {entry.key: self.value(entry.value, step) for entry in args.value.entries}
        elif args is not None:
            arguments = self.positional(self.text(name, step, "call"), args.value, step)
        variable: str | None = None
        if result is not None:
            with self.collecting():
                variable = self.variable(result.value, step, "result")
        return Call(self.text(name, step, "call"), arguments, variable, name.position)

    def positional(self, function: str, args: Tree, step: str) -> dict[str, Template]:
        """The arguments of a library function that are given as a list, by name."""
        known = FUNCTIONS.get(function)
        if known is None or not isinstance(args, Sequence):
            self.note("args must be a map of arguments by name", args.position, step)
            return {}
        most = len(known.parameters)
        if len(args.items) > most:
            self.note(f"{function} takes at most {most} arguments, found {len(args.items)}", args.position, step)
        pairs = zip(known.parameters, args.items, strict=False)
        return {parameter.name: self.value(item, step) for parameter, item in pairs}

    def switch(self, body: Mapping, step: str, depth: int) -> Action:
        """`switch`."""
        found = []
        for item in self.sequence(self.field(body, "switch"), step, "switch", limits.CONDITIONS_PER_SWITCH):
            with self.collecting():
                found.append(self.condition(item, step, depth))
        return Switch(tuple(found))

    def condition(self, tree: Tree, step: str, depth: int) -> Condition:
        """One entry of a `switch`."""
        if not isinstance(tree, Mapping) or (condition := tree.get("condition")) is None:
            raise refusal("an entry of switch must be a map with a condition", tree.position, step)
        value = self.value(condition.value, step)
        if not isinstance(value, Expression) and not (isinstance(value, Literal) and isinstance(value.value, bool)):
            self.note("a condition must be an expression ${...}, true or false", condition.value.position, step)
        action, jump = self.action(tree, step, depth, ("condition",))
        return Condition(value, action, jump, tree.position, _place_of_next(tree))

    def for_(self, body: Mapping, step: str, depth: int) -> Action:
        """`for`."""
        tree = self.field(body, "for")
        fields = self.mapping(tree, step, "for", required=("value", "steps"), optional=("index", "in", "range"))
        if ("in" in fields) == ("range" in fields):
            self.note("for needs either in or range", tree.position, step)
        items = self.value(fields["in"], step) if "in" in fields else None
        if isinstance(items, MapTemplate | ComputedMap) or (
            isinstance(items, Literal) and not isinstance(items.value, list)
        ):
            self.note("in must be a list or an expression; for a map loop over keys(m)", items.position, step)
        bounds = self.value(fields["range"], step) if "range" in fields else None
        if bounds is not None and not _may_be_range(bounds):
            self.note("range must be a list of two numbers, [first, last]", bounds.position, step)
        return For(
            self.variable(fields["value"], step, "value"),
            self.variable(fields["index"], step, "index") if "index" in fields else None,
            items,
            bounds,
            self.block(fields["steps"], step, depth),
        )

    def parallel(self, body: Mapping, step: str, depth: int) -> Action:
        """`parallel`."""
        tree = self.field(body, "parallel")
        optional = ("branches", "for", "shared", "concurrency_limit", "exception_policy")
        fields = self.mapping(tree, step, "parallel", required=(), optional=optional)
        assert isinstance(tree, Mapping)
        if ("branches" in fields) == ("for" in fields):
            self.note("parallel needs either branches or for", tree.position, step)
        policy = fields.get("exception_policy")
        if policy is not None and self.text(policy, step, "exception_policy") != "continueAll":
            self.note("exception_policy must be continueAll", policy.position, step)
        loop = self.for_(tree, step, depth) if "for" in fields else None
        assert loop is None or isinstance(loop, For)
        branches = self.branches(fields["branches"], step, depth) if "branches" in fields else ()
        shared = self.sequence(fields["shared"], step, "shared") if "shared" in fields else ()
        limit = self.value(fields["concurrency_limit"], step) if "concurrency_limit" in fields else None
        if limit is not None and not _may_be(limit, lambda value: type(value) is int and value > 0):
            self.note("concurrency_limit must be a positive integer or an expression", limit.position, step)
        names = tuple(self.variable(item, step, "shared") for item in shared)
        return Parallel(branches, loop, names, limit, tree.position)

    def branches(self, tree: Tree, step: str, depth: int) -> tuple[Branch, ...]:
        """`parallel.branches`."""
        items = self.sequence(tree, step, "branches", limits.BRANCHES_MAXIMUM)
        if len(items) < limits.BRANCHES_MINIMUM:
            self.note(f"branches needs at least {limits.BRANCHES_MINIMUM} entries", tree.position, step)
        found: dict[str, Branch] = {}
        for item in items:
            with self.collecting():
                entry = self.single(item, step, "a branch")
                if entry.key in found:
                    self.note(f"duplicate branch name {entry.key!r}", entry.position, step)
                body = self.mapping(entry.value, step, f"branch {entry.key}", required=("steps",))
                found[entry.key] = Branch(entry.key, self.block(body["steps"], step, depth))
        return tuple(found.values())

    def try_(self, body: Mapping, step: str, depth: int) -> Action:
        """`try` with `retry` and `except`."""
        tree = self.field(body, "try")
        block = Block.of(())
        with self.collecting():
            block = self.attempt(tree, step, depth)
        entry = body.get("retry")
        retry: RetryPolicy | NamedRetry | None = None
        if entry is not None:
            with self.collecting():
                retry = self.retry(entry.value, step)
        handler = body.get("except")
        return Try(block, retry, self.handler(handler.value, step, depth) if handler else None)

    def attempt(self, tree: Tree, step: str, depth: int) -> Block:
        """What is tried: steps, or one action."""
        if not isinstance(tree, Mapping) or not tree.entries:
            raise refusal("try must hold one action, or steps", tree.position, step)
        action, jump = self.action(tree, step, depth, ())
        if isinstance(action, Steps) and jump is None:
            return action.steps
        # A bare action is a block of one step, known by the name of the try step and no jump target.
        return Block((Step(step, action or Jump(), jump, tree.position, _place_of_next(tree)),), {})

    def handler(self, tree: Tree, step: str, depth: int) -> Handler:
        """`except`."""
        fields = self.mapping(tree, step, "except", required=("as", "steps"))
        return Handler(self.variable(fields["as"], step, "as"), self.block(fields["steps"], step, depth))

    def retry(self, tree: Tree, step: str) -> RetryPolicy | NamedRetry:
        """`retry`: a policy of the library by name, or a map."""
        if isinstance(tree, Scalar):
            value = self.value(tree, step)
            name = dotted(value.node) if isinstance(value, Expression) else None
            if name is None or name not in RETRY_POLICIES:
                known = ", ".join(RETRY_POLICIES)
                raise refusal(f"retry must be a map, or ${{name}} with name one of {known}", tree.position, step)
            return NamedRetry(name, tree.position)
        fields = self.mapping(tree, step, "retry", required=("max_retries", "backoff"), optional=("predicate",))
        retries, backoff = self.value(fields["max_retries"], step), self.value(fields["backoff"], step)
        if not _may_be(retries, lambda value: type(value) is int and value >= 0):
            self.note("max_retries must be an integer of at least 0, or an expression", retries.position, step)
        if isinstance(fields["backoff"], Mapping):
            self.backoff(fields["backoff"], backoff, step)
        elif not isinstance(backoff, Expression):
            self.note(f"backoff must be a map of {', '.join(_BACKOFF)}, or an expression", backoff.position, step)
        predicate = self.predicate(fields["predicate"], step) if "predicate" in fields else None
        return RetryPolicy(predicate, retries, backoff, tree.position)

    def backoff(self, tree: Mapping, value: Template, step: str) -> None:
        """Note what cannot be the numbers of a backoff map."""
        for name, part in self.mapping(tree, step, "backoff", required=_BACKOFF).items():
            number = value.items[name] if isinstance(value, MapTemplate) else None
            if isinstance(value, Literal):
                number = Literal(value.value[name], part.position)
            if number is not None and not _may_be(number, lambda found: is_number(found) and found >= 0):
                self.note(f"backoff.{name} must be a number of at least 0, or an expression", part.position, step)

    def predicate(self, tree: Tree, step: str) -> str:
        """The name in `predicate: ${name}`; whether it exists is checked with the other names."""
        value = self.value(tree, step)
        name = dotted(value.node) if isinstance(value, Expression) else None
        if name is None:
            message = "predicate must name a subworkflow or a library predicate, without brackets: ${my_predicate}"
            raise refusal(message, tree.position, step)
        return name

    def raise_(self, body: Mapping, step: str, depth: int) -> Action:
        """`raise`."""
        return Raise(self.value(self.field(body, "raise"), step))

    def return_(self, body: Mapping, step: str, depth: int) -> Action:
        """`return`."""
        return Return(self.value(self.field(body, "return"), step))

    def steps(self, body: Mapping, step: str, depth: int) -> Action:
        """Nested `steps`."""
        return Steps(self.block(self.field(body, "steps"), step, depth))


def _place_of_next(body: Tree) -> Position | None:
    entry = body.get("next") if isinstance(body, Mapping) else None
    return entry.value.position if entry else None


def _may_be(template: Template, allowed: Callable[[Any], bool]) -> bool:
    """Whether a value can be what is allowed; expressions can be anything."""
    return isinstance(template, Expression) or (isinstance(template, Literal) and allowed(template.value))


def _may_be_range(template: Template) -> bool:
    match template:
        case Expression():
            return True
        case Literal(value=list() as bounds):
            return len(bounds) == 2 and all(map(is_number, bounds))
        case ListTemplate(items=bounds):
            return len(bounds) == 2 and all(_may_be(bound, is_number) for bound in bounds)
        case _:
            return False


# Each action: what reads it, and the fields that may stand beside it.
_Read = Callable[[Reader, Mapping, str, int], Action]
_ACTIONS: dict[str, tuple[_Read, tuple[str, ...]]] = {
    "assign": (Reader.assign, ("next",)),
    "call": (Reader.call, ("args", "result", "next")),
    "switch": (Reader.switch, ("next",)),
    "for": (Reader.for_, ("next",)),
    "parallel": (Reader.parallel, ("next",)),
    "try": (Reader.try_, ("retry", "except", "next")),
    "raise": (Reader.raise_, ()),
    # Samples of the vendor have `next` beside `return`, where it can have no effect.
    "return": (Reader.return_, ("next",)),
    "steps": (Reader.steps, ("next",)),
}
