"""No step does more than it says: what each step calls is compared with the effects that it declares.

The steps' sources are read, with those of the functions that they call in `menus.journeys`. A method of a service that
METHODS does not list fails the test: whoever adds one says here what it does.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator

import pytest

from menus.model import Form, Step
from menus.proof import Effect, Proof
from tests.support.menu_facts import conversation

NOTHING: frozenset[Effect] = frozenset()
COMMITS, COSTS = frozenset({Effect.COMMITS}), frozenset({Effect.COSTS, Effect.COMMITS})
REVEALS, ACCESS = frozenset({Effect.REVEALS}), frozenset({Effect.ACCESS, Effect.COMMITS})
METHODS = {
    "accounts.change_pin": ACCESS,
    "accounts.choose_language": NOTHING,  # the words of the screens, which the caller can change back
    "accounts.find_closed_registration_key": NOTHING,
    "accounts.find_registration_key": NOTHING,
    "accounts.find_session_end": NOTHING,
    "accounts.get_questions": NOTHING,  # which questions to ask, not the answers
    "accounts.has_account": NOTHING,
    "accounts.holder_name": NOTHING,  # compared with an answer that its holder types
    "accounts.hash_secret": NOTHING,
    "accounts.list_question_keys": NOTHING,  # when the questions were chosen
    "accounts.recover_pin": ACCESS,
    "accounts.register": ACCESS,
    "accounts.registrations": NOTHING,
    "accounts.registrations.find_key": NOTHING,
    "accounts.registrations.start": COMMITS,
    "accounts.send_recovered_pin": ACCESS,
    "accounts.set_questions": ACCESS,
    "accounts.sign_in": NOTHING,  # the proof itself
    "accounts.sign_in_by_answers": NOTHING,
    "accounts.verify_secret": NOTHING,
    "app_links.send": NOTHING,  # an SMS to the caller's phone with a public link
    "application_forms.differing_identity_fields": NOTHING,
    "application_forms.fields": NOTHING,
    "application_forms.find_beneficiary_rejection": NOTHING,  # whether the caller applied for that number too often
    "application_forms.prefill": REVEALS,
    "application_forms.required_documents": NOTHING,
    "application_forms.submit": COMMITS,
    "application_status.get_history": NOTHING,  # what anyone may read who has the tracking number
    "application_status.list_own": REVEALS,
    "application_status.send_status": COMMITS,
    "billers.codes_for": NOTHING,
    "billers.find_by_name": NOTHING,
    "billers.consumer_labels": NOTHING,
    "bills.last_consumer_digits": NOTHING,  # the last digits, to their owner
    "bills.look_up": REVEALS,
    "bills.look_up_last": REVEALS,
    "bills.request_payment": COSTS,
    "cash.record_by_operator": COMMITS,
    "catalogue.catalogue": NOTHING,
    "catalogue.catalogue.required_documents": NOTHING,
    "catalogue.centres": NOTHING,
    "catalogue.centres.find_near": NOTHING,
    "catalogue.get_centre": NOTHING,
    "catalogue.get_service": NOTHING,
    "catalogue.is_service_name": NOTHING,
    "codes.check": NOTHING,
    "codes.send": NOTHING,
    "complaint_status.get_history": NOTHING,
    "complaints.submit_complaint": COMMITS,
    "complaints.submit_feedback": COMMITS,
    "contacts.choose_letters": NOTHING,  # the letters of SMS, which the caller can change back
    "contacts.choose_language": NOTHING,  # the words of SMS, which the caller can change back
    "consents.attach_account": NOTHING,
    "consents.citizen_of": NOTHING,
    "consents.end": COMMITS,
    "consents.end_other_sessions": NOTHING,
    "consents.end_reason": NOTHING,
    "consents.request": NOTHING,  # sends the citizen the code that proves the consent
    "consents.verify_code": NOTHING,
    "deliveries.delivery_state": NOTHING,
    "document_sign_ins.check_code": NOTHING,
    "document_sign_ins.request_challenge": NOTHING,
    "documents.hand_over": REVEALS,
    "documents.list_documents": REVEALS,
    "drafts.discard": COMMITS,
    "drafts.find_unfinished": NOTHING,
    "drafts.resume": REVEALS,
    "drafts.save": COMMITS,
    "emails.get_as_of": REVEALS,
    "emails.remove": ACCESS,
    "emails.resend_link": COMMITS,
    "emails.set_address": ACCESS,
    "fees.find": NOTHING,
    "fees.can_pay": NOTHING,
    "fees.is_payable": NOTHING,
    "fees.is_taken_in_cash": NOTHING,
    "fees.is_taken_by_wallet": NOTHING,
    "fees.pay_bill": NOTHING,
    "fees.request_payment": COSTS,
    "info_messages.send_centre": NOTHING,
    "info_messages.send_service": NOTHING,
    "listings.office_services": NOTHING,
    "listings.offices": NOTHING,
    "listings.recipients": NOTHING,
    "listings.search": NOTHING,
    "listings.sectors": NOTHING,
    "listings.service_by_number": NOTHING,
    "listings.services": NOTHING,
    "opt_outs.is_opted_out": NOTHING,  # whether the caller sent STOP
    "operators.choose_pin": ACCESS,
    "operators.enrolment_status": NOTHING,
    "operators.find_session_end": NOTHING,
    "operators.sign_in": NOTHING,
    "privacy.delete_account": ACCESS,
    "privacy.send_link": REVEALS | COMMITS,
    "profiles.delete_answer": COMMITS,
    "profiles.list_documents": REVEALS,
    "profiles.list_entries": REVEALS,
    "profiles.mark_document": COMMITS,
    "profiles.set_answer": COMMITS,
    "tracking.find": NOTHING,  # the status of a number that the caller knows
    "verdicts.judge": COMMITS,
    "answers.answer": COMMITS,
    "withdrawals.refuse": COMMITS,
    "withdrawals.withdraw": COMMITS,
}
SENT_ONCE = {
    "app_links.send",
    "codes.send",
    "documents.hand_over",
    "info_messages.send_centre",
    "info_messages.send_service",
}
"""Methods that send something, and that record nothing else."""
SHOWS_AFTER_SAVING = {"profile_keep", "profile_keep_identity"}
"""Steps that show the entry which the caller has just typed."""


def find_calls(function: Callable[..., object], seen: set[object]) -> Iterator[str]:
    """The methods of services that the function calls, `service.method`, also through other functions of the journeys."""
    if function in seen:
        return
    seen.add(function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            name, _, method = ast.unparse(node).partition(".")
            if name == "services":
                yield method
        if isinstance(node, ast.Name):
            called = names.get(node.id)
            if inspect.isfunction(called) and called.__module__.startswith("menus.journeys"):
                yield from find_calls(called, seen)


def list_steps() -> list[Step]:
    return [screen for screen in conversation().menu.screen_list if isinstance(screen, Step)]


def test_every_method_that_a_step_calls_is_listed() -> None:
    called = {call for step in list_steps() for call in find_calls(step.run, set())}
    assert called <= METHODS.keys(), "say in METHODS what these do"
    assert len(called) > 60, "the sources are read"


def test_every_step_says_what_it_does() -> None:
    wrong = []
    for step in list_steps():
        effects = frozenset[Effect]().union(*(METHODS[call] for call in find_calls(step.run, set())))
        declared = step.effects | (COMMITS if step.commits else NOTHING)
        if effects - declared - (REVEALS if step.name in SHOWS_AFTER_SAVING else NOTHING):
            wrong.append(f"{step.name} {sorted(effects - declared)}")
    assert not wrong


def test_every_step_that_records_or_sends_does_so_once_for_an_intention() -> None:
    wrong = []
    for step in list_steps():
        calls = set(find_calls(step.run, set()))
        effects = frozenset[Effect]().union(*(METHODS[call] for call in calls)) - {Effect.REVEALS}
        if (effects or calls & SENT_ONCE) and not step.is_done_once:
            wrong.append(step.name)
    assert not wrong, "these would do it again in another session: say commits, effects or once"


def test_every_form_that_saves_says_what_it_needs() -> None:
    forms = [screen for screen in conversation().menu.screen_list if isinstance(screen, Form) and screen.on_answer]
    assert forms
    assert all(form.needs for form in forms)


@pytest.mark.parametrize("code", ["en", "bn", "hi", "bn_Latn", "hi_Latn"])
def test_every_act_that_asks_for_a_proof_has_a_name(code: str) -> None:
    asks = {Proof.PIN, Proof.CODE, Proof.PIN_OR_CODE, Proof.CODE_AND_ANSWERS, Proof.OPERATOR_PIN}
    acts = {step.name for step in list_steps() if step.needs and {step.needs.vouched, step.needs.unvouched} & asks}
    assert acts == conversation().locales[code].terms["to_act"].keys()
