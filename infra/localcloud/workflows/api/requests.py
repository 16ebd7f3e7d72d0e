"""What requests bring, checked: JSON bodies by the fields that a message has, labels, and parameters of listings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from ...http import GoogleError, read_json
from .. import limits
from .listing import Query

CALL_LOG_LEVELS = ("CALL_LOG_LEVEL_UNSPECIFIED", "LOG_ALL_CALLS", "LOG_ERRORS_ONLY", "LOG_NONE")
HISTORY_LEVELS = ("EXECUTION_HISTORY_LEVEL_UNSPECIFIED", "EXECUTION_HISTORY_BASIC", "EXECUTION_HISTORY_DETAILED")
# Enum fields that clients may send as numbers.
_ENUMS = {"callLogLevel": CALL_LOG_LEVELS, "executionHistoryLevel": HISTORY_LEVELS}
# Fields that are text; a number in their place is refused, not written down.
_TEXTS = ("description", "serviceAccount", "sourceContents", "cryptoKeyName", "subscription", "GCPCloudEventsMode")
_MAPS = ("labels", "userEnvVars", "tags")
# Every field of the messages in the discovery documents; those that only the service sets are taken and not looked at.
WORKFLOW_FIELDS = frozenset(
    [
        "name",
        "description",
        "state",
        "revisionId",
        "createTime",
        "updateTime",
        "revisionCreateTime",
        "labels",
        "serviceAccount",
        "sourceContents",
        "cryptoKeyName",
        "stateError",
        "callLogLevel",
        "userEnvVars",
        "executionHistoryLevel",
        "allKmsKeys",
        "allKmsKeysVersions",
        "cryptoKeyVersion",
        "tags",
    ]
)
EXECUTION_FIELDS = frozenset(
    [
        "name",
        "createTime",
        "startTime",
        "endTime",
        "duration",
        "state",
        "argument",
        "result",
        "error",
        "workflowRevisionId",
        "callLogLevel",
        "status",
        "labels",
        "stateError",
        "disableConcurrencyQuotaOverflowBuffering",
        "executionHistoryLevel",
    ]
)
PUSH_FIELDS = frozenset(("subscription", "message", "GCPCloudEventsMode", "deliveryAttempt"))


async def read_message(request: Request, fields: frozenset[str]) -> dict[str, Any]:
    """The body of a request as a message (see `message_of`)."""
    return message_of(await read_json(request), fields)


def message_of(given: Mapping[str, Any], fields: frozenset[str]) -> dict[str, Any]:
    """A message: names in camel case, enums by name, nothing that is null or unspecified.

    INVALID_ARGUMENT for an unknown name, as the service answers, and for a value of another type.
    """
    body: dict[str, Any] = {}
    for key, value in given.items():
        name = key if key in fields else _camel(key)
        if name not in fields:
            message = f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.'
            raise GoogleError("INVALID_ARGUMENT", message)
        if value is not None:
            body[name] = _checked(name, value)
    unspecified = [name for name, names in _ENUMS.items() if body.get(name) == names[0]]
    return {name: value for name, value in body.items() if name not in unspecified}


def _checked(name: str, value: Any) -> Any:
    if name in _ENUMS:
        return _enum(name, value)
    if name in _TEXTS and not isinstance(value, str):
        raise GoogleError("INVALID_ARGUMENT", f"{name} must be a string, found {value!r}")
    if name in _MAPS and not (isinstance(value, dict) and all(isinstance(item, str) for item in value.values())):
        raise GoogleError("INVALID_ARGUMENT", f"{name} must be a map of strings, found {value!r}")
    if name == "argument" and not isinstance(value, str):
        raise GoogleError("INVALID_ARGUMENT", 'argument must be a JSON text in a string, such as "{\\"key\\": 1}"')
    if name == "disableConcurrencyQuotaOverflowBuffering" and not isinstance(value, bool):
        raise GoogleError("INVALID_ARGUMENT", f"{name} must be true or false, found {value!r}")
    if name == "labels":
        check_labels(value)
    return value


def _enum(name: str, value: Any) -> str:
    names = _ENUMS[name]
    if type(value) is int and 0 <= value < len(names):
        return names[value]
    if value not in names:
        raise GoogleError("INVALID_ARGUMENT", f"{name} must be one of {', '.join(names)}, found {value!r}")
    return str(value)


def check_labels(labels: Mapping[str, str]) -> None:
    """INVALID_ARGUMENT for more labels than allowed, or one with other characters or of another length."""
    if len(labels) > limits.LABELS:
        raise GoogleError("INVALID_ARGUMENT", f"at most {limits.LABELS} labels are allowed, found {len(labels)}")
    for key, value in labels.items():
        for part in (key, value):
            if len(part) > limits.LABEL_CHARACTERS or not all(_label_character(character) for character in part):
                message = (
                    f"label {key!r}: {value!r}: keys and values have at most {limits.LABEL_CHARACTERS} lower-case "
                    "letters, digits, _ and -"
                )
                raise GoogleError("INVALID_ARGUMENT", message)
        if not key[:1].isalpha():
            raise GoogleError("INVALID_ARGUMENT", f"label {key!r}: a key starts with a letter")


def _label_character(character: str) -> bool:
    return character in "_-" or (character.isalnum() and not character.isupper())


def query_of(request: Request) -> Query:
    """The paging, filter and order of a listing request. INVALID_ARGUMENT."""
    parameters = request.query_params
    return Query(
        page_size=_count(request, "pageSize"),
        page_token=parameters.get("pageToken", ""),
        filter=parameters.get("filter", ""),
        order_by=parameters.get("orderBy", ""),
        skip=_count(request, "skip"),
    )


def _count(request: Request, name: str) -> int:
    text = request.query_params.get(name) or "0"
    if not (text.isascii() and text.isdigit()) or int(text) >= 2**31:
        raise GoogleError("INVALID_ARGUMENT", f"{name} must be a number from 0 to 2147483647, found {text!r}")
    return int(text)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
