"""What axe-core finds wrong with a page for people who do not see it, hear it or hold a mouse."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from playwright.async_api import Page

AXE: Final = Path(__file__).parent.parent / "fixtures" / "axe" / "axe.min.js"
SEVERE: Final = frozenset({"serious", "critical"})

ColorScheme: TypeAlias = Literal["light", "dark"]
COLOR_SCHEMES: Final[tuple[ColorScheme, ...]] = ("light", "dark")


async def find_violations(page: Page, schemes: Sequence[ColorScheme] = COLOR_SCHEMES) -> Sequence[str]:
    """What axe-core finds that is serious or critical, a text for each element: page, rule, element, and how to mend it."""
    await page.emulate_media(color_scheme=schemes[0], reduced_motion="reduce")
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    return [finding for scheme in schemes for finding in await _run_axe(page, scheme)]


async def _run_axe(page: Page, scheme: ColorScheme) -> Sequence[str]:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    result = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    severe = [violation for violation in result["violations"] if violation["impact"] in SEVERE]
    return [f"{page.url} ({scheme}) {_describe(one, node)}" for one in severe for node in one["nodes"]]


def _describe(violation: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    return f"{violation['id']}: {node['html'][:200]} – {' '.join(node['failureSummary'].split())}"
