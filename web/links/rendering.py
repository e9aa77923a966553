"""Render a simple page for the browser of a KaiOS phone (240 by 320 pixels, Gecko 48), which loads nothing else.

It has no image, and no script except the one it is given. Its Content-Security-Policy allows only its own style and
script, each by its hash.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web

from web.templates import template_environment

SITE_NAME: Final = "Ekdial"
STYLE: Final = "".join((Path(__file__).parent / "style.css").read_text(encoding="utf-8").splitlines())
"""Styles of text, fields, links and buttons (which look alike), lists of facts, and a warning; denser on a KaiOS phone."""

FormAction: TypeAlias = Literal["none", "self"]
"""`self` for a page with a form, which posts to the page's own URL."""


def render_page(
    template: str,
    /,
    status: int = 200,
    *,
    language: str = "en",
    title: str = SITE_NAME,
    script: str = "",
    form_action: FormAction = "none",
    **facts: Any,
) -> web.Response:
    """The page from a template in `web/links/`, in `language`. `script` is ours, and runs once the page is read."""
    source = template_environment().get_template(f"links/{template}")
    text = source.render(language=language, title=title, style=STYLE, script=script, **facts)
    policy = {"Content-Security-Policy": _build_policy(script, form_action)}
    return web.Response(status=status, text=text, content_type="text/html", headers=policy)


def _build_policy(script: str, form_action: FormAction) -> str:
    scripts = [f"script-src {_csp_hash(script)}"] if script else []
    rules = ["default-src 'none'", f"style-src {_csp_hash(STYLE)}", *scripts, "base-uri 'none'"]
    return "; ".join([*rules, f"form-action '{form_action}'", "frame-ancestors 'none'"])


def _csp_hash(source: str) -> str:
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"
