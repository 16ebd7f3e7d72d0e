"""A connector's arguments to the request that they stand for. Types are checked against the discovery document.

Bodies are sent as they are: the service takes fields in more than one spelling, so no schema is applied to them.
Patterns of names are not applied either: samples of the vendor pass names that they would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from ..errors import type_error, value_error
from ..stdlib.helpers import FUNCTIONS as HELPERS
from ..stdlib.http import encode_body
from ..stdlib.signature import ANY, BOOLEAN, MAP, NUMBER, REQUIRED, STRING, Param
from ..values import is_number, type_name
from .methods import Method, Parameter

BODY: Final = "body"
QUERY: Final = "query"
CONNECTOR_PARAMS: Final = "connector_params"
_UPLOAD_TYPE: Final = "uploadType"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": STRING,
    "integer": (int,),
    "number": NUMBER,
    "boolean": BOOLEAN,
}
_IN_PATH = re.compile(r"\{(\+?)([^}]+)\}")
_ESCAPED = re.compile(r"(%[0-9A-Fa-f]{2})")
_RESERVED: Final = "/:@!$&'()*+,;="
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Outgoing:
    """A request relative to its service's address; `content_type` is None without a body."""

    method: str
    path: str
    body: bytes = b""
    content_type: str | None = None


def signature(method: Method) -> tuple[Param, ...]:
    """The parameters of a method as a function of the library: its own, then those that all connectors take."""
    found = [_declared(parameter) for parameter in method.parameters]
    found += [Param(group, MAP, None) for group in sorted(_groups(method))]
    known = {parameter.name for parameter in found}
    if method.region_argument is not None:
        found.append(Param(method.region_argument, STRING, REQUIRED if method.region_required else None))
    if method.takes_body:
        found.append(Param(BODY, ANY, None))
    # Samples of the vendor pass query parameters in a map of their own, too.
    found += [Param(name, MAP, None) for name in (QUERY, CONNECTOR_PARAMS) if name not in known]
    return tuple(sorted(found, key=lambda parameter: parameter.default is not REQUIRED))


def outgoing(method: Method, named: Mapping[str, Any]) -> Outgoing:
    """The request for arguments whose names and outer types fit the signature. TypeError or ValueError."""
    values = dict(_flat(method, named))
    in_path = {p.name: _path_value(method, p, values[p.name]) for p in method.parameters if p.in_path}
    uploads = method.upload_path is not None and values.get(_UPLOAD_TYPE) is not None
    template = method.upload_path if uploads and method.upload_path is not None else method.path
    path = _IN_PATH.sub(lambda place: _expanded(method, place, in_path), template)
    query = [
        pair
        for parameter in method.parameters
        if not parameter.in_path and values.get(parameter.name) is not None
        for pair in _pairs(method, parameter, values[parameter.name])
    ]
    query += [(key, _text(item)) for key, item in _extra_query(method, named)]
    encoded = urlencode([(key, text) for key, text in query if not (uploads and key == "name")])
    if uploads:
        # Object names come escaped, as in paths: the service documents text.url_encode for both.
        encoded = "&".join([encoded, *(f"name={_escaped(text, '')}" for key, text in query if key == "name")])
    body, content_type = _body(method, named.get(BODY), values.get(_UPLOAD_TYPE))
    return Outgoing(method.http_method, f"{path}?{encoded}" if encoded else path, body, content_type)


def _declared(parameter: Parameter) -> Param:
    types = _TYPES.get(parameter.type, ANY)
    if types is not ANY:
        types = (*types, *((int,) if parameter.wide and int not in types else ()))
        types = (*types, *((list,) if parameter.repeated else ()))
    return Param(parameter.name, types, REQUIRED if parameter.required else None)


def _groups(method: Method) -> frozenset[str]:
    """The first parts of dotted parameters: `mask` for `mask.fieldPaths`, which authors write as a map."""
    dotted = (parameter.name.partition(".") for parameter in method.parameters)
    return frozenset(head for head, dot, _ in dotted if dot) - {parameter.name for parameter in method.parameters}


def _flat(method: Method, named: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments by the names of the document; maps of a group are taken apart."""
    groups = _groups(method)
    known = {parameter.name for parameter in method.parameters}
    for name, value in named.items():
        if name in groups and value is not None:
            for inner, item in _leaves(name, value):
                if inner not in known:
                    choices = ", ".join(sorted(key for key in known if key.startswith(f"{name}.")))
                    raise type_error(f"{method.name} has no parameter {inner!r}; it takes {choices}")
                yield inner, item
        elif name in known:
            yield name, value


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{prefix}.{key}", item)
    else:
        yield prefix, value


def _path_value(method: Method, parameter: Parameter, value: Any) -> str:
    text = _single(method, parameter, value)
    if not text:
        raise value_error(f"{method.name}: {parameter.name} must not be empty")
    return text


def _expanded(method: Method, place: re.Match[str], values: Mapping[str, str]) -> str:
    reserved, name = place.groups()
    text = values[name]
    if reserved:
        return _escaped(text, _RESERVED)
    if "/" in text:
        # The service puts such values into the path as they are, and fails to find what they name.
        raise value_error(f"{method.name}: {name} is a part of a path, found {text!r}; use text.url_encode")
    return _escaped(text, "")


def _escaped(text: str, safe: str) -> str:
    """Percent-encoded; what is so already stays."""
    return "".join(part if _ESCAPED.fullmatch(part) else quote(part, safe=safe) for part in _ESCAPED.split(text))


def _pairs(method: Method, parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    items = value if parameter.repeated and isinstance(value, list) else [value]
    for item in items:
        yield parameter.name, _single(method, parameter, item)


def _single(method: Method, parameter: Parameter, value: Any) -> str:
    """One value as text. TypeError for another type, ValueError for a value that is not in the list of values."""
    types = _TYPES.get(parameter.type)
    allowed = types is None or type(value) in types or (parameter.wide and type(value) is int)
    if not allowed:
        raise type_error(f"{method.name}: {parameter.name} must be {parameter.type}, not {type_name(value)}")
    text = _text(value)
    if parameter.values and text not in parameter.values:
        choices = ", ".join(parameter.values)
        raise value_error(f"{method.name}: {parameter.name} must be one of {choices}, found {value!r}")
    return text


def _extra_query(method: Method, named: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if QUERY in {parameter.name for parameter in method.parameters}:
        return
    for name, value in (named.get(QUERY) or {}).items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str | bool) and not is_number(item):
                raise type_error(f"{method.name}: query.{name} must be a string, number or boolean")
            yield name, item


def _text(value: Any) -> str:
    return str(HELPERS["string"].body(value))


def _body(method: Method, body: Any, upload_type: Any) -> tuple[bytes, str | None]:
    if upload_type is not None and method.upload_path is not None:
        if upload_type != "media":
            raise value_error(
                f"{method.name}: uploadType {upload_type!r} is not possible with a connector, only media; "
                "for others send the requests with http"
            )
        # Differs: which content type the service sends is not documented; a string is text here, a map is JSON.
        return (body.encode(), _TEXT) if isinstance(body, str) else encode_body(body, None)
    if not method.takes_body:
        return b"", None
    if body is not None and not isinstance(body, dict):
        advice = "; give uploadType: media to send data" if method.upload_path is not None else ""
        raise type_error(f"{method.name}: body must be a map, not {type_name(body)}{advice}")
    return encode_body(body or {}, None)
