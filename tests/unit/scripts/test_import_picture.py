"""The figures of the import picture."""

from scripts.import_picture import build_graph, find_cycles, measure_levels


def test_a_level_is_the_longest_chain_of_imports():
    graph = {"app": {"web", "core"}, "web": {"core"}, "core": set()}
    assert measure_levels(graph, find_cycles(graph)) == {"app": 3, "web": 2, "core": 1}


def test_packages_that_import_each_other_are_one_cycle_on_one_level():
    graph = {"app": {"web"}, "web": {"menus"}, "menus": {"web"}}
    assert find_cycles(graph) == [{"web", "menus"}]
    assert measure_levels(graph, find_cycles(graph)) == {"app": 2, "web": 1, "menus": 1}


def test_the_packages_of_the_repository_have_no_cycle_and_core_imports_none():
    graph = build_graph("")
    assert find_cycles(graph) == []
    assert graph["core"] == set()
