"""A Cloud Workflows interpreter with the service's APIs. See README.md beside this file."""

from __future__ import annotations

from .errors import Problem, SourceError, WorkflowError
from .http_client import HttpClient, HttpReply, HttpRequest
from .in_process import run_source
from .parser import parse

__all__ = [
    "HttpClient",
    "HttpReply",
    "HttpRequest",
    "Problem",
    "SourceError",
    "WorkflowError",
    "parse",
    "run_source",
]
