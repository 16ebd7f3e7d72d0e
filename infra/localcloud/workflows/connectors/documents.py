"""Google's discovery documents: what the APIs are called, what methods they have and what those take.

google-api-python-client ships them, one JSON file per service and version. A file is only read when a definition names
its service, and methods and schemas in it are only decoded when they are asked for: the largest have 5 MB.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

PREFIX = "googleapis."
_SUFFIX = ".json"
# A definition's calls are resolved one after the other, and often name one or two services.
_DOCUMENTS_KEPT = 2


class UnknownConnector(Exception):
    """No document has the service, version, resource or method; the message says which, and what comes nearest."""


class ParameterEntry(msgspec.Struct, frozen=True):
    """A parameter as a document describes it."""

    type: str = "string"
    location: str = "query"
    required: bool = False
    repeated: bool = False
    format: str = ""
    enum: tuple[str, ...] = ()


class _Upload(msgspec.Struct, frozen=True):
    path: str


class _Protocols(msgspec.Struct, frozen=True):
    simple: _Upload | None = None


class _MediaUpload(msgspec.Struct, frozen=True):
    protocols: _Protocols


class _Reference(msgspec.Struct, frozen=True):
    ref: str | None = msgspec.field(default=None, name="$ref")


class MethodEntry(msgspec.Struct, frozen=True, rename="camel"):
    """A method as a document describes it."""

    http_method: str
    path: str
    parameters: dict[str, ParameterEntry] = {}
    request: _Reference | None = None
    response: _Reference | None = None
    media_upload: _MediaUpload | None = None

    @property
    def upload_path(self) -> str | None:
        """Where data is sent in one request; None when the method takes none."""
        simple = self.media_upload.protocols.simple if self.media_upload else None
        return simple.path.lstrip("/") if simple else None


class _Resource(msgspec.Struct, frozen=True):
    methods: dict[str, msgspec.Raw] = {}
    resources: dict[str, _Resource] = {}


class _Schema(msgspec.Struct, frozen=True):
    properties: dict[str, msgspec.Raw] = {}


class Document(msgspec.Struct, frozen=True, rename="camel"):
    """One version of a service. `parameters` are those that all its methods take."""

    root_url: str
    service_path: str
    parameters: dict[str, ParameterEntry] = {}
    methods: dict[str, msgspec.Raw] = {}
    resources: dict[str, _Resource] = {}
    schemas: dict[str, msgspec.Raw] = {}

    def method(self, path: str, name: str) -> MethodEntry:
        """The method at `RESOURCE….METHOD`. UnknownConnector, naming `name`."""
        *resources, last = path.split(".")
        place: _Resource | Document = self
        for part in resources:
            if part not in place.resources:
                raise _unknown(name, "resource", part, place.resources)
            place = place.resources[part]
        if last not in place.methods:
            raise _unknown(name, "method", last, place.methods)
        return msgspec.json.decode(place.methods[last], type=MethodEntry)

    def fields_of_response(self, method: MethodEntry) -> frozenset[str]:
        """The names of the fields that the method answers with."""
        schema = method.response.ref if method.response else None
        if schema is None or schema not in self.schemas:
            return frozenset()
        return frozenset(msgspec.json.decode(self.schemas[schema], type=_Schema).properties)


def document_of(name: str) -> tuple[Document, str, str]:
    """The document of a connector's name, with the service and what follows the version. UnknownConnector."""
    parts = name.split(".", 3)
    if len(parts) < 4 or not all(parts):
        raise UnknownConnector(f"{name} is no connector: it must read googleapis.SERVICE.VERSION.RESOURCE.METHOD")
    _, service, version, path = parts
    versions = _index().get(service)
    if versions is None:
        raise _unknown(name, "service", service, _index())
    if version not in versions:
        raise UnknownConnector(f"{name}: {service} has no version {version!r}; it has {', '.join(versions)}")
    return _document(f"{service}.{version}{_SUFFIX}"), service, path


def services() -> frozenset[str]:
    """The names of all services that have a document."""
    return frozenset(_index())


def nearest(wrong: str, known: Iterable[str]) -> str:
    """A part of a message: the known names that resemble `wrong`, or all when they are few; empty without either."""
    names = sorted(known)
    found = names if len(names) <= 6 else difflib.get_close_matches(wrong, names, n=3, cutoff=0.5)
    return f"; nearest: {', '.join(found)}" if found else ""


def _unknown(name: str, what: str, wrong: str, known: Iterable[str]) -> UnknownConnector:
    return UnknownConnector(f"{name}: there is no {what} {wrong!r}{nearest(wrong, known)}")


@functools.cache
def _index() -> Mapping[str, tuple[str, ...]]:
    """The versions of each service."""
    found: dict[str, list[str]] = {}
    for file in _folder().iterdir():
        service, _, version = file.name.removesuffix(_SUFFIX).partition(".")
        if file.name.endswith(_SUFFIX) and version:
            found.setdefault(service, []).append(version)
    return {service: tuple(sorted(versions)) for service, versions in found.items()}


@functools.lru_cache(maxsize=_DOCUMENTS_KEPT)
def _document(file: str) -> Document:
    return msgspec.json.decode((_folder() / file).read_bytes(), type=Document)


def _folder() -> Traversable:
    return files("googleapiclient") / "discovery_cache" / "documents"
