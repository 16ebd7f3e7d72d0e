"""Where services answer: configured addresses, and for tests that answer all requests themselves the public ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import tagged
from .documents import nearest, services
from .methods import Method


@dataclass(frozen=True)
class Connectors:
    """Addresses by service, such as `{"storage": "http://127.0.0.1:9000"}`; all regions are one address.

    With `public` a service that is not named keeps its address at Google, its region's when the call names one. That
    is for tests whose HTTP client answers everything: no token is sent that Google would take.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    public: bool = False

    def __post_init__(self) -> None:
        """The host's ValueError for a service that has no connector, and for what is no URL."""
        for service, url in self.addresses.items():
            if service not in services():
                raise ValueError(f"there is no connector service {service!r}{nearest(service, services())}")
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"the address of {service} must be an http or https URL, found {url!r}")

    def address(self, method: Method, region: str | None) -> str:
        """The address that answers a method. SystemError, as a workflow's error, when there is none."""
        service = method.service
        configured = self.addresses.get(service)
        if configured is not None:
            return configured.rstrip("/")
        if not self.public:
            raise tagged(
                "SystemError",
                f"{method.name} has no local address to call: start the engine with --connector {service}=URL "
                f'(in process: connectors={{"{service}": "URL"}}), URL being where {service} is imitated',
            )
        scheme, _, host = method.root.rstrip("/").partition("://")
        return f"{scheme}://{region}-{host}" if region else f"{scheme}://{host}"

    def reachable(self, hosts: Iterable[str] | None) -> tuple[str, ...] | None:
        """The hosts that requests may go to when `http.*` may reach `hosts`: those of connectors, too. None for all."""
        if hosts is None:
            return None
        return (*hosts, *(urlsplit(url).hostname or "" for url in self.addresses.values()))


NOT_CONFIGURED = Connectors()
