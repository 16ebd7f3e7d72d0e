"""Calls that the cloud resolves to another Google API. None runs here: each family is refused, with advice.

Differs: the service turns `googleapis.SERVICE.VERSION.RESOURCE.METHOD` into requests of that API.
"""

from __future__ import annotations

from collections.abc import Mapping

REFUSED: Mapping[str, str] = {
    "googleapis": "call the API's address with http.request, and poll with sys.sleep",
    "experimental": "use a subworkflow, or a parallel step for many arguments",
    "gke": "call the cluster's address with http.request",
    "shell": "there is no shell; call a service with http.request",
}


def connector_refusal(name: str) -> str | None:
    """Why a definition that calls `name` is not deployed; None when the name is no connector's."""
    advice = REFUSED.get(name.partition(".")[0]) if "." in name else None
    return None if advice is None else f"the connector {name} is not available locally; {advice}"
