"""JSON over HTTP to Google-shaped REST services: credentials, timeouts, retries, and errors in our own terms."""

from __future__ import annotations

import random
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import Refused, Retryable

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 10.0
READ_SECONDS = 300.0  # a prediction may wait behind others
ATTEMPTS = 4
FIRST_DELAY_SECONDS = 0.5
BUSY = frozenset({408, 429, 500, 502, 503, 504})
# Grants take minutes to arrive after a deployment, so a later delivery of the event may well succeed.
DENIED = frozenset({401, 403})
CONNECTIONS = 64
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleRest:
    """Requests to one kind of service. Safe to share between threads."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._sessions: dict[str, requests.Session] = {}
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        url: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        """The reply's JSON object.

        A busy or unreachable service is tried a few times, then Retryable; with `repeatable` False only where it
        surely did nothing (429). Refused, with the service's own message, for what it will never accept.
        """
        import requests
        from google.auth.exceptions import GoogleAuthError

        lost = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError, GoogleAuthError)
        problem = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_DELAY_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))
            try:
                response = self._session(url).request(
                    method, url, json=body, params=query, timeout=(CONNECT_SECONDS, READ_SECONDS)
                )
            except lost as error:
                problem = f"{_place(method, url)} is unreachable: {type(error).__name__}"
                if not repeatable:
                    break
                continue
            if response.ok:
                return _json_object(response, _place(method, url))
            problem = f"{_place(method, url)} answered {response.status_code}: {_message(response)}"
            if response.status_code in DENIED:
                break
            if response.status_code not in BUSY:
                raise Refused(problem)
            if not repeatable and response.status_code != 429:
                break
        raise Retryable(problem)

    def _session(self, url: str) -> requests.Session:
        """One session per scheme: credentials travel over https only."""
        scheme = urllib.parse.urlsplit(url).scheme
        with self._lock:
            if scheme not in self._sessions:
                self._sessions[scheme] = _authorized_session() if scheme == "https" else _plain_session()
            return self._sessions[scheme]


def _plain_session() -> requests.Session:
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.trust_env = False  # neither a proxy for a loopback address nor a password from ~/.netrc
    session.mount("http://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session


def _authorized_session() -> requests.Session:
    import google.auth
    import google.auth.exceptions
    from google.auth.transport.requests import AuthorizedSession
    from requests.adapters import HTTPAdapter

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise Refused(f"no Google credentials; run gcloud auth application-default login: {error}") from error
    session: requests.Session = AuthorizedSession(credentials)
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session


def _json_object(response: requests.Response, place: str) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Retryable(f"{place} answered {response.status_code} with something that is no JSON object")
    return value


def _message(response: requests.Response) -> str:
    """The service's message (https://cloud.google.com/apis/design/errors), or the beginning of whatever it sent."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]


def _place(method: str, url: str) -> str:
    return f"{method} {url.partition('?')[0]}"
