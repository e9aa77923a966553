"""Compare a statement of the wallet's account with the books: upload it, and see each difference with what corrects it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, get_args

from aiohttp import web

from services.payments.statement_comparison import Comparison
from services.payments.statement_file import StatementError, StatementFormat
from services.payments.statement_reconciler import Reconciliation, StatementFile
from web.console.forms.parsing import parse_day, start_of_day
from web.console.forms.state import NO_FORM, FormState
from web.console.payments.services import PATH, LedgerServices, find_status
from web.console.requests import ConsoleRequest, FormError
from web.console.uploads import MAX_UPLOAD_BYTES

STATEMENT_PATH: Final = f"{PATH}/statement"
FORMATS: Final[Sequence[StatementFormat]] = get_args(StatementFormat)
MAX_SHOWN: Final = 200
"""Differences on the page; `payments reconcile --csv` writes all."""
FILE_NAME: Final = "statement.csv"
"""The name of the uploaded file in messages about its lines."""
_BYTES_PER_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class StatementPages:
    """Compares statements. The file is deleted as soon as it is compared."""

    services: LedgerServices

    async def show(self, request: ConsoleRequest) -> web.StreamResponse:
        """The form."""
        return self._render_form(request, NO_FORM, ())

    async def compare(self, request: ConsoleRequest) -> web.StreamResponse:
        """Compare the file, and show the result. Nothing is kept but an audit line with the file's digest."""
        problems: Sequence[str] = ()
        try:
            result = await self._compare(request)
        except FormError as error:
            form = FormState("statement", request.fields, error)
        except StatementError as error:
            problems = error.problems
            problem = FormError(request.translate("payments.statement_wrong"), "lines")
            form = FormState("statement", request.fields, problem)
        else:
            return self._render_result(request, result)
        return self._render_form(request, form, problems)

    async def _compare(self, request: ConsoleRequest) -> Reconciliation:
        if not request.file:
            raise FormError(request.translate("payments.file_missing"), "file")
        act, statement_format = request.build_act(), _find_format(request.fields.get("format", ""))
        zone = self.services.reconciler.find_zone(statement_format)
        since = start_of_day(parse_day(request, request.fields.get("since", ""), "since"), zone)
        last = parse_day(request, request.fields.get("until", ""), "until")
        until = start_of_day(last + timedelta(days=1) if last else None, zone)
        if since and until and since >= until:
            raise FormError(request.translate("payments.period_reversed"), "since")
        with TemporaryDirectory() as folder:
            file = Path(folder) / FILE_NAME
            file.write_bytes(request.file)
            statement = StatementFile(file, statement_format, self._find_wallet(request), since, until)
            return await self.services.reconciler.reconcile(
                statement, act.actor, act.idempotency_key, reason=act.reason
            )

    def _find_wallet(self, request: ConsoleRequest) -> str:
        wallet = request.fields.get("wallet", "")
        return wallet if wallet in self.services.wallets else self.services.wallet

    def _render_form(self, request: ConsoleRequest, form: FormState, problems: Sequence[str]) -> web.Response:
        return request.render(
            "payments/statement.html",
            find_status(form),
            formats=FORMATS,
            wallets=self.services.wallets,
            wallet=self.services.wallet,
            most=MAX_UPLOAD_BYTES // _BYTES_PER_MEGABYTE,
            problems=list(map(_strip_path, problems)),
            form=form,
        )

    def _render_result(self, request: ConsoleRequest, result: Reconciliation) -> web.Response:
        comparison = result.comparison
        return request.render(
            "payments/comparison.html",
            summary=result.summary,
            comparison=comparison,
            differences=comparison.differences[:MAX_SHOWN],
            is_cut=len(comparison.differences) > MAX_SHOWN,
            most=MAX_SHOWN,
            sums=_list_sums(comparison),
            others=sorted(comparison.other_counts.items()),
        )


def _strip_path(problem: str) -> str:
    """What is wrong with a line, without the path of the temporary file: `line 2: …`."""
    said = problem.rpartition(f"/{FILE_NAME}")[2].lstrip(":, ") or problem
    return f"line {said}" if said[:1].isdigit() else said


def _find_format(text: str) -> StatementFormat:
    return next((one for one in FORMATS if one == text), FORMATS[0])


def _list_sums(comparison: Comparison) -> Sequence[tuple[str, str, int, int]]:
    """By currency and direction: what the statement has, and what the books have, in hundredths."""
    keys = sorted({*comparison.statement_sums, *comparison.book_sums})
    return [(*key, comparison.statement_sums[key], comparison.book_sums[key]) for key in keys]
