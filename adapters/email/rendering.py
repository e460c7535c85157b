"""Templates of mails and pages. HTML is escaped everywhere; in plain text a value never leaves its line."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from bot.activity import clean_text

FOLDER = Path(__file__).parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters["line"] = clean_text

PAGE_STYLE = (FOLDER / "page.css").read_text(encoding="utf-8")
PAGE_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(PAGE_STYLE.encode()).digest()).decode()
"""What the Content-Security-Policy names instead of 'unsafe-inline'."""

_environment.globals["page_style"] = Markup(PAGE_STYLE)  # noqa: S704 -- a file of ours


def render(template: str, **values: Any) -> str:
    """Return a template filled in; a name that the template needs and does not get is an error."""
    return _environment.get_template(template).render(**values)
