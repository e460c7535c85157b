"""The console: chat, requests, timelines and approvals in a browser, rendered here, refreshed by htmx."""

from __future__ import annotations

from adapters.console.build import build

__all__ = ["build"]
