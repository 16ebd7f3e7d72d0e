"""What surrounds an execution under test: its names and its time, a Pub/Sub event, the content of an answer."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from ..api.events import event_of_push
from ..service.definitions import timestamp
from ..values import to_json
from .cases import Value

PROJECT: Final = "test-project"
LOCATION: Final = "us-central1"
EXECUTION_ID: Final = "00000000-0000-4000-8000-000000000001"
DEFAULT_START: Final = 1_750_000_000.0  # 2025-06-15T15:06:40Z


def execution_name(workflow: str) -> str:
    """The resource name of the one execution."""
    return f"projects/{PROJECT}/locations/{LOCATION}/workflows/{workflow}/executions/{EXECUTION_ID}"


def environment(workflow: str, own: Mapping[str, str]) -> dict[str, str]:
    """The environment of an execution: the variables of the case, and those that the service sets."""
    return {
        **own,
        "GOOGLE_CLOUD_LOCATION": LOCATION,
        "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
        "GOOGLE_CLOUD_PROJECT_NUMBER": "0",
        "GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME": f"local-workflows@{PROJECT}.iam.gserviceaccount.com",
        "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": EXECUTION_ID,
        "GOOGLE_CLOUD_WORKFLOW_ID": workflow,
        "GOOGLE_CLOUD_WORKFLOW_REVISION_ID": "000001-000",
    }


def pubsub_event(value: Any, now: float) -> dict[str, Any]:
    """The argument of an execution that a Pub/Sub message with this JSON starts."""
    message = {
        "data": base64.b64encode(to_json(value).encode()).decode(),
        "messageId": "1",
        "publishTime": timestamp(now),
    }
    return event_of_push({"subscription": f"projects/{PROJECT}/subscriptions/test", "message": message}, now)


def reply_content(body: Value | None, text: str | None) -> tuple[bytes, dict[str, str]]:
    """The bytes of an answer, and its content type unless there is nothing."""
    if body is not None:
        return to_json(body.value).encode(), {"Content-Type": "application/json"}
    if text is not None:
        return text.encode(), {"Content-Type": "text/plain"}
    return b"", {}
