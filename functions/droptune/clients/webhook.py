"""Notifications to webhooks: each is one POST of the notification as JSON."""

from __future__ import annotations

import urllib.parse

import msgspec

from ..errors import Retryable
from ..events import Notification

TIMEOUT_SECONDS = 10.0


class WebhookAnnouncer:
    """The `Announcer` port over HTTP."""

    def post(self, url: str, notification: Notification) -> None:
        """Return when the receiver answers 2xx; Retryable otherwise, naming its host only (paths hold secrets)."""
        import requests

        host = urllib.parse.urlsplit(url).netloc.rpartition("@")[2]
        try:
            response = requests.post(
                url,
                data=msgspec.json.encode(notification),
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The exception's text repeats the whole address, so only its kind is told.
            raise Retryable(f"webhook at {host} did not answer: {type(error).__name__}") from None
        if not response.ok or response.is_redirect:
            raise Retryable(f"webhook at {host} answered {response.status_code}; 2xx is needed")
