"""What a format of rows is: its type, its rules, and what its rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import Format

if TYPE_CHECKING:
    from numpy import int32, uint8
    from numpy.typing import NDArray

Values = Mapping[str, str | int | float]


class Problem(NamedTuple):
    """One broken rule within a row: the rule's code, a JSON pointer, and what the rule's message has to be told.

    `values` are facts, never words of a language: names of fields, numbers, quoted values. The value `found` is what
    stands there. `excerpt` is the text at the place, cut when it is long.
    """

    code: str
    pointer: str = ""
    values: Values = MappingProxyType({})
    excerpt: str = ""


class Example(NamedTuple):
    """What a row asks and what it answers, as text. Several turns are joined by line breaks."""

    prompt: str
    answer: str


class Batch(NamedTuple):
    """Rows without fault, by columns; `n` is their number. Lengths are in characters.

    `keys` counts the keys of all objects of a row, one number where all rows have the same: more keys in its bytes mean
    unknown or repeated ones.
    `hashed` is one text of each row's prompt, the one that tells rows apart best: its last. Together with the lengths
    it makes the key by which repeated rows are found. `prompt` and `answer` are n lengths: all that comes before the
    answer, and the answer (0 where a format has none; both candidates of a preference). `fields` are the lengths of
    every text by the name that statistics show, one or several for each row. `answers` are n texts, the answers as
    labels are counted in them; None where a format has none. `choices` are n numbers of better candidates.
    """

    keys: int | NDArray[int32]
    hashed: Sequence[str]
    prompt: NDArray[int32]
    answer: NDArray[int32]
    fields: Mapping[str, NDArray[int32]]
    answers: Sequence[str] | None = None
    turns: NDArray[int32] | None = None
    choices: NDArray[uint8] | None = None


class Remark(NamedTuple):
    """What is worth saying of `times` rows of a batch that have no fault, of which the one at `first` is shown."""

    problem: Problem
    first: int
    times: int


@dataclass(frozen=True)
class RowFormat:
    """One shape of rows.

    `name` is the key in ``FORMATS``. `row` is the typed form of a right row: msgspec refuses the grossest faults while
    it decodes. `measure` takes the columns of such rows, or gives the positions of those that need a closer look.
    `problems` lists everything wrong in one decoded object. The two agree: rows that `measure` counts, with no more
    keys than it says, have no problems. `remarks` are about rows without fault. `example` reads a typed row as text.

    `usual` is the type of rows that are as most are, where decoding into it is quicker: it refuses every field that is
    not its own. `measure` and `example` take its rows, too.
    `incomplete` names the shapes which, in a file of this format, are rows of this format that miss something.
    `one_answer_per_prompt` is False where several rows with one prompt are usual.
    """

    name: Format
    row: type[Any]
    measure: Callable[[Sequence[Any]], Batch | list[int]]
    problems: Callable[[Mapping[str, Any]], Iterator[Problem]]
    example: Callable[[Any], Example]
    one_answer_per_prompt: bool = True
    has_answer: bool = True
    remarks: Callable[[Batch], Iterator[Remark]] | None = None
    incomplete: frozenset[str] = field(default=frozenset())
    usual: type[Any] | None = None

    def __reduce__(self) -> tuple[Callable[[Format], RowFormat], tuple[Format]]:
        """A format goes to another process by its name."""
        return _by_name, (self.name,)


def _by_name(name: Format) -> RowFormat:
    from .formats import FORMATS

    return FORMATS[name]
