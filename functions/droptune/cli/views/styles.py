"""How severities look in a terminal."""

from __future__ import annotations

SEVERITY_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}
