"""A Cloud Workflows interpreter with the service's APIs. See README.md beside this file."""

from __future__ import annotations

from .errors import Problem, SourceError, WorkflowError
from .in_process import run_source
from .language.parser import parse
from .running.http_client import HttpClient, HttpReply, HttpRequest

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
