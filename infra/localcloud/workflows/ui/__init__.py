"""Executions as HTML pages: `execution_page` for a saved file, `ui_routes` for the server."""

from __future__ import annotations

from .page import execution_page
from .routes import ui_routes
from .view import ExecutionView, execution_view

__all__ = ["ExecutionView", "execution_page", "execution_view", "ui_routes"]
