"""A connector's method: what remains of its discovery document once a definition has named it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .documents import ParameterEntry, document_of
from .jobs import JOBS
from .progress import Awaited, operation_with

# Query parameters of all APIs that concern who calls, or that browsers need: the connector's own business.
_NOT_ARGUMENTS: Final = ("$.xgafv", "access_token", "callback", "oauth_token", "upload_protocol")
# Services whose host depends on a region, and the argument that names it. Locally all regions are one address.
REGION_ARGUMENTS: Final[Mapping[str, str]] = {
    "aiplatform": "region",
    "documentai": "location",
    "integrations": "location",
    "run": "location",
}
# Where the region's argument is documented as required.
_REGION_REQUIRED: Final = ("aiplatform",)
# Query parameters that a method is documented or seen to take without its discovery document saying so.
_EXTRA: Final[Mapping[str, Mapping[str, ParameterEntry]]] = {
    "googleapis.translate.v2.translations.translate": {
        "q": ParameterEntry(repeated=True),
        **{name: ParameterEntry() for name in ("format", "model", "source", "target")},
    },
}
_VERSION = re.compile(r"v\d\w*/")


@dataclass(frozen=True)
class Parameter:
    """A path or query parameter. `wide` marks 64-bit integers, which JSON and documents write as strings."""

    name: str
    type: str
    in_path: bool
    required: bool
    repeated: bool
    wide: bool
    values: tuple[str, ...]


@dataclass(frozen=True)
class Method:
    """How a connector is called. `root` is the service's address at Google; paths are relative to any address of it.

    `version` begins the paths of resources by name, such as `v1/`. `awaited` is how to see whether what the method
    started has ended; None when its answer is its result.
    """

    name: str
    service: str
    root: str
    http_method: str
    path: str
    upload_path: str | None
    version: str
    parameters: tuple[Parameter, ...]
    takes_body: bool
    region_argument: str | None
    region_required: bool
    awaited: Awaited | None


@functools.lru_cache(maxsize=1024)
def method_of(name: str) -> Method:
    """The method that `googleapis.SERVICE.VERSION.RESOURCE….METHOD` names. UnknownConnector."""
    document, service, path = document_of(name)
    entry = document.method(path, name)
    own = {**entry.parameters, **_EXTRA.get(name, {})}
    common = {key: value for key, value in document.parameters.items() if key not in (*own, *_NOT_ARGUMENTS)}
    version = _VERSION.match(entry.path)
    region = REGION_ARGUMENTS.get(service)
    return Method(
        name=name,
        service=service,
        root=document.root_url,
        http_method=entry.http_method,
        path=document.service_path + entry.path,
        upload_path=entry.upload_path,
        version=document.service_path + (version.group() if version else ""),
        parameters=tuple(_parameter(key, value) for key, value in {**own, **common}.items()),
        takes_body=entry.request is not None or entry.upload_path is not None,
        region_argument=None if region in entry.parameters else region,
        region_required=service in _REGION_REQUIRED,
        # A method that only looks at an operation answers with it as it is.
        awaited=JOBS.get(name)
        or (None if entry.http_method == "GET" else operation_with(document.fields_of_response(entry), service)),
    )


def _parameter(name: str, entry: ParameterEntry) -> Parameter:
    return Parameter(
        name=name,
        type=entry.type,
        in_path=entry.location == "path",
        required=entry.required,
        repeated=entry.repeated,
        wide=entry.format in ("int64", "uint64"),
        values=entry.enum,
    )
