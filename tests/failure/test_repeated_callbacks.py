"""Every callback comes twice, at once to two gateways, out of order, before the answer, and late: one effect each."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest
import pytest_asyncio
from aiohttp import web

from app.adapters import WALLETS
from app.bootstrap import open_app
from app.routes import PROVIDER_PATHS
from providers.registry import list_providers, providers_in_use
from tests.support.callback_gateways import CallbackGateways, build_callback_settings, run_callback_gateways
from tests.support.callbacks import CASES, FORM, POSTED_BY_PEOPLE, Callback, Case, Scene
from tests.support.database_content import content_difference, read_content
from tests.support.databases import delete_all_rows, migrated_sqlite_url

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLS_UNDER_WAY = {"open_calls"}
"""What the database has of calls under way: key presses of a call that is long over are those of another one, as in Redis."""
BROWSER_PATHS = ("/console", "/kaios")
"""Posted to by people at our own pages. Their repeats: tests/features/test_console_*.py and test_kaios_page.py."""
HOURS_LATE = timedelta(hours=30)
AFTER_RETENTION = timedelta(days=40)  # inbound SMS, and ids of departments' events, are deleted after thirty


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def gateways(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_server
) -> AsyncIterator[CallbackGateways]:
    """One gateway over SQLite; two over one PostgreSQL. Both use a real Redis."""
    redis_server.empty()
    folder = tmp_path_factory.mktemp("gateways")
    if request.param == "sqlite":
        url, number = migrated_sqlite_url(folder / "ekdial.db"), 1
    else:
        url, number = request.getfixturevalue("migrated_postgres"), 2
    async with run_callback_gateways(folder, database_url=url, redis_url=redis_server.url, number=number) as running:
        yield running
    if number > 1:
        delete_all_rows(url)


async def post_once(gateways: CallbackGateways, scene: Scene) -> list[int]:
    """Undisturbed: after the answer, one after the other."""
    await scene.answer()
    return await post_each(gateways, scene)


async def post_twice(gateways: CallbackGateways, scene: Scene) -> list[int]:
    await scene.answer()
    return [await post(gateways, one, gateway) for one in scene.callbacks for gateway in (0, 1)]


async def post_at_once(gateways: CallbackGateways, scene: Scene) -> list[int]:
    await scene.answer()
    statuses: list[int] = []
    for one in scene.callbacks:
        statuses += await asyncio.gather(*(post(gateways, one, gateway) for gateway in (0, 1, 0, 1)))
    return statuses


async def post_all_at_once(gateways: CallbackGateways, scene: Scene) -> list[int]:
    await scene.answer()
    posts = (post(gateways, one, gateway) for one in scene.callbacks for gateway in (0, 1))
    return list(await asyncio.gather(*posts))


async def post_backwards(gateways: CallbackGateways, scene: Scene) -> list[int]:
    await scene.answer()
    return [await post(gateways, one, gateway) for one in reversed(scene.callbacks) for gateway in (0, 1)]


async def post_before_the_answer(gateways: CallbackGateways, scene: Scene) -> list[int]:
    statuses = [await post(gateways, one, gateway) for one in scene.callbacks for gateway in (0, 1)]
    await scene.answer()
    return statuses


async def post_each(gateways: CallbackGateways, scene: Scene) -> list[int]:
    return [await post(gateways, one) for one in scene.callbacks]


async def post_in_another_spelling(gateways: CallbackGateways, scene: Scene) -> list[int]:
    """As providers do that are set up carelessly: a slash behind the address, a number with its plus lost on the way."""
    await scene.answer()
    return await post_each(gateways, replace(scene, callbacks=[*map(respell, scene.callbacks, cycle(PLUS_SPELLINGS))]))


def respell(callback: Callback, plus: bytes) -> Callback:
    """The callback to an address with more slashes; in a form with this in the place of each plus."""
    if callback.headers() != FORM:
        return replace(callback, path=f"{callback.path}//")
    return replace(callback, path=f"{callback.path}/", body=lambda: callback.body().replace(b"%2B", plus))


async def post(gateways: CallbackGateways, callback: Callback, gateway: int = 0) -> int:
    if callback.query is not None:
        return await gateways.get(callback.path, callback.query, gateway=gateway)
    return await gateways.post(callback.path, callback.body(), dict(callback.headers()), gateway=gateway)


PLUS_SPELLINGS = (b"", b"+", b"+%2B", b"%252B", b"00", b"%E2%80%AA%2B")
Plan = Callable[[CallbackGateways, Scene], Awaitable[list[int]]]
PLANS: Mapping[Plan, Callable[[Case], bool]] = {
    post_twice: lambda _: True,
    post_at_once: lambda _: True,
    post_all_at_once: lambda case: case.any_order,
    post_backwards: lambda case: case.any_order,
    post_in_another_spelling: lambda _: True,
    post_before_the_answer: lambda case: case.overtakes,
}
DISTURBED = [(name, plan) for name, case in CASES.items() for plan, applies in PLANS.items() if applies(case)]


async def run_plan(gateways: CallbackGateways, name: str, plan: Plan) -> tuple[Counter[str], Counter[str]]:
    """The rows that came and went, by an effect of this case and this plan."""
    scene = await CASES[name].begin(gateways)
    before = await read_state(gateways)
    statuses = await plan(gateways, scene)
    await gateways.wait_until_idle()
    assert {status // 100 for status in statuses} == {2}, statuses
    return content_difference(before, await read_state(gateways))


async def read_state(gateways: CallbackGateways) -> Counter[str]:
    """The content of the database, what Redis has about numbers, and the number of SMS that went out."""
    state = await read_content(gateways.database) + await gateways.read_number_states()
    return state + Counter({"SMS at the provider": len(gateways.sms.accepted)})


@pytest.fixture(scope="module")
def undisturbed() -> dict[tuple[CallbackGateways, str], tuple[Counter[str], Counter[str]]]:
    """The effect of each case without a disturbance."""
    return {}


@pytest.mark.parametrize(("name", "plan"), DISTURBED)
async def test_whatever_comes_twice_or_out_of_order_has_one_effect(gateways, undisturbed, name, plan):
    key = (id(gateways), name)
    if key not in undisturbed:
        undisturbed[key] = await run_plan(gateways, name, post_once)
    effect = await run_plan(gateways, name, plan)
    if effect != undisturbed[key]:  # a periodic job of the gateways may have moved a row of another case meanwhile
        undisturbed[key] = await run_plan(gateways, name, post_once)
        effect = await run_plan(gateways, name, plan)
    assert effect == undisturbed[key]


async def test_what_is_repeated_late_moves_nothing(gateways):
    """A day and some hours later, and when the first one is deleted."""
    if len(gateways.urls) < 2:
        pytest.skip("the times of rows are moved back on PostgreSQL")
    scenes = {}
    for name, case in CASES.items():
        scenes[name] = await case.begin(gateways)
        await post_once(gateways, scenes[name])
        await gateways.wait_until_idle()
    await gateways.make_older(HOURS_LATE)
    assert await effects_of_repeats(gateways, scenes) == {name: set() for name in scenes}
    await gateways.make_older(AFTER_RETENTION)
    await gateways.delete_expired()
    assert await effects_of_repeats(gateways, scenes) == {name: case.after_retention for name, case in CASES.items()}


async def effects_of_repeats(gateways: CallbackGateways, scenes: Mapping[str, Scene]) -> Mapping[str, set[str]]:
    """The tables that the callbacks of each scene change when they come once more."""
    changed, before = {}, await read_state(gateways)
    for name, scene in scenes.items():
        await post_each(gateways, scene)
        await gateways.wait_until_idle()
        added, removed = content_difference(before, before := await read_state(gateways))
        changed[name] = {row.split()[0] for row in added + removed} - CALLS_UNDER_WAY
    return changed


def is_callback(route: web.AbstractRoute) -> bool:
    """Whether others call it: it is posted to, or gets a provider's fields in its query."""
    path = route.resource.canonical if route.resource else ""
    if path.startswith(BROWSER_PATHS):
        return False
    return route.method == "POST" or (route.method == "GET" and path.startswith(PROVIDER_PATHS))


async def test_every_route_that_others_post_to_has_a_case(tmp_path):
    """With every provider and every wallet that has callbacks."""
    settings = build_callback_settings(tmp_path)
    async with open_app(settings) as app:
        posted = {route.resource.canonical for route in app.router.routes() if route.resource and is_callback(route)}
    with_webhooks = {
        it.name for it in list_providers(settings) if it.build_ussd or it.build_voice or it.build_sms_webhooks
    }
    assert with_webhooks <= {entry.name for entry in providers_in_use(settings)}
    posted |= {f"/payments/{name}/{{key}}" for name, wallet in WALLETS.items() if wallet.webhook}
    assert posted == {case.route for case in CASES.values()} | POSTED_BY_PEOPLE
