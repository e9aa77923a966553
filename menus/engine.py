"""The menu engine: one input and a position give the next position. It is pure until a step runs.

On every screen `0` goes back, `00` goes home, and 98 turns the page where there is another. Steps run one after the other
until a screen waits for input; a cycle of steps ends at the menu's `stuck` screen. When a step finds that a service left
the catalogue (`NoLongerOfferedError`) or that the account was closed elsewhere, the caller gets the screen that says so.

A step runs only with the proof that it needs (`menus.proof`). Where proof is missing, the caller is asked for it first;
right afterwards, in the same input, the step runs. A fresh proof serves one step.

A step that is done once has the idempotency key of the caller's intention, which the position carries (`menus.intentions`).
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, TypeAlias

from msgspec.structs import replace

from core.acting_channel import acting_on
from core.idempotency import channel_from_key
from core.typed_input import normalize_input
from core.validation import Invalid, Valid
from menus.intentions import (
    NEW_INTENTION,
    drop_intention,
    effect_key,
    end_intention,
    settle_intention,
    with_intention,
)
from menus.model import (
    Choice,
    Form,
    FormField,
    Goodbye,
    ListScreen,
    Menu,
    Navigation,
    OperatorPolicy,
    Outcome,
    Position,
    Question,
    Step,
    StepContext,
    Transition,
    VisibleScreen,
    number_options,
    with_facts,
    without_facts,
)
from menus.pending_acts import forget_abandoned_act, request_proof, store_proof, take_pending_act
from menus.proof import FRESH_PROOFS, Proof, find_missing_proof
from menus.rendering.paging import BACK_KEY, HOME_KEY, MORE_KEY
from menus.typed_choices import (
    find_field_choice,
    find_option,
    find_option_by_key,
    find_row_key,
    read_navigation_key,
)
from services.catalogue.models import NoLongerOfferedError

MAX_STEPS = 20
MAX_HISTORY = 20
ACCOUNT_CLOSED = "closed"
"""The reason for which a session ends when a step finds its account closed."""


NavigationStep: TypeAlias = Navigation | Transition


async def advance(menu: Menu, position: Position, text: str, context: StepContext) -> Navigation:
    """The position that an input leads to. The engine completes `context` before each step."""
    context = with_intention(context, position)
    return settle_intention(await _advance(menu, position, text, context), context)


async def _advance(menu: Menu, position: Position, text: str, context: StepContext) -> Navigation:
    if cut_off := await _end_if_over(menu, position, context):
        return cut_off
    try:
        step_result = _navigate(menu, position, normalize_input(text), context.today)
        if step_result.position.facts is not position.facts:
            await _save_form(menu, position, step_result.position, context)
        return forget_abandoned_act(menu, await _finish(menu, step_result, context))
    except NoLongerOfferedError:
        return _navigate_to_unavailable(menu, position)
    except _closed_account_errors(menu):
        return _navigate_to_session_end(menu, position, ACCOUNT_CLOSED)


def accepts(menu: Menu, position: Position, text: str, today: date) -> bool:
    """Whether the text is an input that the position accepts: an answer, back, home or the next page."""
    answer = normalize_input(text)
    if read_navigation_key(position, answer):
        return True
    with suppress(NoLongerOfferedError):
        return _screen_accepts(menu, position, answer, today)
    return False


def _screen_accepts(menu: Menu, position: Position, answer: str, today: date) -> bool:
    match screen := menu.visible_screen(position):
        case Choice():
            return find_option(menu, screen.name, answer, position.facts) is not None
        case ListScreen():
            return bool(find_row_key(menu, position, screen, answer))
        case Question():
            return bool(
                find_option_by_key(menu, screen.name, answer, position.facts)
                or isinstance(screen.validator(answer, today), Valid)
                or find_option(menu, screen.name, answer, position.facts)
            )
        case Form():
            fields = screen.fields(position.facts)[position.field_index : position.field_index + 1]
            return any(isinstance(_validate_field(field, answer, today), Valid) for field in fields)
        case Goodbye():
            return False


async def finish_transition(menu: Menu, transition: Transition, context: StepContext) -> Navigation:
    """The position that a transition leads to after its steps have run."""
    context = with_intention(context, transition.position)
    return settle_intention(await _finish_transition(menu, transition, context), context)


async def _finish_transition(menu: Menu, transition: Transition, context: StepContext) -> Navigation:
    if cut_off := await _end_if_over(menu, transition.position, context):
        return cut_off
    try:
        return forget_abandoned_act(menu, await _finish(menu, transition, context))
    except NoLongerOfferedError:
        return _navigate_to_unavailable(menu, transition.position)
    except _closed_account_errors(menu):
        return _navigate_to_session_end(menu, transition.position, ACCOUNT_CLOSED)


async def _run_steps(menu: Menu, transition: Transition, context: StepContext) -> Navigation:
    position, name, secrets, invalid = transition.position, transition.goto, transition.secrets, None
    proofs: frozenset[Proof] = frozenset()
    for _ in range(MAX_STEPS):
        screen = menu.resolve_screen(name, position.facts)
        if not isinstance(screen, Step):
            navigation = _enter_screen(menu, position, screen)
            if isinstance(navigation, Navigation):
                return _repeat_question(navigation, invalid) if invalid else navigation
            name = navigation.goto
            continue
        step_context = _context_with(context, position, secrets)
        if screen.needs:
            if request := await request_proof(menu, screen, position, proofs, step_context):
                position, name, secrets = request.position, request.goto, None
                continue
            proofs -= FRESH_PROOFS
        outcome = await _call_step(menu, screen, replace(step_context, effect=effect_key(screen, position, context)))
        if outcome.position is not None and outcome.position.screen in menu.screens:
            return await _end_if_over(menu, outcome.position, context) or Navigation(outcome.position)
        position, invalid = _leave_step(screen, _merge_outcome(position, outcome), context), outcome.invalid
        name = screen.outcomes[outcome.name]
        if outcome.proof:
            proofs |= {outcome.proof}
            position = store_proof(position, outcome.proof, vouched=context.caller_number_verified)
            if pending := take_pending_act(position):
                position, name, secrets = pending
    return Navigation(replace(position, screen=menu.stuck, page=0, field_index=0, has_more=False, ended=True))


def _leave_step(step: Step, position: Position, context: StepContext) -> Position:
    """The position after a step: what it committed is not gone back to, and what it did is not done again."""
    if step.is_done_once:
        position = end_intention(position, context)
    return replace(position, history=()) if step.commits else position


def _repeat_question(navigation: Navigation, invalid: Invalid) -> Navigation:
    """The question again, with the reason for the rejection; it is not added to its own history."""
    position, history = navigation.position, navigation.position.history
    if history and history[-1][0] == position.screen:
        position = replace(position, history=history[:-1])
    return Navigation(position, invalid)


def _call_step(menu: Menu, step: Step, context: StepContext) -> Awaitable[Outcome[str]]:
    """Run a step. While an operator acts, and where an intention of another channel is taken up, the audit log knows of it."""
    if menu.operator_policy and context.consent_id:
        return _call_step_as_operator(menu.operator_policy, step, context)
    if context.effect and channel_from_key(context.effect) != context.channel:
        return _call_step_on_channel(step, context)
    return step.run(context)


async def _call_step_on_channel(step: Step, context: StepContext) -> Outcome[str]:
    with acting_on(context.channel):
        return await step.run(context)


async def _call_step_as_operator(operator_policy: OperatorPolicy, step: Step, context: StepContext) -> Outcome[str]:
    with operator_policy.audit_context(context):
        return await step.run(context)


async def _end_if_over(menu: Menu, position: Position, context: StepContext) -> Navigation | None:
    """Where a caller goes whose consent or signed-in session has ended; None while it is valid, and for every other caller."""
    facts = position.facts
    if menu.operator_policy and facts.get("consent"):
        reason = await menu.operator_policy.end_reason(_context_with(context, position, None))
        if reason:
            return _navigate_to_consent_end(menu, menu.operator_policy, position, reason)
    if menu.session_policy and (facts.get("account") or facts.get("operator")):
        reason = await menu.session_policy.find_end(_context_with(context, position, None))
        if reason:
            return _navigate_to_session_end(menu, position, reason)
    return None


def _navigate_to_consent_end(menu: Menu, policy: OperatorPolicy, position: Position, reason: str) -> Navigation:
    """The last position of an operator whose citizen's consent has ended."""
    home = without_facts(home_position(menu, position), policy.forgotten_facts)
    facts = {**home.facts, "consent_over": reason}
    return Navigation(replace(home, screen=policy.ended_screen, facts=facts, ended=True, intention=NEW_INTENTION))


async def _finish(menu: Menu, step_result: NavigationStep, context: StepContext) -> Navigation:
    """The final position after a move, its form revalidated."""
    reached = step_result if isinstance(step_result, Navigation) else await _run_steps(menu, step_result, context)
    screen = menu.screens[reached.position.screen]
    return await _revalidate_form(menu, reached, screen, context) if isinstance(screen, Form) else reached


async def _revalidate_form(menu: Menu, navigation: Navigation, screen: Form, context: StepContext) -> Navigation:
    """The position on a form that may have lost questions meanwhile: at its first question, or past it where none are left."""
    position, fields = navigation.position, len(screen.fields(navigation.position.facts))
    if position.field_index < fields:
        return navigation
    if not fields:
        return await _run_steps(menu, Transition(position, screen.goto), context)
    return Navigation(replace(position, field_index=0, page=0, has_more=False), navigation.invalid)


async def _save_form(menu: Menu, previous: Position, current: Position, context: StepContext) -> None:
    """Call the form's `on_answer` if the input added an answer."""
    screen = menu.screens[previous.screen]
    if not isinstance(screen, Form) or screen.on_answer is None:
        return
    vouched = context.caller_number_verified
    if screen.needs and find_missing_proof(screen.needs, current.facts, frozenset(), vouched=vouched):
        return
    form = current.facts.get(screen.save_as)
    if form is not None and form is not previous.facts.get(screen.save_as):
        await screen.on_answer(_context_with(context, current, None))


def _navigate_to_unavailable(menu: Menu, position: Position) -> Navigation:
    home = home_position(menu, position)
    return Navigation(replace(home, screen=menu.unavailable, intention=NEW_INTENTION))


def _closed_account_errors(menu: Menu) -> tuple[type[Exception], ...]:
    return (menu.session_policy.error,) if menu.session_policy else ()


def _navigate_to_session_end(menu: Menu, position: Position, reason: str) -> Navigation:
    """Go home signed out, and show why."""
    policy = menu.session_policy
    assert policy  # nosec B101  # noqa: S101 - it gave the reason
    home = without_facts(home_position(menu, position), policy.forgotten_facts)
    return Navigation(replace(home, screen=policy.screens[reason], intention=NEW_INTENTION))


def _navigate(menu: Menu, position: Position, answer: str, today: date) -> NavigationStep:
    key = read_navigation_key(position, answer)
    if key == HOME_KEY:
        return _go_home(menu, position)
    if key == BACK_KEY:
        return _go_back(menu, position)
    if key == MORE_KEY:
        return Navigation(replace(position, page=position.page + (0 if position.is_partial else 1)))
    screen = menu.visible_screen(position)
    return _INPUT_HANDLERS[type(screen)](menu, position, screen, answer, today)


def _go_to(menu: Menu, position: Position, name: str, secrets: Mapping[str, Any] | None = None) -> NavigationStep:
    screen = menu.resolve_screen(name, position.facts)
    return Transition(position, name, secrets) if isinstance(screen, Step) else _enter_screen(menu, position, screen)


def home_position(menu: Menu, position: Position) -> Position:
    """The position at home: no history, and only the persistent facts."""
    facts = {key: fact for key, fact in position.facts.items() if key in menu.persistent_facts}
    home = menu.resolve_screen(menu.home, facts).name
    place = replace(position, screen=home, page=0, field_index=0, has_more=False, history=(), facts=facts, ended=False)
    return replace(place, intention=drop_intention(position.intention))


def _enter_screen(menu: Menu, position: Position, screen: VisibleScreen) -> NavigationStep:
    if isinstance(screen, ListScreen) and not screen.rows(position.facts):
        return Transition(position, screen.goto_if_empty)
    if isinstance(screen, Form) and not screen.fields(position.facts):
        return Transition(position, screen.goto)
    if screen.name == menu.resolve_screen(menu.home, position.facts).name:
        return Navigation(home_position(menu, position))
    entered = replace(position, screen=screen.name, page=0, field_index=0, has_more=False)
    return Navigation(replace(entered, ended=menu.ends_session(entered)))


def _context_with(context: StepContext, position: Position, secrets: Mapping[str, Any] | None) -> StepContext:
    facts = {**position.facts, **secrets} if secrets else position.facts
    return replace(context, language=position.language, facts=facts)


def _merge_outcome(position: Position, outcome: Outcome[str]) -> Position:
    if not outcome.facts and not outcome.language:
        return position
    return replace(position, facts={**position.facts, **outcome.facts}, language=outcome.language or position.language)


def _push_history(position: Position) -> Position:
    """The position with itself appended to its history."""
    here = (position.screen, position.field_index)
    if position.history and position.history[-1] == here:
        return position
    return replace(position, history=(*position.history, here)[-MAX_HISTORY:])


def _go_home(menu: Menu, position: Position) -> NavigationStep:
    return _go_to(menu, home_position(menu, position), menu.home)


def _go_back(menu: Menu, position: Position) -> NavigationStep:
    if position.page:
        return Navigation(replace(position, page=position.page - 1))
    if position.field_index:
        return Navigation(replace(position, field_index=position.field_index - 1, has_more=False))
    if not position.history:
        return _go_home(menu, position)
    name, item = position.history[-1]
    return Navigation(
        replace(
            position, screen=name, field_index=item, page=0, has_more=False, history=position.history[:-1], ended=False
        )
    )


def _answer_choice(menu: Menu, position: Position, screen: Choice, answer: str, _: date) -> NavigationStep:
    option = find_option(menu, screen.name, answer, position.facts)
    if option is None:
        return Navigation(position, _invalid_choice(list(menu.offered_options(screen.name, position.facts))))
    if screen.save_as:
        position = with_facts(position, **{screen.save_as: option.name})
    return _go_to(menu, _push_history(position), option.goto)


def _answer_list(menu: Menu, position: Position, screen: ListScreen, answer: str, today: date) -> NavigationStep:
    rows = screen.rows(position.facts)
    options = dict(number_options(screen.options, len(rows)))
    key = find_row_key(menu, position, screen, answer)
    if key in options:
        return _go_to(menu, _push_history(position), options[key].goto)
    if not key:
        return _answer_free_text(menu, position, screen, answer, today) or Navigation(
            position, _invalid_choice_up_to(len(rows) + len(options))
        )
    selected = with_facts(position, **{screen.save_as: rows[int(key) - 1][screen.save_as]})
    return _go_to(menu, _push_history(selected), screen.goto)


def _answer_free_text(
    menu: Menu, position: Position, screen: ListScreen, answer: str, today: date
) -> NavigationStep | None:
    """Where text typed at a list leads; None where the list takes no text, or rejects it."""
    result = screen.free_text.validator(answer, today) if screen.free_text else None
    if screen.free_text is None or not isinstance(result, Valid):
        return None
    return _go_to(menu, _push_history(position), screen.free_text.goto, {screen.free_text.save_as: result.value})


def _answer_question(menu: Menu, position: Position, screen: Question, answer: str, today: date) -> NavigationStep:
    if option := find_option_by_key(menu, screen.name, answer, position.facts):
        return _go_to(menu, _push_history(position), option.goto)
    result = screen.validator(answer, today)
    if isinstance(result, Invalid):
        option = find_option(menu, screen.name, answer, position.facts)
        return _go_to(menu, _push_history(position), option.goto) if option else Navigation(position, result)
    if screen.secret:
        return _go_to(menu, _push_history(position), screen.goto, {screen.save_as: result.value})
    remembered = with_facts(position, **{screen.save_as: result.value})
    return _go_to(menu, _push_history(remembered), screen.goto)


def _answer_form(menu: Menu, position: Position, screen: Form, answer: str, today: date) -> NavigationStep:
    fields = screen.fields(position.facts)
    if position.field_index >= len(fields):  # the form has fewer questions than before
        return _go_to(menu, position, screen.goto)
    result = _validate_field(fields[position.field_index], answer, today)
    if isinstance(result, Invalid):
        return Navigation(position, result)
    form = {**position.facts.get(screen.save_as, {}), fields[position.field_index].name: result.value}
    filled = with_facts(position, **{screen.save_as: form})
    if position.field_index + 1 < len(fields):
        return Navigation(replace(filled, field_index=position.field_index + 1, page=0, has_more=False))
    return _go_to(menu, _push_history(filled), screen.goto)


def _answer_goodbye(menu: Menu, position: Position, _: Goodbye, __: str, ___: date) -> NavigationStep:
    return _go_home(menu, position)


_INPUT_HANDLERS: Mapping[type[VisibleScreen], Callable[[Menu, Position, Any, str, date], NavigationStep]] = {
    Choice: _answer_choice,
    ListScreen: _answer_list,
    Question: _answer_question,
    Form: _answer_form,
    Goodbye: _answer_goodbye,
}


def _validate_field(field: FormField, answer: str, today: date) -> Valid | Invalid:
    if not field.choices:
        return field.validate(answer, today)
    code = find_field_choice(field, answer)
    return Valid(code) if code else _invalid_choice_up_to(len(field.choices))


def _invalid_choice_up_to(count: int) -> Invalid:
    return _invalid_choice([str(position) for position in range(1, count + 1)])


def _invalid_choice(keys: list[str]) -> Invalid:
    if len(keys) <= 1:
        return Invalid("not_the_option", {"key": keys[0] if keys else BACK_KEY})
    keys = sorted(keys, key=int)
    if [int(key) for key in keys] == list(range(int(keys[0]), int(keys[-1]) + 1)):
        return Invalid("not_an_option", {"first": keys[0], "last": keys[-1]})
    return Invalid("not_one_of", {"keys": ", ".join(keys)})
