"""Decides whether a resource name is one that the real service would take."""

from __future__ import annotations

import re

from localcloud.http import GoogleError

DELETED_TOPIC = "_deleted-topic_"  # what a subscription shows as its topic once that is deleted
_ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
_PROJECT = re.compile(r"projects/[^/\s]+")


def check_topic(name: str) -> str:
    """`name` when it is a topic's; INVALID_ARGUMENT otherwise."""
    return _check(name, "topics")


def check_subscription(name: str) -> str:
    """`name` when it is a subscription's; INVALID_ARGUMENT otherwise."""
    return _check(name, "subscriptions")


def check_project(name: str) -> str:
    """`name` when it is ``projects/P``; INVALID_ARGUMENT otherwise."""
    if not _PROJECT.fullmatch(name):
        raise GoogleError("INVALID_ARGUMENT", f"invalid project name {name!r}: expected projects/PROJECT")
    return name


def project_of(name: str) -> str:
    """``P`` of ``projects/P/...``."""
    return name.split("/")[1]


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rsplit("/", 1)[-1]


def _check(name: str, collection: str) -> str:
    parts = name.split("/")
    if len(parts) != 4 or not _PROJECT.fullmatch("/".join(parts[:2])) or parts[2] != collection:
        raise GoogleError("INVALID_ARGUMENT", f"invalid name {name!r}: expected projects/PROJECT/{collection}/ID")
    if not _ID.fullmatch(parts[3]) or parts[3].lower().startswith("goog"):
        raise GoogleError(
            "INVALID_ARGUMENT",
            f"invalid id {parts[3]!r} in {name!r}: allowed are 3 to 255 letters, digits and -_.~+%, "
            "beginning with a letter and not with 'goog'",
        )
    return name
