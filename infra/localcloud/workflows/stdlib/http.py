"""http.*: requests with encoded bodies and queries, answers decoded by their content type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from .. import limits
from ..errors import auth_error, http_error, type_error, value_error
from ..running.http_client import HttpReply, HttpRequest, within
from ..values import from_json, is_number, to_json, type_name
from .helpers import FUNCTIONS as HELPERS
from .signature import MAP, NUMBER, STRING, Effect, Function, Param, table

if TYPE_CHECKING:
    from ..running.runtime import Strand

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
USER_AGENT = "GoogleCloudWorkflows; (+https://cloud.google.com/workflows/docs)"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE | re.ASCII)
CLOUD_PLATFORM_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


async def _request(
    strand: Strand,
    method: str,
    url: str,
    timeout_seconds: float,
    headers: Mapping[str, Any],
    query: Mapping[str, Any],
    auth: Mapping[str, Any],
    body: Any,
    private_service_name: Any,
    ca_certificate: Any,
) -> dict[str, Any]:
    if method not in METHODS:
        raise value_error(f"http.request: method must be one of {', '.join(METHODS)}, found {method!r}")
    if not 0 < timeout_seconds <= limits.HTTP_TIMEOUT_MAXIMUM_SECONDS:
        maximum = limits.HTTP_TIMEOUT_MAXIMUM_SECONDS
        raise value_error(f"http: timeout must be above 0 and at most {maximum} seconds, found {timeout_seconds}")
    if private_service_name is not None or ca_certificate is not None:
        # Differs: there is neither Service Directory nor a private network on one machine.
        raise value_error("http: private_service_name and ca_certificate are not available locally; leave them out")
    request = build_request(method, url, headers, query, auth, body)

    async def send() -> dict[str, Any]:
        reply = await within(strand.run.clock, timeout_seconds, strand.run.http.send(request), f"{method} {url}")
        return decode_reply(reply)

    reply: dict[str, Any] = await strand.effect(send)
    return reply


def build_request(
    method: str,
    url: str,
    headers: Mapping[str, Any],
    query: Mapping[str, Any],
    auth: Mapping[str, Any],
    body: Any,
) -> HttpRequest:
    """What is sent for the arguments of an http function. ValueError or TypeError for wrong ones."""
    sent = {name: _header(name, value) for name, value in headers.items()}
    lower = {name.lower(): name for name in sent}
    content, content_type = encode_body(body, sent[lower["content-type"]] if "content-type" in lower else None)
    if content_type is not None and "content-type" not in lower:
        sent["Content-Type"] = content_type
    agent = lower.get("user-agent", "User-Agent")
    sent[agent] = f"{sent[agent]} {USER_AGENT}" if agent in sent else USER_AGENT
    if auth:
        sent.pop(lower.get("authorization", ""), None)
        sent["Authorization"] = f"Bearer {local_token(auth, url)}"
    return HttpRequest(method, _with_query(url, query), sent, content)


def encode_body(body: Any, content_type: str | None) -> tuple[bytes, str | None]:
    """The bytes of a body and the content type to add when the author gave none."""
    if body is None:
        return b"", None
    if isinstance(body, bytes):
        return body, None if content_type else "application/octet-stream"
    if content_type is None:
        return to_json(body).encode(), "application/json; charset=utf-8"
    if _is_json(content_type):
        return to_json(body).encode(), None
    if _media_type(content_type) == "application/x-www-form-urlencoded" and isinstance(body, dict):
        return urlencode(_pairs(body)).encode(), None
    if isinstance(body, str):
        return body.encode(), None
    raise type_error(
        f"http: a body of type {type_name(body)} cannot be sent as {content_type}; encode it to a string first"
    )


def decode_reply(reply: HttpReply) -> dict[str, Any]:
    """`body`, `code` and `headers` of an answer. HttpError when the status is 400 or more."""
    body = decode_body(reply.body, {k.lower(): v for k, v in reply.headers.items()}.get("content-type", ""))
    if reply.status >= 400:
        raise http_error(reply.status, reply.headers, body)
    return {"body": body, "code": reply.status, "headers": dict(reply.headers)}


def decode_body(body: bytes, content_type: str) -> Any:
    """JSON decoded, text as a string of its charset, anything else as bytes; null when there is none."""
    if not body:
        return None
    if _is_json(content_type):
        try:
            return from_json(body)
        except ValueError:
            return _decode_text(body, content_type)
    if _media_type(content_type).startswith("text/"):
        return _decode_text(body, content_type)
    return body


def _decode_text(body: bytes, content_type: str) -> str:
    charset = _CHARSET.search(content_type)
    try:
        return body.decode(charset[1] if charset else "utf-8", errors="replace")
    except (LookupError, UnicodeError):
        return body.decode(errors="replace")


def local_token(auth: Mapping[str, Any], url: str) -> str:
    """A bearer token that nobody can take for a real one. AuthError when the service could make none."""
    kind = auth.get("type")
    if kind == "OIDC":
        return f"local-oidc-{_printable(auth.get('audience') or url)}"
    if kind == "OAuth2":
        scopes = auth.get("scope") or auth.get("scopes") or CLOUD_PLATFORM_SCOPE
        named = scopes.replace(",", " ").split() if isinstance(scopes, str) else scopes
        return f"local-oauth2-{','.join(map(_printable, named if isinstance(named, list) else [named]))}"
    # Differs: tokens are not checked by anyone; the real service signs them for the workflow's service account.
    raise auth_error(f"auth.type must be OIDC or OAuth2, found {kind!r}")


def _printable(value: Any) -> str:
    if not isinstance(value, str):
        raise type_error(f"http: audience and scopes must be strings, not {type_name(value)}")
    return "".join(c for c in value if c.isascii() and c.isprintable() and c != " ")


def _header(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise type_error(f"http: the header {name} must be a string, not {type_name(value)}")
    if not value.isprintable() or not value.isascii() or not _HEADER_NAME.fullmatch(name):
        raise value_error(f"http: the header {name!r} has characters that a header cannot hold")
    return value


def _with_query(url: str, query: Mapping[str, Any]) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid or any(c.isspace() for c in url):
        raise value_error(f"http: {url!r} is not an http or https URL")
    if not query:
        return url
    base, hash_mark, fragment = url.partition("#")
    joint = "&" if parts.query else ("" if base.endswith("?") else "?")
    return f"{base}{joint}{urlencode(_pairs(query))}{hash_mark}{fragment}"


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, str | bool) and not is_number(item):
                raise type_error(
                    f"http: {name} must be a string, number, boolean or list of those, not {type_name(item)}"
                )
            pairs.append((name, str(HELPERS["string"].body(item))))
    return pairs


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: str) -> bool:
    media = _media_type(content_type)
    return media == "application/json" or media.endswith("+json")


_URL = Param("url", STRING)
_COMMON = (
    Param("timeout", NUMBER, limits.HTTP_TIMEOUT_SECONDS),
    Param("headers", MAP, {}),
    Param("query", MAP, {}),
    Param("auth", MAP, {}),
)
_PRIVATE = (Param("private_service_name", STRING, None), Param("ca_certificate", STRING, None))
_BODY = Param("body", default=None)


def _fixed(method: str) -> Function:
    """`http.<method>`: http.request with the method given; get has no body."""
    name = f"http.{method.lower()}"
    if method == "GET":

        async def get(strand: Strand, url: str, timeout_seconds: float, *rest: Any) -> dict[str, Any]:
            headers, query, auth, *private = rest
            return await _request(strand, method, url, timeout_seconds, headers, query, auth, None, *private)

        return Effect(name, (_URL, *_COMMON, *_PRIVATE), get)

    async def with_body(strand: Strand, *arguments: Any) -> dict[str, Any]:
        return await _request(strand, method, *arguments)

    return Effect(name, (_URL, *_COMMON, _BODY, *_PRIVATE), with_body)


FUNCTIONS = table(
    Effect("http.request", (Param("method", STRING), _URL, *_COMMON, _BODY, *_PRIVATE), _request),
    *(_fixed(method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
)
