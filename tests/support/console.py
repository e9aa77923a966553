"""Browsers of staff for tests: one that speaks HTTP, and how to be signed in in Chromium."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from html import unescape
from typing import Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, DummyCookieJar, FormData
from playwright.async_api import BrowserContext

from app.keys import open_cipher
from config.settings import Settings
from db.database import Database
from services.citizens.pins import SecretHasher
from services.staff.members import StaffMembers
from services.staff.models import NewMember, Role
from services.staff.passwords import normalize_password
from services.staff.sessions import StaffSessions
from tests.support.staff import staff_act
from web.console.router import COOKIE

ROLE_LOGINS: Mapping[Role, str] = {
    "admin": "asha",
    "officer": "omar",
    "helpdesk": "hasan",
    "auditor": "anita",
}
OFFICERS_DEPARTMENT = "dncc"


@dataclass
class StaffBrowser:
    """A browser that has one page open: it follows redirects, keeps its cookie, and presses the buttons of the page."""

    http: ClientSession
    url: str
    token: str = ""
    path: str = ""
    status: int = 0
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    async def open(self, path: str, **headers: str) -> Self:
        """Load a page."""
        return await self.request("GET", path, None, headers)

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> Self:
        """Send a form, as a page of the console does."""
        return await self.request("POST", path, fields or {}, {"Origin": self.url, **headers})

    async def open_once(self, method: str, path: str, fields: Mapping[str, str]) -> Self:
        """Send a request of a page of the console, and follow no redirect."""
        if method == "GET":
            return await self.request("GET", path, None, {}, redirects=0)
        return await self.request("POST", path, fields, {"Origin": self.url}, redirects=0)

    async def sign_in(self, login: str, password: str) -> Self:
        """Sign in on the page."""
        return await self.post("/console/sign-in", {"login": login, "password": password})

    @property
    def text(self) -> str:
        """What a person reads on the page: no tags, single spaces."""
        visible = re.sub(r"<(script|style|head).*?</\1>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", visible)).split())

    @property
    def links(self) -> Sequence[str]:
        """The paths of the links of the page."""
        return [unescape(href) for href in re.findall(r'<a [^>]*?href="([^"]+)"', self.html)]

    @property
    def form_actions(self) -> Sequence[str]:
        """The paths of the forms of the page that change something."""
        forms = re.findall(r"<form ([^>]*)>", self.html)
        return [unescape(re.search(r'action="([^"]+)"', one)[1]) for one in forms if 'method="post"' in one]

    async def request(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | FormData | None,
        headers: Mapping[str, str],
        redirects: int = 5,
    ) -> Self:
        """Send a request; a redirect is followed up to `redirects` times."""
        cookies = {"Cookie": f"{COOKIE}={self.token}"} if self.token else {}
        sent = self.http.request(
            method, self.url + path, data=fields, headers={**headers, **cookies}, allow_redirects=False
        )
        async with sent as response:
            self.status, self.html, self.headers, self.path = (
                response.status,
                await response.text(),
                response.headers,
                path,
            )
            if COOKIE in response.cookies:
                self.token = response.cookies[COOKIE].value
        location = self.headers.get("Location")
        if self.status == 303 and location and redirects:
            assert not urlsplit(location).netloc, location
            return await self.request("GET", location, None, {}, redirects - 1)
        return self


@dataclass
class StaffRoom:
    """Adds members of staff to the database of a running gateway, and gives their browsers."""

    http: ClientSession
    url: str
    members: StaffMembers
    sessions: StaffSessions
    database: Database
    added: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def add(self, role: Role, login: str = "", department: str = "", language: str = "en") -> str:
        """Add a member whose password is chosen; the login."""
        login = login or ROLE_LOGINS[role]
        department = department or (OFFICERS_DEPARTMENT if role == "officer" else "")
        new = NewMember(login=login, name=login.capitalize(), role=role, department=department, language=language)
        self.added[login] = await self.members.add(new, staff_act(), is_temporary=False)
        return login

    async def begin_session(self, login: str) -> str:
        """The token of a new sign-in of a member."""
        async with self.database.transaction() as transaction:
            return await self.sessions.begin(transaction, self.added[login][0])

    async def open_browser(self, role: Role = "admin", **member: str) -> StaffBrowser:
        """A browser in which a member with this role is signed in, just now."""
        login = member.get("login", ROLE_LOGINS[role])
        if login not in self.added:
            await self.add(role, **member)
        return StaffBrowser(self.http, self.url, await self.begin_session(login))

    async def sign_in_chromium(self, context: BrowserContext, role: Role = "admin", **member: str) -> None:
        """Let a Chromium be signed in as a member with this role."""
        token = (await self.open_browser(role, **member)).token
        # Chromium takes a `__Host-` cookie for this machine from a page, but by this call only for HTTPS.
        url = self.url.replace("http:", "https:")
        cookie = {"name": COOKIE, "value": token, "url": url, "secure": True, "httpOnly": True, "sameSite": "Lax"}
        await context.add_cookies([cookie])


@asynccontextmanager
async def open_staff_room(settings: Settings, url: str) -> AsyncIterator[StaffRoom]:
    """The staff of a gateway that runs with these settings."""
    cipher = await open_cipher(settings)
    database_url = settings.database.url.get_secret_value()
    with closing(SecretHasher(cipher, normalize=normalize_password)) as hasher:
        async with Database(database_url) as database, ClientSession(cookie_jar=DummyCookieJar()) as http:
            members = StaffMembers(database, hasher, cipher)
            yield StaffRoom(http, url, members, StaffSessions(database, cipher), database)
