"""What a library function declares; names, number and types of arguments are checked here, never in a body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from ..errors import type_error
from ..values import type_name

if TYPE_CHECKING:
    from ..running.runtime import Strand

ANY: Final = None
STRING: Final = (str,)
NUMBER: Final = (int, float)
BYTES: Final = (bytes,)
LIST: Final = (list,)
MAP: Final = (dict,)
BOOLEAN: Final = (bool,)
REQUIRED: Final = object()


class Named(Protocol):
    """A parameter of a routine or of a library function."""

    @property
    def name(self) -> str: ...


_Parameter = TypeVar("_Parameter", bound=Named)


@dataclass(frozen=True)
class Param:
    """A parameter: the types it takes (ANY for all), and its default unless it is required."""

    name: str
    types: tuple[type, ...] | None = ANY
    default: Any = REQUIRED


@dataclass(frozen=True)
class _Signature:
    """`any_arguments` stands where nothing is known of the parameters: all arguments are taken, and dropped."""

    name: str
    parameters: tuple[Param, ...]
    any_arguments: bool = field(default=False, kw_only=True)

    def check(self, named: Mapping[str, Any]) -> list[Any]:
        """The arguments in order, defaults filled in. TypeError for a missing, unknown or wrongly typed one."""
        if self.any_arguments:
            return []
        names = {parameter.name for parameter in self.parameters}
        for name in named:
            if name not in names:
                raise type_error(
                    f"{self.name} has no parameter {name!r}; it takes {', '.join(sorted(names)) or 'none'}"
                )
        return [self._argument(parameter, named) for parameter in self.parameters]

    def _argument(self, parameter: Param, named: Mapping[str, Any]) -> Any:
        value = named.get(parameter.name)
        if value is None and parameter.default is not REQUIRED:
            return parameter.default
        if parameter.name not in named:
            raise type_error(f"{self.name} lacks the argument {parameter.name!r}")
        if parameter.types is not None and type(value) not in parameter.types:
            allowed = " or ".join(_TYPE_WORDS[t] for t in parameter.types)
            raise type_error(f"{self.name}: {parameter.name} must be {allowed}, not {type_name(value)}")
        return value


@dataclass(frozen=True)
class Pure(_Signature):
    """A function of its arguments alone."""

    body: Callable[..., Any]


@dataclass(frozen=True)
class Effect(_Signature):
    """A function that touches the world, through the strand that calls it. Blocking ones need a call step."""

    body: Callable[..., Awaitable[Any]]
    blocking: bool = True


Function = Pure | Effect
Body = Callable[["Strand"], Awaitable[Any]]


def table(*functions: Function) -> dict[str, Function]:
    """Functions by name."""
    return {function.name: function for function in functions}


def bind_positional(name: str, parameters: Sequence[Named], arguments: Sequence[Any]) -> dict[str, Any]:
    """Positional arguments by name. TypeError when there are too many."""
    if len(arguments) > len(parameters):
        raise type_error(f"{name} takes at most {len(parameters)} arguments, found {len(arguments)}")
    return {parameter.name: value for parameter, value in zip(parameters, arguments, strict=False)}


_TYPE_WORDS = {
    str: "a string",
    int: "an integer",
    float: "a double",
    bool: "a boolean",
    bytes: "bytes",
    list: "a list",
    dict: "a map",
    type(None): "null",
}
