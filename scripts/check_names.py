"""Refuse names that this code base has replaced: modules, classes, functions and parameters. Usage: python scripts/check_names.py.

The check reads definitions, not prose: a docstring may use these words. Each word has the reason why it is refused.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {"var", "docs"}

MODULES: Mapping[str, str] = {
    "together": "an adverb; core/batching.py",
    "straight": "an adverb; core/http/fast_router.py",
    "given": "a participle; core/types.py",
    "closed": "a participle; name the things, as in closed_accounts.py",
    "unread": "reads as unread mail; unparsed_webhooks.py",
    "aside": "an adverb; app/cli.py",
    "now_and_then": "an adverb; core/periodic.py",
    "ground": "a metaphor; app/resources.py",
    "desk": "a metaphor; name the service",
    "shelf": "a metaphor; catalogue/current.py",
    "till": "a metaphor; payments/worker.py",
    "courier": "a metaphor; delivery_worker.py",
    "letter": "a metaphor; message.py",
    "glances": "a metaphor; tracking/summary.py",
    "guesses": "core/rate_limit.py, sms/keywords/suggestions.py",
    "values": "models.py, as in every package",
    "rows": "say whose rows",
    "statements": "queries.py, as in every package",
    "port": "base.py, as in every package",
}
CLASSES: Mapping[str, str] = {
    "Together": "Batcher",
    "Seal": "Cipher",
    "SealBroken": "DecryptionError",
    "Sealing": "Cipher",
    "Desk": "name the service or the handler",
    "Shelf": "CurrentCatalogue",
    "Edition": "CatalogueSnapshot",
    "Till": "PaymentWorker",
    "Errand": "Job",
    "Chore": "PeriodicJob",
    "Courier": "DeliveryWorker",
    "Ground": "Resources",
    "Behind": "pass the dependencies as keyword arguments",
    "Beneath": "pass the dependencies as keyword arguments",
    "Below": "pass the dependencies as keyword arguments",
    "Aside": "CommandContext",
    "Fault": "Problem",
    "Broken": "ValidationFailedError",
    "CannotRun": "CommandError",
    "NotAlone": "EmbeddedStoreError",
    "Records": "Database",
    "Trace": "HopMetadata",
    "Answered": "HttpResponse, UserInput",
    "Heard": "UssdReply, RequestModel",
    "Told": "ResponseModel",
    "Said": "name the text or the problem",
    "Place": "Position, KeyPath",
    "Visit": "StepContext",
    "Reached": "Navigation",
    "Leaving": "Transition",
    "Wanted": "name the request, as in PaymentRequest",
    "Begun": "name the result",
    "Known": "name the state",
    "Asked": "FormField",
    "Showing": "ScreenView",
    "Words": "Locale",
    "Officers": "EscalationPolicies",
    "Leaflets": "InfoMessages",
    "Letters": "EmailMessage, PaymentNotifier",
    "Guesses": "MissLimiter",
    "Whose": "DataSubject",
    "Fingers": "InputSource",
}
FUNCTIONS: Mapping[str, str] = {
    "told": "error_facts, or the facts that are built",
    "said": "render_… or parse_…",
    "say": "render_…",
    "heard": "record_…",
    "kept": "read_or_create, load, stored_…",
    "asked": "parse_arguments, request_…",
    "given": "name what is returned",
    "taken": "handle_…",
    "refused": "reject_…",
    "spoken": "render_…",
    "shown": "display_path, view",
    "laid": "open_…",
    "tilled": "run_payment_worker",
    "proved": "check_…, build_…",
    "beside": "background",
    "now_and_then": "run_periodically",
    "hop": "handle",
    "put_up": "list_rejected",
    "wait_after": "backoff",
    "one_more": "single_new_input",
    "unheard": "new_inputs",
}
PARAMETERS: Mapping[str, str] = {
    "effect": "idempotency_key",
    "seal": "cipher",
    "records": "database",
    "most": "limit, max_…",
    "least": "min_…",
    "within": "timeout, window",
    "say": "render_text",
    "told": "facts, reported",
    "heard": "received, input",
    "asked": "request, question",
    "given": "args, values",
    "visit": "context",
    "whose": "scope, subject",
    "ground": "resources",
    "shelf": "catalogue",
    "desk": "service",
}
PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "function": (re.compile(r"_?[a-z0-9_]+_of"), "parse_x, build_x, x_from_y or a noun instead of x_of"),
}
PHRASES = {"citizen_of", "state_of", "get_as_of", "on_behalf_of"}
"""Names that end in `_of` and are plain English."""


class Definition(NamedTuple):
    """A name where it is defined: its kind (`module`, `class`, `function`, `parameter`), file and line."""

    kind: str
    name: str
    file: str
    line: int


def main() -> int:
    """Print one line for each refused name. Return 1 if there is one, else 0."""
    refused = [line for it in find_definitions(ROOT) if (line := describe_refusal(it))]
    sys.stdout.writelines(f"{line}\n" for line in refused)
    return 1 if refused else 0


def describe_refusal(definition: Definition) -> str:
    """Return the line that says why the name is refused and what to write; empty if it is not refused."""
    words = {"module": MODULES, "class": CLASSES, "function": FUNCTIONS, "parameter": PARAMETERS}[definition.kind]
    name = definition.name.lstrip("_")
    fix = words.get(name, "")
    pattern = PATTERNS.get(definition.kind)
    if not fix and pattern and pattern[0].fullmatch(name) and name not in PHRASES and not name.startswith("test_"):
        fix = pattern[1]
    place = f"{definition.file}:{definition.line}"
    return f"{place}: the {definition.kind} name {definition.name!r} is replaced; {fix}" if fix else ""


def find_definitions(root: Path) -> Iterator[Definition]:
    """Yield every module, class, function and parameter under `root`."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if not parts[0].startswith(".") and parts[0] not in SKIPPED:
            yield from _definitions_in(path, path.relative_to(root).as_posix())


def _definitions_in(path: Path, file: str) -> Iterator[Definition]:
    yield Definition("module", path.stem, file, 1)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield Definition("class", node.name, file, node.lineno)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Definition("function", node.name, file, node.lineno)
            arguments = node.args
            every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
            yield from (Definition("parameter", it.arg, file, it.lineno) for it in every if it)


if __name__ == "__main__":
    sys.exit(main())
