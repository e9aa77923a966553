"""The names of facts in the code that makes them: the strings in a function, and in the functions and tables that it uses."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

OWN_PACKAGES: Final = frozenset({"app", "core", "mail", "menus", "services", "sessions", "sms", "ussd", "voice", "web"})
MAX_DEPTH: Final = 5
"""How many functions deep a fact may be named."""


def find_fact_names(function: Callable[..., Any]) -> frozenset[str]:
    """Every string in the function, and in our functions and tables that it names, that could be the name of a fact."""
    names: set[str] = set()
    _collect(function, names, {}, MAX_DEPTH)
    return frozenset(names)


def find_module_names(module: ModuleType) -> frozenset[str]:
    """Every string in a module's functions, methods, constants and tables that could be the name of a fact."""
    names: set[str] = set()
    waiting = list(vars(module).values())
    while waiting:
        value = waiting.pop()
        value = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        value = value.fget if isinstance(value, property) else value
        if getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        if isinstance(value, FunctionType):
            names |= _strings_of_code(value.__code__)
        elif isinstance(value, type):
            waiting += vars(value).values()
        else:
            names |= _strings_of_value(value)
    return frozenset(names)


def _collect(value: Any, names: set[str], seen: dict[int, int], depth: int) -> None:
    """Add the strings of a value and of what it uses; `seen` has the depth that was left when each value was read."""
    if seen.get(id(value), 0) >= depth:
        return
    seen[id(value)] = depth
    match value:
        case partial():
            for one in (value.func, *value.args, *value.keywords.values()):
                _collect(one, names, seen, depth)
        case MethodType():
            _collect(value.__func__, names, seen, depth)
        case FunctionType():
            if value.__module__.partition(".")[0] in OWN_PACKAGES:
                names |= _strings_of_code(value.__code__)
                for used in _used_values(value):
                    _collect(used, names, seen, depth - 1)
        case _:
            names |= _strings_of_value(value)


def _strings_of_value(value: Any) -> set[str]:
    match value:
        case Mapping():
            return {one for pair in value.items() for one in pair if isinstance(one, str)}
        case frozenset() | tuple():
            return {one for one in value if isinstance(one, str)}
        case str() if value.isidentifier():
            return {value}
        case _:
            return set()


def _used_values(function: FunctionType) -> Iterator[Any]:
    """What the function reads of its module and of the functions around it."""
    for name in _names_of_code(function.__code__):
        if name in function.__globals__:
            yield function.__globals__[name]
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


@cache
def _strings_of_code(code: CodeType) -> frozenset[str]:
    """The strings of a function, its inner functions included, that look like names."""
    names: set[str] = set()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _strings_of_code(constant)
        else:
            names |= {one for one in _strings_of_value(constant) if one.isidentifier()}
    return frozenset(names)


@cache
def _names_of_code(code: CodeType) -> frozenset[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return frozenset(code.co_names).union(*map(_names_of_code, inner))
