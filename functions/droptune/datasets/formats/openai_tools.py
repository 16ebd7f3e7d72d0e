"""The rules of tools and of calls to them, as OpenAI writes both.

Source: "Fine-tuning with tool calling" and the reference of chat completions, OpenAI documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from ..rowformat import Problem
from .fields import blank, excerpt, fields_of, shown

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Call(NamedTuple):
    """A call of a tool; empty texts stand for what is missing."""

    id: str
    name: str


def tools_problems(row: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """Everything wrong with the `tools`, `functions` and `parallel_tool_calls` of a row."""
    if row.get("tools") is not None:
        yield from _tools(row["tools"], f"{at}/tools")
    if row.get("functions") is not None:
        yield Problem("OPENAI-DEPRECATED", f"{at}/functions", {"found": "functions", "new": "tools"})
        yield from _functions(row["functions"], f"{at}/functions")
    parallel = row.get("parallel_tool_calls")
    if parallel is not None and not isinstance(parallel, bool):
        yield Problem("OPENAI-PARALLEL-TYPE", f"{at}/parallel_tool_calls", {"found": shown(parallel)})


def declared(row: Mapping[str, Any]) -> frozenset[str]:
    """The names of the tools that a row declares, as far as they are right."""
    tools, functions = row.get("tools"), row.get("functions")
    given = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    given += functions if isinstance(functions, list) else []
    return frozenset(map(_name, given))


def _tools(tools: Any, at: str) -> Iterator[Problem]:
    if not isinstance(tools, list):
        yield Problem("OPENAI-TOOLS-TYPE", at, {"field": "tools", "found": shown(tools)}, excerpt(tools))
        return
    names: set[str] = set()
    for index, tool in enumerate(tools):
        place = f"{at}/{index}"
        if not isinstance(tool, dict):
            yield Problem("OPENAI-TOOL-TYPE", place, {"found": shown(tool)}, excerpt(tool))
            continue
        if tool.get("type") != "function":
            found = shown(tool["type"]) if "type" in tool else fields_of(tool)
            yield Problem("OPENAI-TOOL-KIND", place, {"found": found})
        if "function" in tool:
            yield from _function(tool["function"], f"{place}/function", names)
        elif tool.get("type") == "function":
            yield Problem("OPENAI-TOOL-NAME", place, {"found": fields_of(tool)})


def _functions(functions: Any, at: str) -> Iterator[Problem]:
    if not isinstance(functions, list):
        yield Problem("OPENAI-TOOLS-TYPE", at, {"field": "functions", "found": shown(functions)}, excerpt(functions))
        return
    names: set[str] = set()
    for index, function in enumerate(functions):
        yield from _function(function, f"{at}/{index}", names)


def _function(function: Any, at: str, names: set[str]) -> Iterator[Problem]:
    """What is wrong with the declaration of a function; `names` are those declared before, and get its own."""
    if not isinstance(function, dict):
        yield Problem("OPENAI-TOOL-TYPE", at, {"found": shown(function)}, excerpt(function))
        return
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield Problem("OPENAI-TOOL-NAME", at, {"found": shown(name) if "name" in function else fields_of(function)})
    elif name in names:
        yield Problem("OPENAI-TOOL-DUPLICATE", at, {"found": name})
    else:
        names.add(name)
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        yield Problem("OPENAI-TOOL-PARAMETERS", f"{at}/parameters", {"found": shown(parameters)}, excerpt(parameters))


def calls_problems(turn: Mapping[str, Any], at: str) -> Iterator[Problem]:
    """Everything wrong with the calls that an assistant's turn makes."""
    calls = turn.get("tool_calls")
    if calls is not None:
        yield from _calls(calls, f"{at}/tool_calls")
    call = turn.get("function_call")
    if call is not None:
        yield Problem("OPENAI-DEPRECATED", f"{at}/function_call", {"found": "function_call", "new": "tool_calls"})
        yield from _call(call, f"{at}/function_call")


def _calls(calls: Any, at: str) -> Iterator[Problem]:
    if not isinstance(calls, list):
        yield Problem("OPENAI-CALLS-TYPE", at, {"found": shown(calls)}, excerpt(calls))
        return
    if not calls:
        yield Problem("OPENAI-CALLS-EMPTY", at, {"found": "[]"})
    seen: set[str] = set()
    for index, call in enumerate(calls):
        place = f"{at}/{index}"
        if not isinstance(call, dict):
            yield Problem("OPENAI-CALL-TYPE", place, {"found": shown(call)}, excerpt(call))
            continue
        identity = call.get("id")
        if not isinstance(identity, str) or blank(identity):
            found = shown(identity) if "id" in call else fields_of(call)
            yield Problem("OPENAI-CALL-ID", place, {"field": "id", "found": found})
        elif identity in seen:
            yield Problem("OPENAI-CALL-DUPLICATE", f"{place}/id", {"found": identity})
        else:
            seen.add(identity)
        if call.get("type") != "function":
            yield Problem(
                "OPENAI-CALL-KIND", place, {"found": shown(call["type"]) if "type" in call else fields_of(call)}
            )
        yield from _call(call.get("function"), f"{place}/function" if "function" in call else place)


def _call(call: Any, at: str) -> Iterator[Problem]:
    """What is wrong with the name and the arguments of a call."""
    if not isinstance(call, dict):
        yield Problem("OPENAI-CALL-TYPE", at, {"found": shown(call)}, excerpt(call))
        return
    name, arguments = call.get("name"), call.get("arguments")
    if not isinstance(name, str) or blank(name):
        yield Problem("OPENAI-CALL-NAME", at, {"found": shown(name) if "name" in call else fields_of(call)})
    if not isinstance(arguments, str):
        found = shown(arguments) if "arguments" in call else fields_of(call)
        yield Problem("OPENAI-CALL-ARGUMENTS-TYPE", at, {"found": found}, excerpt(arguments))
    elif not _is_object(arguments):
        yield Problem("OPENAI-CALL-ARGUMENTS", f"{at}/arguments", {"found": shown(arguments)}, excerpt(arguments))


def _is_object(text: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def called(turn: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of a turn, as far as they are right."""
    calls = turn.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        if isinstance(call, dict):
            yield Call(_text(call.get("id")), _name(call.get("function")))
    yield Call("", _name(turn.get("function_call")))


def _name(function: Any) -> str:
    return _text(function.get("name")) if isinstance(function, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
