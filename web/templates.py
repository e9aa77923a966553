"""The templates of every page that we render on the server. Each value is escaped, and a name that is missing is an error."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

WEB_FOLDER = Path(__file__).parent


@cache
def template_environment() -> Environment:
    """The environment of all templates; a template is named by its path in `web/`, such as `console/layout.html`."""
    return Environment(
        loader=FileSystemLoader(WEB_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
