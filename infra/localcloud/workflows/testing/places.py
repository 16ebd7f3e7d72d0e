"""Where the table of a definition is: NAME.test.yaml beside NAME.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SUFFIX: Final = ".test.yaml"
_DEFINITIONS = (".yaml", ".yml", ".json")


def table_of(definition: str) -> str:
    """The path of a definition's table."""
    return str(Path(definition).with_suffix(SUFFIX))


def definition_of(path: str) -> str | None:
    """The definition that a table belongs to; None when the path is no table's, or there is no definition beside it."""
    if not path.endswith(SUFFIX):
        return None
    stem = path.removesuffix(SUFFIX)
    return next((stem + suffix for suffix in _DEFINITIONS if Path(stem + suffix).is_file()), None)
