"""What every page is made of: templates that escape, one style sheet and one script whose hashes its policy names."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ragdiag.core.version import __version__
from ragdiag.reports.json import rounded
from ragdiag.text.phrases import clean

if TYPE_CHECKING:
    import jinja2
    import markupsafe

__all__ = ["embedded", "render"]

TEMPLATES = Path(__file__).parent / "templates"

STEERING = (*range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
"""Characters beyond ASCII's own that end lines or reorder what an editor shows of a page's source."""

ESCAPES = {c: f"\\u{c:04x}" for c in (*map(ord, "<>&"), *STEERING)}
"""What could end a script element, and what steers, as JSON writes it."""


def render(template: str, **values: object) -> str:
    """A page. Every value is escaped, its control characters made visible; only `embedded` data goes in as it is."""
    import markupsafe

    css, js = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(js)}; base-uri 'none'; form-action 'none'"
    assets = {"css": markupsafe.Markup(css), "js": markupsafe.Markup(js)}  # this package's files: nothing of a corpus is in them
    return _environment().get_template(template).render(policy=policy, version=__version__, **assets, **values) + "\n"


def embedded(value: object) -> markupsafe.Markup:
    """`value` as JSON inside a script element, which no text in it can end."""
    import markupsafe

    text = json.dumps(rounded(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)
    # A lone surrogate has no UTF-8 form; its JSON escape does.
    return markupsafe.Markup(text.encode("utf-8", "backslashreplace").decode("utf-8"))


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_visible,
    )


def _visible(value: object) -> object:
    """Text without control characters that would steer what is shown round it."""
    return clean(value) if type(value) is str else value


def _hash(text: str) -> str:
    """The source expression by which a policy allows exactly this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"
