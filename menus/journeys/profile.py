"""A citizen's profile: what they told once, so that no form asks it again, and the papers they have at hand.

Every answer is a secret question: it reaches the step that keeps it, and no session remembers it. The list has all keys
in one order, known or not, so that a number means the same whenever a path is heard.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from menus.journeys.sign_in import existed
from menus.model import Check, Choice, Facts, Journey, Listing, Option, Outcome, Question, Step, Visit

Typed = Literal[
    "name",
    "born",
    "father",
    "mother",
    "house",
    "area",
    "district",
    "postcode",
    "nid",
    "birth_number",
    "aadhaar",
    "pan",
    "voter",
]
Key = Literal[Typed, "gender"]
TYPED: tuple[Typed, ...] = get_args(Typed)
KEYS: Final[tuple[Key, ...]] = ("name", "born", "gender", *(key for key in TYPED if key not in {"name", "born"}))
"""What can be told, in the order in which it is listed."""
IDENTITIES: Final = frozenset({"nid", "birth_number", "aadhaar", "pan", "voter"})
GENDERS: Final = ("female", "male", "other")
REMOVE: Final = "9"  # that no answer is


class Change(NamedTuple):
    """Whose profile changes, over which channel, under which effect."""

    account: int
    channel: str
    effect: str


class OnFile(NamedTuple):
    """A paper on file: since which day (ISO 8601), and the application with which an office saw it, or none."""

    code: str
    since: str
    application: str


Told: TypeAlias = Callable[[int], Awaitable[Mapping[str, str]]]
"""Account, to what is known of it by key, as it may be shown: a gender by its code, an identity number by its last digits."""
Papers: TypeAlias = Callable[[int, Callable[[str], bool]], Awaitable[Sequence[OnFile]]]
"""Account, and whether what was done under an effect counts yet, to the papers on file."""


class Profiling(NamedTuple):
    """The calls that this journey makes. `checks` has one for every key; `offered` are all papers that services ask for."""

    checks: Mapping[str, Check]
    told: Told
    keep: Callable[[Change, str, str], Awaitable[None]]
    forget: Callable[[Change, str], Awaitable[None]]
    papers: Papers
    offered: Callable[[], Sequence[str]]
    mark: Callable[[Change, str, bool], Awaitable[None]]


def profile(calls: Profiling, *, by_email: bool) -> Journey:
    """From the account's menu, for who is signed in, to what is known and back; with e-mail where `by_email`."""

    async def start(visit: Visit) -> Outcome[Literal["in", "in_with_email", "out"]]:
        if not visit.facts.get("account"):
            return Outcome("out", {"then": "profile"})
        return Outcome("in_with_email" if by_email else "in")

    menu = (
        Option("details", goto="profile_details"),
        Option("papers", goto="papers"),
        Option("own", goto="own_data"),
    )
    return (
        Step("profile", start, {"in": "profile_menu", "in_with_email": "profile_menu_email", "out": "gate"}),
        Choice("profile_menu", menu),
        Choice("profile_menu_email", (*menu, Option("email", goto="email"))),
        *_details(calls),
        *_papers(calls),
    )


def _details(calls: Profiling) -> Journey:
    async def details(visit: Visit) -> Outcome[Literal["listed"]]:
        told = await calls.told(visit.facts["account"])
        return Outcome("listed", {"profile_rows": [_row(key, told.get(key, "")) for key in KEYS]})

    async def ask(visit: Visit) -> Outcome[Key]:
        key: Key = visit.facts["profile_key"]
        return Outcome(key)

    async def keep(visit: Visit) -> Outcome[Literal["kept"]]:
        facts, key = visit.facts, visit.facts["profile_key"]
        answer = facts[_saves(key)]
        await calls.keep(_change(visit), key, answer)
        told = await calls.told(facts["account"])
        return Outcome("kept", {**_row(key, told.get(key, "")), "gender_told": ""})

    async def remove(visit: Visit) -> Outcome[Literal["removed"]]:
        await calls.forget(_change(visit), visit.facts["profile_key"])
        return Outcome("removed", {"gender_told": ""})

    removal = (Option("remove", goto="profile_remove", key=REMOVE),)
    genders = (*(Option(one, goto="profile_keep") for one in GENDERS), *removal)
    return (
        Step("profile_details", details, {"listed": "profile_list"}),
        Listing(
            "profile_list", _rows_of("profile_rows"), saves="profile_key", goto="profile_ask", empty="profile_menu"
        ),
        Step("profile_ask", ask, {key: f"profile_{key}" for key in KEYS}),
        *(
            Question(
                f"profile_{key}",
                _saves(key),
                calls.checks[key],
                goto="profile_keep",
                secret=True,
                options=() if key == "name" else removal,
            )
            for key in TYPED
        ),
        Choice("profile_gender", genders, saves="gender_told"),
        Step("profile_keep", keep, {"kept": "profile_kept"}, commits=True),
        Choice("profile_kept", (Option("go_on", goto="profile_details"),)),
        Step("profile_remove", remove, {"removed": "profile_removed"}, commits=True),
        Choice("profile_removed", (Option("go_on", goto="profile_details"),)),
    )


def _papers(calls: Profiling) -> Journey:
    async def on_file(visit: Visit) -> Sequence[OnFile]:
        return await calls.papers(visit.facts["account"], lambda effect: existed(effect, visit.effect))

    async def papers(visit: Visit) -> Outcome[Literal["listed"]]:
        rows = [{**_paper(one.code), "since": one.since, "seen": one.application} for one in await on_file(visit)]
        return Outcome("listed", {"papers_rows": rows})

    async def chosen(visit: Visit) -> Outcome[Literal["told", "seen"]]:
        (row,) = [row for row in visit.facts["papers_rows"] if row["paper"] == visit.facts["paper"]]
        told = {"papers_said": row["papers_said"], "since": row["since"], "number": row["seen"]}
        return Outcome("seen" if row["seen"] else "told", told)

    async def others(visit: Visit) -> Outcome[Literal["listed"]]:
        held = {one.code for one in await on_file(visit)}
        rows = [_paper(code) for code in calls.offered() if code not in held]
        return Outcome("listed", {"papers_offered": rows})

    async def mark(visit: Visit) -> Outcome[Literal["marked"]]:
        paper = visit.facts["paper"]
        await calls.mark(_change(visit), paper, True)
        return Outcome("marked", _paper(paper))

    async def unmark(visit: Visit) -> Outcome[Literal["removed"]]:
        await calls.mark(_change(visit), visit.facts["paper"], False)
        return Outcome("removed")

    add, remove = Option("add", goto="papers_others"), Option("remove", goto="paper_remove")
    on = (Option("go_on", goto="papers"),)
    return (
        Step("papers", papers, {"listed": "papers_list"}),
        Listing(
            "papers_list",
            _rows_of("papers_rows"),
            saves="paper",
            goto="paper_chosen",
            empty="papers_none",
            options=(add,),
        ),
        Choice("papers_none", (add,)),
        Step("paper_chosen", chosen, {"told": "paper_told", "seen": "paper_seen"}),
        Choice("paper_told", (remove,)),
        Choice("paper_seen", (remove,)),
        Step("papers_others", others, {"listed": "papers_offered"}),
        Listing("papers_offered", _rows_of("papers_offered"), saves="paper", goto="paper_mark", empty="papers_all"),
        Choice("papers_all", on),
        Step("paper_mark", mark, {"marked": "paper_marked"}, commits=True),
        Choice("paper_marked", on),
        Step("paper_remove", unmark, {"removed": "paper_removed"}, commits=True),
        Choice("paper_removed", on),
    )


def _saves(key: str) -> str:
    """The fact that an answer reaches its step as; one for what nobody else must find in the phone."""
    if key == "gender":
        return "gender_told"
    return "identity" if key in IDENTITIES else "profile_answer"


def _row(key: str, shown: str) -> Facts:
    """One line of the profile: an answer in its owner's words, a code that is said in the reader's language, or none."""
    gender = shown if key == "gender" else ""
    said = "" if gender else shown
    return {"profile_key": key, "answer_said": said, "gender_said": gender, "unknown": "" if shown else "yes"}


def _paper(code: str) -> Facts:
    """A paper, and what says which."""
    return {"paper": code, "papers_said": [code]}


def _change(visit: Visit) -> Change:
    return Change(visit.facts["account"], visit.channel, visit.effect)


def _rows_of(fact: str) -> Callable[[Facts], Sequence[Facts]]:
    def rows(facts: Facts) -> Sequence[Facts]:
        listed: Sequence[Facts] = facts.get(fact, ())
        return listed

    return rows
