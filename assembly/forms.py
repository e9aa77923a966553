"""The catalogue's forms as the menus ask them, and an answered one as it is submitted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from assembly.catalogue import service_of
from menus.journeys.apply import Papers, Wanted
from menus.model import Accepted, Asked, Refused, Texts
from services.applications import Submission
from services.catalogue import answers
from services.catalogue.model import Field, Service
from services.catalogue.shelf import Shelf


@dataclass(frozen=True, slots=True)
class FormField:
    """A catalogue's field as a form asks it."""

    field: Field

    @property
    def name(self) -> str:
        """The key its answer is kept under."""
        return self.field.name

    @property
    def labels(self) -> Texts:
        """The question, in every language."""
        return self.field.labels

    @property
    def choices(self) -> Sequence[tuple[str, Texts]]:
        """Code and names of each answer to choose from."""
        return self.field.choices

    def check(self, typed: str, today: date) -> Accepted | Refused:
        """What the catalogue makes of an answer, in the menus' words."""
        checked = answers.check(self.field, typed, today)
        if isinstance(checked, answers.Accepted):
            return Accepted(checked.value)
        return Refused(checked.reason, checked.facts)

    def shown(self, value: str) -> str | Texts:
        """A choice by its name, a date as it is typed, an identity number by its last digits."""
        if self.field.kind == "choice":
            return dict(self.field.choices)[value]
        if self.field.kind == "date":
            return f"{date.fromisoformat(value):%d-%m-%Y}"
        return answers.shown(self.field, value, "en")


def fields_of(shelf: Shelf) -> Callable[[str], Sequence[Asked]]:
    """A service's code to the questions of its form; those of one that is not offered any more are `Gone`."""
    return lambda code: asked_by(service_of(shelf, code))


def asked_by(service: Service) -> Sequence[Asked]:
    """The questions of a service's form."""
    return [FormField(field) for field in service.fields]


def submission_of(shelf: Shelf, wanted: Wanted, papers: Papers, *, payable: bool) -> Submission:
    """What was asked for, with what the catalogue says of it today: where it goes, how long it takes, what it costs.

    What of it was told of oneself is kept for the next form; `payable`: the fee can be paid here.
    """
    service = service_of(shelf, wanted.service)
    told = {it.profile: wanted.form[it.name] for it in service.fields if it.profile and it.name in wanted.form}
    return Submission(
        account=wanted.account,
        number=wanted.number,
        service=wanted.service,
        office=service.office,
        department=service.department,
        form=wanted.form,
        days=service.days,
        fee_minor=service.fee_minor,
        currency=service.currency,
        language=wanted.language,
        channel=wanted.channel,
        beneficiary=wanted.beneficiary,
        on_file=tuple(papers.on_file),
        bring=tuple(papers.bring),
        to_pay_at=service.office if service.fee_minor and not payable else "",
        profile={} if wanted.beneficiary else told,
    )
