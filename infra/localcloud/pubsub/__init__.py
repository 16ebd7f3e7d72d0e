"""An embedded Pub/Sub that unmodified Google clients and gcloud talk to; README.md says what it imitates."""

from .server import running_pubsub

__all__ = ["running_pubsub"]
