"""Rows with ``messages`` by role: OpenAI chat, chat of open models, and that of the first Gemini."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Any

from .functions import from_openai, to_openai
from .meaning import (
    Call,
    CannotConvert,
    Conversation,
    Fields,
    Loss,
    Media,
    Part,
    Result,
    Text,
    Turn,
    Writer,
    answered,
    drop_unread,
    no_tools,
    plain_system,
    plain_text,
)

READ = frozenset({"messages", "tools", "parallel_tool_calls"})
READ_OF_TURN = frozenset({"role", "content", "weight", "tool_calls", "tool_call_id"})
SYSTEMS = frozenset({"system", "developer"})
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)


def read(row: Fields, lost: set[Loss]) -> Conversation:
    """The conversation in a row with ``messages``."""
    drop_unread(row, READ, lost)
    if "parallel_tool_calls" in row:
        lost.add(Loss("field", "parallel_tool_calls"))
    messages = row["messages"]
    leading = list(takewhile(lambda message: message["role"] in SYSTEMS, messages))
    system = tuple(text for message in leading for text in _system(message, lost))
    turns, answer = answered(tuple(_turns(messages[len(leading) :], lost)))
    return Conversation(turns, answer, system=system, tools=from_openai(row.get("tools") or (), lost))


def write_plain(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
    """A row of the first Gemini: every content is a text."""
    no_tools(conversation, lost)
    messages = []
    if system := plain_system(conversation, lost):
        messages.append({"role": "system", "content": system})
    for turn in conversation.dialogue:
        role = "model" if turn.role == "assistant" else "user"
        messages.append({"role": role, "content": plain_text(turn, lost)})
    return {"messages": messages}


def writes(*, functions: bool) -> Writer:
    """A writer of rows with contents of parts; functions can be called in OpenAI's only."""

    def writer(conversation: Conversation, lost: set[Loss]) -> dict[str, Any]:
        messages: list[dict[str, Any]] = []
        if conversation.system:
            messages.append({"role": "system", "content": _content([Text(text) for text in conversation.system])})
        messages += write_turns(conversation.dialogue) if functions else map(_turn_without_calls, conversation.dialogue)
        row: dict[str, Any] = {"messages": messages}
        if not functions:
            no_tools(conversation, lost)
        elif conversation.tools:
            row["tools"] = to_openai(conversation.tools)
        return row

    return writer


def read_turns(messages: Sequence[Fields], lost: set[Loss]) -> tuple[Turn, ...]:
    """The turns of messages without a system instruction."""
    return tuple(_turns(messages, lost))


def write_turns(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """OpenAI's messages of these turns; calls and what comes back are matched by ids, which are numbered."""
    messages: list[dict[str, Any]] = []
    open_calls: list[tuple[str, str]] = []  # name and id of those without a result so far
    count = 0
    for turn in turns:
        if turn.role == "tool":
            for part in turn.parts:
                assert isinstance(part, Result), "turns of tools hold results only"
                messages.append(
                    {"role": "tool", "tool_call_id": _answered_call(part, open_calls), "content": _said(part)}
                )
            continue
        said = [part for part in turn.parts if not isinstance(part, Call)]
        message: dict[str, Any] = {"role": turn.role}
        if said:
            message["content"] = _content(said)
        calls = []
        for part in turn.parts:
            if isinstance(part, Call):
                count += 1
                open_calls.append((part.name, f"call_{count}"))
                function = {"name": part.name, "arguments": _json(part.arguments)}
                calls.append({"id": f"call_{count}", "type": "function", "function": function})
        if calls:
            message["tool_calls"] = calls
        messages.append(message)
    return messages


def _system(message: Fields, lost: set[Loss]) -> list[str]:
    drop_unread(message, READ_OF_TURN, lost)
    parts = list(_parts(message["content"], lost))
    texts = [part.text for part in parts if isinstance(part, Text)]
    if len(texts) < len(parts):
        raise CannotConvert("a system instruction holds more than text")
    return texts


def _turns(messages: Sequence[Fields], lost: set[Loss]) -> Iterator[Turn]:
    names: dict[str, str] = {}  # of the functions called, by the ids of the calls
    results: list[Result] = []
    for message in messages:
        drop_unread(message, READ_OF_TURN, lost)
        if "weight" in message:
            lost.add(Loss("weight"))
        role = message["role"]
        if role == "tool":
            results.append(_result(message, names))
            continue
        if results:
            yield Turn("tool", tuple(results))
            results = []
        if role == "user":
            yield Turn("user", tuple(_parts(message["content"], lost)))
        elif role in ("assistant", "model"):
            said = tuple(_parts(message["content"], lost)) if message.get("content") else ()
            yield Turn("assistant", (*said, *_calls(message, names, lost)))
        else:
            raise CannotConvert(f"a turn of `{role}` stands between the others")
    if results:
        yield Turn("tool", tuple(results))


def _calls(message: Fields, names: dict[str, str], lost: set[Loss]) -> Iterator[Call]:
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        if not isinstance(function, dict):
            raise CannotConvert("a tool call is of no function")
        try:
            arguments = json.loads(function.get("arguments") or "{}")
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise CannotConvert(f"the arguments of `{function['name']}` are no JSON object")
        names[call.get("id", "")] = function["name"]
        lost.add(Loss("call_ids"))
        yield Call(function["name"], arguments)


def _result(message: Fields, names: dict[str, str]) -> Result:
    name = names.get(message.get("tool_call_id", ""))
    if name is None:
        raise CannotConvert("a function's response belongs to no call before it")
    content = message["content"]
    if not isinstance(content, str):
        content = "".join(part.text for part in _parts(content, set()) if isinstance(part, Text))
    return Result(name, _response(content))


def _response(content: str) -> Fields:
    """What Gemini takes as a response: the object in the content, or else the content as `output`."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) and not _only_output(value) else {"output": content}


def _said(result: Result) -> str:
    response = result.response
    return response["output"] if _only_output(response) else _json(response)


def _only_output(response: Fields) -> bool:
    return len(response) == 1 and isinstance(response.get("output"), str)


def _answered_call(result: Result, open_calls: list[tuple[str, str]]) -> str:
    """The id of the first call of that function that has no result yet."""
    for at, (name, call) in enumerate(open_calls):
        if name == result.name:
            del open_calls[at]
            return call
    raise CannotConvert(f"the response of `{result.name}` belongs to no call before it")


def _parts(content: Any, lost: set[Loss]) -> Iterator[Part]:
    if isinstance(content, str):
        yield Text(content)
        return
    for part in content:
        kind = part["type"]
        if kind == "text":
            yield Text(part["text"])
        elif kind == "image_url":
            yield _image(part["image_url"], lost)
        else:
            raise CannotConvert(f"a part of the type `{kind}` has no form in other formats")


def _image(image: Fields, lost: set[Loss]) -> Media:
    if "detail" in image:
        lost.add(Loss("image_detail"))
    url = image["url"]
    if match := _DATA_URL.fullmatch(url):
        return Media(match[1], match[2], None)
    raise CannotConvert("an image lies on the web; other formats need it in the row or in Cloud Storage")


def _turn_without_calls(turn: Turn) -> dict[str, Any]:
    if any(isinstance(part, Call | Result) for part in turn.parts):
        raise CannotConvert("a turn calls a function, and this format has no place for it")
    return {"role": turn.role, "content": _content(turn.parts)}


def _content(parts: Sequence[Part]) -> Any:
    """A text where there is just one, else a list of parts."""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_written(part) for part in parts]


def _written(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, Media) and part.data is not None and part.mime_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": f"data:{part.mime_type};base64,{part.data}"}}
    raise CannotConvert("a picture, sound or document has no place here, other than an image within the row")


def _json(value: Fields) -> str:
    return json.dumps(value, ensure_ascii=False)
