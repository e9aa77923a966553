"""The page behind the link to one's own data: everything that is kept of a citizen, to be read, printed or taken along."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Final, TypeAlias

from aiohttp import web

from menus.words import Words, template
from services.own_data import Collected, Item, Record
from web.plain_page import PlainPage, heading, link, said

Find: TypeAlias = Callable[[str], Awaitable[Collected | None]]
"""What a link leads to, by its subject; None once the account is closed."""
Gone: TypeAlias = Callable[[web.Request], web.StreamResponse]
"""The page for a link that leads nowhere any more."""
Local: TypeAlias = Callable[[datetime, str], datetime]
"""A moment as it is on the clock where a number is at home."""

JSON: Final = "json"
TEXT: Final = "text"


@dataclass(frozen=True, slots=True)
class OwnDataPages:
    """Opens the links to one's own data; `words` by language."""

    find: Find
    words: Mapping[str, Words]
    local: Local
    short_code: str
    gone: Gone

    async def open(self, request: web.Request, subject: str) -> web.StreamResponse:
        """The page, or with `?json` or `?text` the same to take along; each is a use of the link."""
        collected = await self.find(subject)
        if collected is None:
            return self.gone(request)
        if JSON in request.query:
            return _file(web.json_response(plainly(collected)), JSON)
        sheet = Sheet(collected, self.words[collected.language], self.local, self.short_code)
        if TEXT in request.query:
            return _file(web.Response(text=sheet.text()), "txt")
        return PlainPage(sheet.html(), collected.language, sheet.title).response()


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it in the words of one language."""

    collected: Collected
    words: Words
    local: Local
    short_code: str

    @property
    def title(self) -> str:
        """What it is headed by."""
        return self.words.common["own_data_title"]

    def html(self) -> str:
        """As a page."""
        inside = "".join(self._section(name, records) for name, records in self._sections())
        ways = link(f"?{TEXT}", self.words.common["own_data_text"]) + link(
            f"?{JSON}", self.words.common["own_data_json"]
        )
        return f"{heading(self.title)}{said(self._note())}{inside}{ways}"

    def text(self) -> str:
        """As plain text, a line for each thing."""
        lines = [self.title, self._note()]
        for name, records in self._sections():
            lines += ["", name.upper()]
            for record in records:
                lines += [*(f"{label}: {value}" for label, value in self._items(record)), ""]
        return "\n".join(lines).rstrip() + "\n"

    def _sections(self) -> Iterator[tuple[str, tuple[Record, ...]]]:
        for section in self.collected.sections:
            yield self.words.terms["held"][section.name], tuple(section.records)

    def _section(self, name: str, records: tuple[Record, ...]) -> str:
        return heading(name) + "".join(f"<dl>{self._record(record)}</dl>" for record in records)

    def _record(self, record: Record) -> str:
        said_of = self._items(record)
        return "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in said_of)

    def _items(self, record: Record) -> Iterator[tuple[str, str]]:
        for item in record:
            if item.value not in (None, ""):
                yield self._said(item.labelled, item.label), self._said(item.way, item.value)

    def _said(self, way: str, fact: object) -> str:
        """In this language; a code that it has no words for as it is."""
        if way == "moment" and isinstance(fact, datetime):
            return self._moment(fact)
        if way == "language":
            return self.words.say(self.words.screens["languages"].options[str(fact)], {})
        if way == "texts" and isinstance(fact, str):
            return fact
        known = self.words.ways.get(way)
        return (known(fact) if known else "") or str(fact).replace("_", " ")

    def _moment(self, moment: datetime) -> str:
        local = self.local(moment, self.collected.whose.number)
        return f"{self.words.ways['date'](local.date())}, {local:%H:%M}"

    def _note(self) -> str:
        note = template(self.words.common["own_data_note"])
        return self.words.say(note, {"at": self._moment(self.collected.at), "short_code": self.short_code})


def plainly(collected: Collected) -> dict[str, object]:
    """The same as JSON can say it: sections by their keys, moments and days as ISO 8601, codes as they are."""
    sections = {section.name: [_plain(record) for record in section.records] for section in collected.sections}
    return {"at": collected.at.isoformat(), **sections}


def _plain(record: Record) -> dict[str, object]:
    plain: dict[str, list[object]] = {}
    for item in record:
        if item.value not in (None, ""):
            plain.setdefault(_key(item), []).append(_value(item.value))
    return {key: values[0] if len(values) == 1 else values for key, values in plain.items()}


def _key(item: Item) -> str:
    return item.label if isinstance(item.label, str) else item.label["en"]


def _value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _file(response: web.Response, ending: str) -> web.Response:
    response.headers["Content-Disposition"] = f'inline; filename="ekdial.{ending}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response
