"""list.*: new lists with one more element."""

from __future__ import annotations

from typing import Any

from .signature import ANY, LIST, Param, Pure, table


def _concat(objs: list[Any], val: Any) -> list[Any]:
    return [*objs, val]


def _prepend(objs: list[Any], val: Any) -> list[Any]:
    return [val, *objs]


FUNCTIONS = table(
    Pure("list.concat", (Param("objs", LIST), Param("val", ANY)), _concat),
    Pure("list.prepend", (Param("objs", LIST), Param("val", ANY)), _prepend),
)
