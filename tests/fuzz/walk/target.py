"""The target `walk`: walks of one caller after another over gateways in this process."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from tests.fuzz.targets import MAX_FAILURES, ExampleLimit, Failure, TargetResult, describe, shrink
from tests.fuzz.walk.caller import Action, Caller, CallerKind
from tests.fuzz.walk.gateway import VARIANTS, FuzzGateway, open_fuzz_gateway
from tests.fuzz.walk.route import Router
from tests.fuzz.walk.walker import ACTIONS_OF_A_CALLER, build_walk

ACTIONS_OF_A_GATEWAY = 20_000
"""After so many actions a new gateway is opened, so that its database stays small."""


@dataclass(frozen=True, slots=True)
class WalkTarget:
    """Walks over every journey. An example is one action of a caller; a state is a screen in its language, size and page."""

    async def run(self, seed: str, wanted: ExampleLimit) -> TargetResult:
        """Walk while `wanted` says so."""
        result, router, number, gateways = TargetResult(), None, 0, 0
        states: set[tuple[object, ...]] = set()
        while wanted(result.examples) and len(result.failures) < MAX_FAILURES:
            variant, gateways = gateways % len(VARIANTS), gateways + 1
            async with open_fuzz_gateway(variant) as gateway:
                router = router or Router(gateway.checked_menu.menu)
                until = result.examples + ACTIONS_OF_A_GATEWAY
                while wanted(result.examples) and result.examples < until and len(result.failures) < MAX_FAILURES:
                    await self._walk(gateway, router, Random(f"{seed}/{number}"), states, result)
                    number += 1
        result.seen = len(states)
        if router:
            missed = f", never {' '.join(router.missed)}" if router.missed else ""
            shown = len(router.screens) - len(router.missed)
            result.notes.append(f"{shown} of {len(router.screens)} screens shown by {number} callers{missed}")
        return result

    async def _walk(
        self,
        gateway: FuzzGateway,
        router: Router,
        random: Random,
        states: set[tuple[object, ...]],
        result: TargetResult,
    ) -> None:
        walk = build_walk(gateway, router, random, states)
        try:
            await walk.caller.start()
            await walk.run(ACTIONS_OF_A_CALLER)
        except Exception as error:  # noqa: BLE001 - whatever fails is a finding
            failure = Failure(None, describe(error))
            if failure.kind not in {known.kind for known in result.failures}:
                actions = await shrink_walk(gateway.variant, walk.caller.kind, walk.actions, failure)
                result.add_failure(
                    Failure(
                        {"variant": gateway.variant, "caller": asdict(walk.caller.kind), "actions": actions},
                        failure.reason,
                    )
                )
        result.examples += len(walk.actions)
        result.slowest = max(result.slowest, walk.caller.slowest)

    async def replay(self, value: Any) -> None:
        """Walk a case; raises what fails."""
        async with open_fuzz_gateway(value["variant"]) as gateway:
            await do_actions(gateway, CallerKind(**value["caller"]), [tuple(action) for action in value["actions"]])


async def do_actions(gateway: FuzzGateway, kind: CallerKind, actions: Sequence[Action]) -> Caller:
    """Do these actions as a new caller; the catalogue and the systems are as at the start."""
    caller = Caller(gateway=gateway, kind=kind)
    await caller.edit_catalogue("0")
    for state in ("issuer=up", "sim=unchanged", "departments=up"):
        await caller.change_system(state)
    await caller.start()
    for action in actions:
        await caller.act(action)
    return caller


async def shrink_walk(variant: int, kind: CallerKind, actions: Sequence[Action], failure: Failure) -> Sequence[Action]:
    """The fewest actions found that fail alike."""
    async with open_fuzz_gateway(variant) as gateway:

        async def fails(fewer: list[Action]) -> bool:
            try:
                await do_actions(gateway, kind, fewer)
            except Exception as error:  # noqa: BLE001 - whatever fails is a finding
                return Failure(None, describe(error)).kind == failure.kind
            return False

        whole = list(actions)
        return await shrink(whole, fails) if await fails(whole) else whole
