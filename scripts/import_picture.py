"""Print how the packages import each other: packages, levels, arrows, cycles. Usage: python scripts/import_picture.py [PACKAGE].

Without PACKAGE, the nodes are the top-level packages and root modules; with it, the modules of that package. A level is
the length of the longest chain of imports. Imports inside functions and under TYPE_CHECKING count too.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[1]
NOT_PRODUCT = {"tests", "bench", "scripts", "docs", "var"}

Graph: TypeAlias = Mapping[str, set[str]]
"""Node to the nodes that it imports."""


def main() -> None:
    """Print the figures, then one line for each node with what it imports."""
    package = sys.argv[1] if len(sys.argv) > 1 else ""
    graph = build_graph(package)
    cycles = find_cycles(graph)
    levels = measure_levels(graph, cycles)
    arrows = sum(map(len, graph.values()))
    sys.stdout.write(
        f"{len(graph)} nodes, {max(levels.values(), default=0)} levels, {arrows} arrows, {len(cycles)} cycles\n"
    )
    for cycle in cycles:
        sys.stdout.write(f"cycle: {' '.join(sorted(cycle))}\n")
    for node in sorted(graph, key=lambda it: (-levels[it], it)):
        sys.stdout.write(f"{levels[node]:>3}  {node} -> {' '.join(sorted(graph[node])) or '(nothing)'}\n")


def build_graph(package: str) -> Graph:
    """Return the imports between top-level packages, or between the modules of `package`."""
    modules = {_module_name(path): path for path in _product_files()}
    inside = {name for name in modules if not package or name == package or name.startswith(f"{package}.")}
    graph: dict[str, set[str]] = {_node(name, package): set() for name in inside}
    for name in inside:
        for imported in _imports(modules[name]):
            target = _known_module(imported, modules)
            if target in inside and _node(target, package) != _node(name, package):
                graph[_node(name, package)].add(_node(target, package))
    return graph


def find_cycles(graph: Graph) -> list[set[str]]:
    """Return the groups of two or more nodes that import each other, directly or through others."""
    reached = {node: _reachable(graph, node) for node in graph}
    cycles: list[set[str]] = []
    for node in graph:
        group = {other for other in reached[node] if node in reached[other]}
        if group and group not in cycles:
            cycles.append(group)
    return cycles


def measure_levels(graph: Graph, cycles: list[set[str]]) -> Mapping[str, int]:
    """Return the level of each node: 1 for a node that imports nothing; nodes of one cycle have the same level."""
    group_of = {node: frozenset(next((it for it in cycles if node in it), {node})) for node in graph}
    levels: dict[frozenset[str], int] = {}

    def level(group: frozenset[str]) -> int:
        if group not in levels:
            below = {group_of[target] for node in group for target in graph[node]} - {group}
            levels[group] = 1 + max(map(level, below), default=0)
        return levels[group]

    return {node: level(group_of[node]) for node in graph}


def _product_files() -> Iterator[Path]:
    for path in ROOT.rglob("*.py"):
        first = path.relative_to(ROOT).parts[0]
        if not first.startswith(".") and first not in NOT_PRODUCT:
            yield path


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _imports(path: Path) -> Iterator[str]:
    """The dotted names that the file imports; `from a import b` gives `a.b`, for `b` can be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _known_module(dotted: str, modules: Mapping[str, Path]) -> str:
    """The longest part of the dotted name that is a module of ours; empty if none is."""
    while dotted and dotted not in modules:
        dotted = dotted.rpartition(".")[0]
    return dotted


def _node(module: str, package: str) -> str:
    return module if package else module.partition(".")[0]


def _reachable(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    waiting = [*graph[start]]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += graph[node]
    return found


if __name__ == "__main__":
    main()
