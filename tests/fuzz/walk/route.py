"""The way to the screens that the walk has seen least."""

from collections import Counter, deque
from collections.abc import Mapping
from functools import cache
from random import Random

from menus.model import Menu, Step, successors

FAR = 10**6


class Router:
    """Counts visits, and knows how many screens lie between two of them."""

    def __init__(self, menu: Menu) -> None:
        self._before: dict[str, list[str]] = {screen.name: [] for screen in menu.screen_list}
        replacements = menu.operator_policy.replacements if menu.operator_policy else {}
        for screen in menu.screen_list:
            for name in successors(screen):
                self._before[name].append(screen.name)
                if name in replacements:
                    self._before[replacements[name]].append(screen.name)
        self.screens = sorted(screen.name for screen in menu.screen_list if not isinstance(screen, Step))
        self.visits: Counter[str] = Counter()
        self.aimed_at: Counter[str] = Counter()
        self.distances = cache(self._find_distances)

    def choose_target(self, random: Random) -> str:
        """A screen that was seen seldom, for how often it was aimed at."""
        return min(
            self.screens, key=lambda name: (self.visits[name] + self.aimed_at[name] * random.random(), random.random())
        )

    def distance(self, name: str, target: str) -> int:
        """The number of screens from one to another."""
        return self.distances(target).get(name, FAR)

    @property
    def missed(self) -> list[str]:
        """The screens that nobody has seen."""
        return [name for name in self.screens if not self.visits[name]]

    def _find_distances(self, target: str) -> Mapping[str, int]:
        found, queue = {target: 0}, deque([target])
        while queue:
            name = queue.popleft()
            for before in self._before[name]:
                if before not in found:
                    found[before] = found[name] + 1
                    queue.append(before)
        return found
