"""A request of somebody who is signed in: who it is, in which language, what was typed; and the responses to it."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from aiohttp import web

from core.types import utc_now
from services.audit.models import Actor
from services.audit.staff_acts import ReasonError, StaffAct, parse_reason
from services.staff.models import Member, StaffSession
from web.console.access import ACTIONS, is_allowed
from web.console.rendering import ConsoleRenderer
from web.console.words import Translate

CHANNEL: Final = "console"
MAX_KEY_LENGTH: Final = 64


class FormError(Exception):
    """What was typed in a form cannot be used; `text` is a whole sentence in the language of the member, and says what can."""

    def __init__(self, text: str, name: str = "") -> None:
        """`name` is the field."""
        super().__init__(text)
        self.text = text
        self.name = name


@dataclass(frozen=True, slots=True)
class ConsoleRequest:
    """A request to a page; `fields` are those of a form, empty for GET; `file` is what a route that `takes_file` was sent."""

    http: web.Request
    session: StaffSession
    translate: Translate
    renderer: ConsoleRenderer
    page: str
    fields: Mapping[str, str] = field(default_factory=dict)
    file: bytes = b""

    @property
    def member(self) -> Member:
        """Who is signed in."""
        return self.session.member

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters of the address."""
        return self.http.query

    @property
    def is_fragment(self) -> bool:
        """Whether htmx asks for a part of the page."""
        return self.http.headers.get("HX-Request") == "true"

    def path_value(self, name: str) -> str:
        """The part of the path with this name."""
        return self.http.match_info[name]

    def may(self, action: str) -> bool:
        """Whether the member may do this."""
        return is_allowed(self.member.role, action)

    def build_act(self) -> StaffAct:
        """The act that the form asks for, with the reason that was typed. The form's key makes a second click do nothing.

        Raises:
            FormError: the reason cannot be recorded.
        """
        try:
            reason = parse_reason(self.fields.get("reason", ""))
        except ReasonError:
            raise FormError(self.translate("common.reason_wrong"), "reason") from None
        return StaffAct(self._build_actor(), reason, self._find_key())

    def build_look(self) -> StaffAct:
        """The act of looking at a record, which needs no reason."""
        return StaffAct(self._build_actor(), "", f"console:{secrets.token_hex(8)}")

    def build_own_act(self) -> StaffAct:
        """An act on one's own account, which needs no reason."""
        return self.build_look()

    def render(self, template: str, /, status: int = 200, **facts: Any) -> web.Response:
        """A page from a template in `web/console/`."""
        return self.renderer.render(
            f"console/{template}",
            status=status,
            language=self.member.language,
            t=self.translate,
            member=self.member,
            department_name=self.renderer.find_department_name(self.member.department, self.member.language),
            may=self.may,
            page=self.page,
            path=self.http.path,
            done=self._find_done(),
            form_key=secrets.token_hex(8),
            now=utc_now(),
            **facts,
        )

    def redirect(self, path: str, done: str = "") -> web.Response:
        """The response after an act: the page at `path`, which says the text `done.…` of its words."""
        query = "?" + urlencode({"done": done}) if done else ""
        return web.Response(status=web.HTTPSeeOther.status_code, headers={"Location": f"{path}{query}"})

    def _find_done(self) -> str:
        key = f"{self.page}.done.{self.query.get('done', '')}"
        return self.translate(key) if key in self.renderer.word_keys else ""

    def _build_actor(self) -> Actor:
        return Actor("staff", self.member.login, CHANNEL)

    def _find_key(self) -> str:
        key = self.fields.get("key", "")
        is_valid = key.isascii() and key.isalnum() and len(key) <= MAX_KEY_LENGTH
        return f"console:{self.member.id}:{key if is_valid else secrets.token_hex(8)}"


ConsoleHandler: TypeAlias = Callable[[ConsoleRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class ConsoleRoute:
    """A route of a page: what it does is an action of `web.console.access`. `takes_file`: its form may upload one."""

    method: str
    path: str
    handler: ConsoleHandler
    action: str
    takes_file: bool = False

    def __post_init__(self) -> None:
        """Refuse a route that does not say who may use it.

        Raises:
            ValueError: there is no such action.
        """
        if self.action not in ACTIONS:
            raise ValueError(f"{self.method} {self.path}: there is no action {self.action!r}; add it to ACTIONS")


@dataclass(frozen=True, slots=True)
class ConsolePage:
    """A page of the console: its name, which is that of its folder; its path; what one must be allowed to do to see it; its routes."""

    name: str
    path: str
    view: str
    routes: tuple[ConsoleRoute, ...]
    in_menu: bool = True
