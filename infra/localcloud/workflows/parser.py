"""A definition's text to a `Program`. What the service refuses at deployment is refused here or in `checks`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from . import limits
from .checks import check
from .errors import Position, Problem, SourceError
from .expressions.tree import dotted
from .source import Entry, Mapping, Scalar, Sequence, Tree, read_source
from .stdlib import RETRY_POLICIES
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
    Condition,
    Expression,
    For,
    Handler,
    Jump,
    Literal,
    NamedRetry,
    Parallel,
    Parameter,
    Program,
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
from .templates import target, template

# The documentation allows letters, digits and underscores; samples of the vendor have blanks and more.
_STEP_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_ ?-]*[A-Za-z0-9_?])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_STEPS = (END, BREAK, CONTINUE)


def parse(text: str) -> Program:
    """The program of a source text, checked. SourceError with step, line and column otherwise."""
    tree = read_source(text)
    if isinstance(tree, Sequence):
        main = Routine("main", (), _Reader().block(tree, None, 0), tree.position)
        program = Program({"main": main})
    elif isinstance(tree, Mapping):
        program = Program({entry.key: _routine(entry) for entry in tree.entries})
    else:
        raise SourceError([Problem("a workflow is a list of steps, or a map of routines with a main", tree.position)])
    if "main" not in program.routines:
        raise SourceError([Problem("there is no routine named main; every execution starts there", tree.position)])
    check(program)
    return program


def _routine(entry: Entry) -> Routine:
    if not _VARIABLE.fullmatch(entry.key):
        message = f"{entry.key!r} is not a routine name: letters, digits and underscores, not starting with a digit"
        raise SourceError([Problem(message, entry.position)])
    reader = _Reader()
    # The list of steps may stand directly below the routine's name when there are no params.
    if isinstance(entry.value, Sequence):
        return Routine(entry.key, (), reader.block(entry.value, None, 0), entry.position)
    body = reader.mapping(entry.value, None, f"routine {entry.key}", required=("steps",), optional=("params",))
    params = body.get("params")
    parameters = reader.parameters(params) if params else ()
    if entry.key == "main" and len(parameters) > limits.PARAMETERS_OF_MAIN:
        message = "main takes at most one parameter, which receives the whole argument of the execution"
        raise SourceError([Problem(message, entry.position)])
    return Routine(entry.key, parameters, reader.block(body["steps"], None, 0), entry.position)


class _Reader:
    """Reads the parts of a routine; one method per form."""

    # --- shapes

    def mapping(
        self, tree: Tree, step: str | None, what: str, *, required: Iterable[str], optional: Iterable[str] = ()
    ) -> dict[str, Tree]:
        """The fields of a map that has all of `required` and no others than these and `optional`."""
        if not isinstance(tree, Mapping):
            raise _refusal(f"{what} must be a map", tree.position, step)
        required = tuple(required)
        allowed = (*required, *optional)
        for entry in tree.entries:
            if entry.key not in allowed:
                raise _refusal(
                    f"{what} has an unknown field {entry.key!r}; allowed: {', '.join(allowed)}", entry.position, step
                )
        fields = {entry.key: entry.value for entry in tree.entries}
        for name in required:
            if name not in fields:
                raise _refusal(f"{what} lacks {name!r}", tree.position, step)
        return fields

    def sequence(self, tree: Tree, step: str | None, what: str, maximum: int | None = None) -> tuple[Tree, ...]:
        """The items of a non-empty list of at most `maximum`."""
        if not isinstance(tree, Sequence) or not tree.items:
            raise _refusal(f"{what} must be a list with at least one entry", tree.position, step)
        if maximum is not None and len(tree.items) > maximum:
            raise _refusal(f"{what} has {len(tree.items)} entries; at most {maximum} are allowed", tree.position, step)
        return tree.items

    def single(self, tree: Tree, step: str | None, what: str) -> Entry:
        """The entry of a map that must have exactly one."""
        if not isinstance(tree, Mapping) or len(tree.entries) != 1:
            raise _refusal(f"{what} must be a map with exactly one key", tree.position, step)
        return tree.entries[0]

    def variable(self, tree: Tree, step: str | None, what: str) -> str:
        """A variable's name."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or not _VARIABLE.fullmatch(tree.value):
            message = f"{what} must be a variable name: a letter or underscore, then letters, digits, underscores"
            raise _refusal(message, tree.position, step)
        return tree.value

    def text(self, tree: Tree, step: str | None, what: str) -> str:
        """A plain string, no expression."""
        if not isinstance(tree, Scalar) or not isinstance(tree.value, str) or tree.value.startswith("${"):
            raise _refusal(f"{what} must be a name, not an expression", tree.position, step)
        return tree.value

    def parameters(self, tree: Tree) -> tuple[Parameter, ...]:
        """The `params` of a routine."""
        if not isinstance(tree, Sequence):
            raise _refusal("params must be a list of names", tree.position, None)
        found: dict[str, Parameter] = {}
        for item in tree.items:
            default: Template | None = None
            if isinstance(item, Mapping):
                entry = self.single(item, None, "a parameter with a default")
                name, default = (
                    self.variable(Scalar(entry.key, entry.position), None, "a parameter"),
                    template(entry.value, None),
                )
            else:
                name = self.variable(item, None, "a parameter")
            if name in found:
                raise _refusal(f"duplicate parameter {name!r}", item.position, None)
            found[name] = Parameter(name, default)
        return tuple(found.values())

    # --- steps

    def block(self, tree: Tree, step: str | None, depth: int) -> Block:
        """A list of steps."""
        if depth > limits.BLOCK_DEPTH:
            raise _refusal(f"steps are nested more than {limits.BLOCK_DEPTH} levels deep", tree.position, step)
        found: dict[str, Step] = {}
        for item in self.sequence(tree, step, "steps"):
            inner = self.step(item, step, depth)
            # Samples of the vendor use a name again in another block; a jump means the nearest block's.
            if inner.name in found:
                line = found[inner.name].position.line
                raise _refusal(f"duplicate step name; line {line} has it too", inner.position, inner.name)
            found[inner.name] = inner
        return Block.of(tuple(found.values()))

    def step(self, tree: Tree, parent: str | None, depth: int) -> Step:
        """One named step."""
        entry = self.single(tree, parent, "a step")
        name = entry.key
        if not _STEP_NAME.fullmatch(name) or name in _RESERVED_STEPS:
            reserved = ", ".join(_RESERVED_STEPS)
            message = f"{name!r} is not a step name: letters, digits and underscores, and none of {reserved}"
            raise _refusal(message, entry.position, parent)
        if not isinstance(entry.value, Mapping) or not entry.value.entries:
            raise _refusal("a step must have one action", entry.position, name)
        action, jump = self.action(entry.value, name, depth, ())
        return Step(name, action or Jump(), jump, entry.position)

    def action(
        self, body: Mapping, step: str, depth: int, besides: tuple[str, ...]
    ) -> tuple[Action | None, str | None]:
        """The action among the fields of `body` and its `next`; fields named in `besides` belong to the caller."""
        actions = [entry for entry in body.entries if entry.key in _ACTIONS]
        if len(actions) > 1:
            found = ", ".join(entry.key for entry in actions)
            raise _refusal(f"one action is allowed here, found {found}", actions[1].position, step)
        kind = actions[0].key if actions else None
        read, companions = _ACTIONS[kind] if kind else (None, ("next",))
        allowed = (*besides, *((kind,) if kind else ()), *companions)
        for entry in body.entries:
            if entry.key not in allowed:
                choices = allowed if kind else (*besides, *_ACTIONS, "next")
                message = f"unknown field {entry.key!r}; allowed here: {', '.join(dict.fromkeys(choices))}"
                raise _refusal(message, entry.position, step)
        next_entry = body.get("next")
        jump = self.text(next_entry.value, step, "next") if next_entry else None
        if read is None:
            if jump is None and not besides:
                raise _refusal("a step must have one action", body.position, step)
            return None, jump
        return read(self, body, step, depth + 1), jump

    def field(self, body: Mapping, name: str) -> Tree:
        """A field that is known to be there."""
        entry = body.get(name)
        assert entry is not None
        return entry.value

    def assign(self, body: Mapping, step: str, depth: int) -> Action:
        """`assign`."""
        found = []
        for item in self.sequence(self.field(body, "assign"), step, "assign", limits.ASSIGNMENTS_PER_STEP):
            entry = self.single(item, step, "an assignment")
            value = template(entry.value, step)
            found.append(Assignment(target(entry.key, entry.position, step), value, entry.position))
        return Assign(tuple(found))

    def call(self, body: Mapping, step: str, depth: int) -> Action:
        """`call` with `args` and `result`."""
        name = self.field(body, "call")
        args, result = body.get("args"), body.get("result")
        if args is not None and not isinstance(args.value, Mapping):
            raise _refusal("args must be a map of arguments by name", args.value.position, step)
        arguments = (
            {e.key: template(e.value, step) for e in args.value.entries}
            if args and isinstance(args.value, Mapping)
            else {}
        )
        variable = self.variable(result.value, step, "result") if result else None
        return Call(self.text(name, step, "call"), arguments, variable, name.position)

    def switch(self, body: Mapping, step: str, depth: int) -> Action:
        """`switch`."""
        found = []
        for item in self.sequence(self.field(body, "switch"), step, "switch", limits.CONDITIONS_PER_SWITCH):
            if not isinstance(item, Mapping) or (condition := item.get("condition")) is None:
                raise _refusal("an entry of switch must be a map with a condition", item.position, step)
            value = template(condition.value, step)
            if not isinstance(value, Expression) and not (isinstance(value, Literal) and isinstance(value.value, bool)):
                raise _refusal(
                    "a condition must be an expression ${...}, true or false", condition.value.position, step
                )
            action, jump = self.action(item, step, depth, ("condition",))
            found.append(Condition(value, action, jump, item.position))
        return Switch(tuple(found))

    def for_(self, body: Mapping, step: str, depth: int) -> Action:
        """`for`."""
        tree = self.field(body, "for")
        fields = self.mapping(tree, step, "for", required=("value", "steps"), optional=("index", "in", "range"))
        if ("in" in fields) == ("range" in fields):
            raise _refusal("for needs either in or range", tree.position, step)
        items = template(fields["in"], step) if "in" in fields else None
        if isinstance(items, Literal) and not isinstance(items.value, list):
            raise _refusal("in must be a list or an expression; for a map loop over keys(m)", items.position, step)
        bounds = template(fields["range"], step) if "range" in fields else None
        if isinstance(bounds, Literal) and not (isinstance(bounds.value, list) and len(bounds.value) == 2):
            raise _refusal("range must be a list of two numbers, [first, last]", bounds.position, step)
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
            raise _refusal("parallel needs either branches or for", tree.position, step)
        if (
            "exception_policy" in fields
            and self.text(fields["exception_policy"], step, "exception_policy") != "continueAll"
        ):
            raise _refusal("exception_policy must be continueAll", fields["exception_policy"].position, step)
        loop = self.for_(tree, step, depth) if "for" in fields else None
        assert loop is None or isinstance(loop, For)
        branches = self.branches(fields["branches"], step, depth) if "branches" in fields else ()
        shared = self.sequence(fields["shared"], step, "shared") if "shared" in fields else ()
        limit = template(fields["concurrency_limit"], step) if "concurrency_limit" in fields else None
        names = tuple(self.variable(item, step, "shared") for item in shared)
        return Parallel(branches, loop, names, limit, tree.position)

    def branches(self, tree: Tree, step: str, depth: int) -> tuple[Branch, ...]:
        """`parallel.branches`."""
        items = self.sequence(tree, step, "branches", limits.BRANCHES_MAXIMUM)
        if len(items) < limits.BRANCHES_MINIMUM:
            raise _refusal(f"branches needs at least {limits.BRANCHES_MINIMUM} entries", tree.position, step)
        found: dict[str, Branch] = {}
        for item in items:
            entry = self.single(item, step, "a branch")
            if entry.key in found:
                raise _refusal(f"duplicate branch name {entry.key!r}", entry.position, step)
            body = self.mapping(entry.value, step, f"branch {entry.key}", required=("steps",))
            found[entry.key] = Branch(entry.key, self.block(body["steps"], step, depth))
        return tuple(found.values())

    def try_(self, body: Mapping, step: str, depth: int) -> Action:
        """`try` with `retry` and `except`."""
        tree = self.field(body, "try")
        if not isinstance(tree, Mapping) or not tree.entries:
            raise _refusal("try must hold one action, or steps", tree.position, step)
        action, jump = self.action(tree, step, depth, ())
        # A bare action is a block of one step, known by the name of the try step and no jump target.
        if isinstance(action, Steps) and jump is None:
            block = action.steps
        else:
            block = Block((Step(step, action or Jump(), jump, tree.position),), {})
        retry, handler = body.get("retry"), body.get("except")
        return Try(
            block,
            self.retry(retry.value, step) if retry else None,
            self.handler(handler.value, step, depth) if handler else None,
        )

    def handler(self, tree: Tree, step: str, depth: int) -> Handler:
        """`except`."""
        fields = self.mapping(tree, step, "except", required=("as", "steps"))
        return Handler(self.variable(fields["as"], step, "as"), self.block(fields["steps"], step, depth))

    def retry(self, tree: Tree, step: str) -> RetryPolicy | NamedRetry:
        """`retry`: a policy of the library by name, or a map."""
        if isinstance(tree, Scalar):
            value = template(tree, step)
            name = dotted(value.node) if isinstance(value, Expression) else None
            if name is None or name not in RETRY_POLICIES:
                known = ", ".join(RETRY_POLICIES)
                raise _refusal(f"retry must be a map, or ${{name}} with name one of {known}", tree.position, step)
            return NamedRetry(name, tree.position)
        fields = self.mapping(tree, step, "retry", required=("max_retries", "backoff"), optional=("predicate",))
        backoff = fields["backoff"]
        if isinstance(backoff, Mapping):
            self.mapping(backoff, step, "backoff", required=("initial_delay", "max_delay", "multiplier"))
        predicate = self.predicate(fields["predicate"], step) if "predicate" in fields else None
        return RetryPolicy(predicate, template(fields["max_retries"], step), template(backoff, step), tree.position)

    def predicate(self, tree: Tree, step: str) -> str:
        """The name in `predicate: ${name}`; whether it exists is checked with the other names."""
        value = template(tree, step)
        name = dotted(value.node) if isinstance(value, Expression) else None
        if name is None:
            message = "predicate must name a subworkflow or a library predicate, without brackets: ${my_predicate}"
            raise _refusal(message, tree.position, step)
        return name

    def raise_(self, body: Mapping, step: str, depth: int) -> Action:
        """`raise`."""
        return Raise(template(self.field(body, "raise"), step))

    def return_(self, body: Mapping, step: str, depth: int) -> Action:
        """`return`."""
        return Return(template(self.field(body, "return"), step))

    def steps(self, body: Mapping, step: str, depth: int) -> Action:
        """Nested `steps`."""
        return Steps(self.block(self.field(body, "steps"), step, depth))


def _refusal(message: str, position: Position, step: str | None) -> SourceError:
    return SourceError([Problem(message, position, step)])


# Each action: what reads it, and the fields that may stand beside it.
_Read = Callable[[_Reader, Mapping, str, int], Action]
_ACTIONS: dict[str, tuple[_Read, tuple[str, ...]]] = {
    "assign": (_Reader.assign, ("next",)),
    "call": (_Reader.call, ("args", "result", "next")),
    "switch": (_Reader.switch, ("next",)),
    "for": (_Reader.for_, ("next",)),
    "parallel": (_Reader.parallel, ("next",)),
    "try": (_Reader.try_, ("retry", "except", "next")),
    # Samples of the vendor have `next` beside `return`, where it can have no effect.
    "raise": (_Reader.raise_, ("next",)),
    "return": (_Reader.return_, ("next",)),
    "steps": (_Reader.steps, ("next",)),
}
