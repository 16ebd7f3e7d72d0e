"""The report as one HTML page that needs nothing else: offline, small or large, light or dark, script or none."""

from .render import page

__all__ = ["page"]
