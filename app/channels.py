"""Build the routes of every channel: USSD, SMS and voice of every provider, and the simulator."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import structlog
from aiohttp import web

from app.context import AppContext
from app.dlt import find_dlt_registry
from app.localization import (
    build_calendar,
    build_default_language_lookup,
    build_languages_by_prefix,
    build_time_formatter,
    replace_not_offered,
)
from app.texts import build_sms_renderer
from config.settings import NetworkSettings, Settings
from config.sms import SANDBOX
from core.http.fast_router import FAST_PATHS
from core.metrics import CounterExporter, CounterSpec
from core.phone_numbers import build_supported_number_check
from core.rate_limit import DailyQuota, FallbackWindowCounter, LocalWindowCounter, RedisWindowCounter
from menus.public_screens import PUBLIC_SCREENS
from menus.rendering import localization
from menus.rendering.localization import Locale
from menus.rendering.paging import ScreenBudget
from menus.rendering.renderer import Renderer
from menus.rendering.sms_texts import build_sms_locales
from providers import africastalking
from providers.registry import providers_in_use, sms_entries
from providers.sandbox.sms import SandboxSmsProvider
from services.messaging.inbound import InboundSmsRepository
from services.messaging.kinds import MessageKind
from services.messaging.missed_calls import AnswerCooldown
from services.messaging.models import Message
from services.messaging.opt_outs import OptOuts
from services.messaging.unparsed_webhooks import UnparsedWebhooks
from sessions.message_turns import ConversationHandler
from sessions.path_turns import UssdSessionHandler
from sessions.shared_deadline import SharedDeadline
from sms import routes as sms_routes
from sms.conversation import CHANNEL, SmsConversations, TakesReplies
from sms.conversation_size import SegmentLimit
from sms.inbound_handler import InboundSmsHandler
from sms.inbound_worker import InboundWorker
from sms.language_hint import build_language_hint
from sms.loop_guard import LoopGuard
from sms.metrics import InboundMetrics
from ussd import routes as ussd_routes
from ussd.admission import Admission
from ussd.hidden_numbers import HiddenNumberHandler
from ussd.metrics import UssdMetrics
from ussd.newest_input import NewestInputHandler
from ussd.provider import ConnectedUssdProvider, ShortCodeConfig
from ussd.refusals import BusyReplies
from voice import routes as voice_routes
from voice.deduplication import CallDeduplicator
from voice.missed_calls import (
    ANSWERED_CALLS_KEY,
    UNSUPPORTED_COUNTRY_KEY,
    Action,
    MenuSender,
    MissedCallHandler,
    MissedCallNumber,
    SendAnswer,
    UnsupportedCountryReply,
)
from web.simulator.network import SimulatedNetwork
from web.simulator.routes import SimulatorSettings, add_routes
from web.simulator.wires import ProviderWire

SIMULATED_PROVIDER: Final = africastalking.ENTRY.name

log = structlog.get_logger()


def add_channels(
    app: web.Application,
    context: AppContext,
    *,
    admission: Admission,
    worker: InboundWorker,
    menu_sender: MenuSender,
) -> None:
    """Add the webhooks of every provider in use, and the simulator where it is enabled.

    The paths of USSD key presses are dispatched directly, without aiohttp's router.
    """
    add_ussd(app, context, admission)
    app.add_routes(build_sms_routes(context, worker))
    app.add_routes(build_voice_routes(context, menu_sender))
    add_simulator(app, context)


def add_ussd(app: web.Application, context: AppContext, admission: Admission) -> None:
    """Add the USSD webhooks of every provider in use. Replies that are being pushed at a stop are finished."""
    handler = build_ussd_handler(context, admission)
    settings = context.settings
    providers = [
        entry.build_ussd(settings, build_short_code_config(settings, entry.name))
        for entry in providers_in_use(settings)
        if entry.build_ussd
    ]
    for provider in providers:
        app.add_routes(ussd_routes.routes(provider, handler, context.webhook_guard))
        if isinstance(provider, ConnectedUssdProvider):
            app.cleanup_ctx.append(_keep_connected(provider))
    app[FAST_PATHS] = frozenset(ussd_routes.webhook_path(it) for it in providers if ussd_routes.is_fast_path(it))

    async def finish_pushes(_: web.Application) -> None:
        await handler.finish_pushes()

    app.on_shutdown.append(finish_pushes)

    async def measure_delays(_: web.Application) -> AsyncIterator[None]:
        async with admission.measuring():
            yield

    app.cleanup_ctx.append(measure_delays)


def _keep_connected(provider: ConnectedUssdProvider) -> Callable[[web.Application], AsyncIterator[None]]:
    async def keep_connected(_: web.Application) -> AsyncIterator[None]:
        async with provider.connections():
            yield

    return keep_connected


def build_ussd_handler(context: AppContext, admission: Admission) -> ussd_routes.UssdHandler:
    """The handler of the key presses of every provider."""
    settings, checked_menu = context.settings, context.checked_menu
    menu, find_language = checked_menu.menu, checked_menu.services.caller_activity.find_language_choice
    spoken = replace_not_offered(checked_menu.locales, settings.languages)
    renderer = Renderer(menu, localization.build_screen_locales(spoken))
    default_language_of = build_default_language_lookup(settings)
    is_supported_number = build_supported_number_check(settings.countries.allowed)
    today, deadline = build_calendar(settings), SharedDeadline(settings.ussd.deadline)
    count_move = checked_menu.services.move_counter.count
    path_sessions = UssdSessionHandler(
        sessions=context.resources.store.sessions,
        menu=menu,
        renderer=renderer,
        find_language=find_language,
        is_supported_number=is_supported_number,
        remember_offer=checked_menu.services.accounts.languages.remember_offer,
        today=today,
        default_language_of=default_language_of,
        count_move=count_move,
        ended_reply_ttl=settings.ussd.ended_reply_ttl,
        session_ttl=settings.ussd.session_ttl,
        deadline=deadline,
    )
    description = (
        "USSD sessions of providers that send the whole path, by how they began: `replayed` where the store lost one."
    )
    spec = CounterSpec("ekdial_ussd_sessions", description, "start", path_sessions.start_counts)
    CounterExporter(context.registry, spec)
    inputs = NewestInputHandler(
        sessions=context.resources.store.sessions,
        open_calls=checked_menu.services.open_calls,
        menu=menu,
        renderer=renderer,
        today=today,
        ended_reply_ttl=settings.ussd.ended_reply_ttl,
        session_ttl=settings.ussd.session_ttl,
        find_language=find_language,
        is_supported_number=is_supported_number,
        default_language_of=default_language_of,
        count_move=count_move,
        deadline=deadline,
    )
    hidden_numbers = build_hidden_number_handler(context, spoken, inputs)
    busy_replies = BusyReplies(
        renderer, languages=build_languages_by_prefix(settings), default_language=settings.languages.default
    )
    return ussd_routes.UssdHandler(
        path_sessions=path_sessions,
        inputs=inputs,
        hidden_numbers=hidden_numbers,
        admission=admission,
        busy_replies=busy_replies,
        deadline=settings.ussd.deadline,
        metrics=UssdMetrics(context.registry, admission, context.hops),
        live_sessions=context.live_sessions,
        on_call_ended=checked_menu.services.payments.payments.push_after_call,
        note_network=checked_menu.services.caller_activity.note_network,
    )


def build_hidden_number_handler(
    context: AppContext, spoken: Mapping[str, Locale], inputs: NewestInputHandler
) -> HiddenNumberHandler:
    """The handler of callers whose network hides their number: what is public, until they give it."""
    settings, sessions = context.settings, context.resources.store.sessions
    menu = context.checked_menu.menu.restrict(PUBLIC_SCREENS)
    browsing = ConversationHandler(
        sessions=sessions,
        menu=menu,
        renderer=Renderer(menu, localization.build_screen_locales(spoken)),
        today=build_calendar(settings),
        conversation_ttl=settings.ussd.session_ttl,
        count_move=context.checked_menu.services.move_counter.count,
    )
    return HiddenNumberHandler(
        links=context.checked_menu.services.hidden_numbers,
        sessions=sessions,
        answer_known=inputs.handle,
        browsing=browsing,
        default_language_of=inputs.default_language_of,
        is_supported_number=inputs.is_supported_number,
        session_ttl=settings.ussd.session_ttl,
        deadline=inputs.deadline,
    )


def build_short_code_config(settings: Settings, provider: str) -> ShortCodeConfig:
    """Our short codes at a provider and the screen budget of each network, from the section `[ussd]`."""
    ussd = settings.ussd
    budget = ScreenBudget(ussd.screen_septets, ussd.screen_units, ussd.unicode)
    networks = {code: _build_network_budget(network, budget) for code, network in ussd.networks.items()}
    return ShortCodeConfig(ussd.find_service_codes(provider), budget, networks, ussd.caller_number_verified)


def _build_network_budget(network: NetworkSettings, default: ScreenBudget) -> ScreenBudget:
    return ScreenBudget(
        network.screen_septets or default.septets,
        network.screen_units or default.units,
        default.unicode if network.unicode is None else network.unicode,
    )


def build_conversations(context: AppContext) -> SmsConversations:
    """The menus by SMS, without the options that send a text by SMS."""
    settings, conversation = context.settings, context.checked_menu
    menu, services = conversation.menu.for_channel(CHANNEL), conversation.services
    spoken = replace_not_offered(conversation.locales, settings.languages)

    async def find_size_limit(msisdn: str) -> SegmentLimit:
        return SegmentLimit(settings.sms.screen_segments, unicode=not await services.contacts.prefers_latin(msisdn))

    handler = ConversationHandler(
        sessions=context.resources.store.sessions,
        menu=menu,
        renderer=Renderer(menu, build_sms_locales(spoken, menu)),
        today=build_calendar(settings),
        conversation_ttl=settings.sms.conversation_ttl,
        find_size_limit=find_size_limit,
        end_open_call=services.open_calls.end,
        count_move=services.move_counter.count,
    )
    return SmsConversations(
        handler=handler,
        size_limit=SegmentLimit(settings.sms.screen_segments),
        messages=services.messages,
        find_language=services.contacts.get_language,
        render_text=build_sms_renderer(conversation.locales, settings),
        takes_replies=build_reply_check(context),
    )


def build_reply_check(context: AppContext) -> TakesReplies:
    """Return whether a reply of a number to our SMS of a kind reaches us, by the route that carries it.

    A provider that this process does not open takes replies, unless its row or the route says otherwise.
    """
    find_route, providers = context.checked_menu.services.messages.find_route, context.sms_providers
    one_way = {
        entry.name
        for entry in sms_entries(context.settings)
        if entry.receives_replies and not entry.receives_replies(context.settings)
    } | {name for name, provider in providers.items() if not provider.receives_replies}
    needs_registered_text = build_registration_check(context)

    async def takes_replies(msisdn: str, kind: MessageKind) -> bool:
        if await needs_registered_text(msisdn, kind):
            return False
        route = await find_route(msisdn, kind)
        return not route.is_one_way and (bool(route.sender) or route.provider not in one_way)

    return takes_replies


def build_registration_check(context: AppContext) -> TakesReplies:
    """Return whether an SMS of a kind reaches a number only with a registered text, so that no screen of a menu does."""
    settings, find_route = context.settings, context.checked_menu.services.messages.find_route
    registries = {name: find_dlt_registry(settings, name) for name in settings.sms.providers}

    async def needs_registered_text(msisdn: str, kind: MessageKind) -> bool:
        if settings.dlt.menus or not any(registry and registry.applies_to(msisdn) for registry in registries.values()):
            return False
        return registries[(await find_route(msisdn, kind)).provider] is not None

    return needs_registered_text


def build_inbound_worker(context: AppContext, conversations: SmsConversations) -> InboundWorker:
    """The worker that records every inbound SMS and answers it."""
    resources = context.resources
    inbound = InboundSmsRepository(resources.database, context.checked_menu.services.messages, resources.cipher)
    return InboundWorker(
        repository=inbound,
        handler=build_inbound_handler(context, conversations, inbound),
        metrics=InboundMetrics(context.hops, context.settings.sms.providers, africastalking.ENTRY.name),
    )


def build_inbound_handler(
    context: AppContext, conversations: SmsConversations, inbound: InboundSmsRepository
) -> InboundSmsHandler:
    """The handler of inbound SMS."""
    settings, services, resources = context.settings, context.checked_menu.services, context.resources
    counter = FallbackWindowCounter(RedisWindowCounter(resources.store.client), LocalWindowCounter())
    needs_registered_text = build_registration_check(context)
    return InboundSmsHandler(
        conversations=conversations,
        loop_guard=LoopGuard(counter, resources.cipher.keyed_hash),
        sms_limiter=services.unverified_sms,
        opt_outs=services.opt_outs,
        render_text=build_sms_renderer(context.checked_menu.locales, settings),
        is_repeat=inbound.is_repeat,
        is_supported_number=build_supported_number_check(settings.countries.allowed),
        is_service_name=services.current_catalogue.is_service_name,
        find_language=services.contacts.reply_language_if_known,
        remember_script=services.contacts.remember_script,
        send_app_links=services.app_links.send,
        end_consents=services.consents.revoke_by_citizen,
        cancel_recovery=services.accounts.cancel_recovery,
        format_time=build_time_formatter(settings),
        build_language_hint=lambda language, reply: build_language_hint(
            language, reply, settings.languages.offered, conversations.size_limit
        ),
        needs_registered_text=lambda msisdn: needs_registered_text(msisdn, "reply"),
        send_status=services.application_status.send_status,
        default_language_of=build_default_language_lookup(settings),
        offered_languages=settings.languages.offered,
    )


def build_sms_routes(context: AppContext, inbound_worker: InboundWorker) -> list[web.RouteDef]:
    """The SMS webhooks of every provider in use: inbound SMS, delivery reports, opt-outs. Unparsed webhooks are stored."""
    resources = context.resources
    opt_outs = OptOuts(resources.database)

    async def record_opt_out(msisdn: str) -> None:
        await opt_outs.opt_out(msisdn, "provider")

    handlers = sms_routes.WebhookHandlers(
        record_report=context.checked_menu.services.messages.record_report,
        record_opt_out=record_opt_out,
        receive_sms=inbound_worker.receive,
        store_unparsed=UnparsedWebhooks(resources.database, resources.cipher).record,
        keyed_hash=resources.cipher.keyed_hash,
        find_hidden_number=context.checked_menu.services.hidden_numbers.find,
    )
    builders = [entry.build_sms_webhooks for entry in providers_in_use(context.settings) if entry.build_sms_webhooks]
    return [
        route
        for build in builders
        for route in sms_routes.routes(build(context.settings), context.webhook_guard, handlers)
    ]


def build_voice_routes(context: AppContext, menu_sender: MenuSender) -> list[web.RouteDef]:
    """The voice webhooks of every provider in use; `menu_sender` sends the menu to callers who ask for it."""
    handler = _build_missed_call_handler(context, menu_sender)
    builders = [entry.build_voice for entry in providers_in_use(context.settings) if entry.build_voice]
    return [
        route
        for build in builders
        for route in voice_routes.routes(build(context.settings), handler, context.webhook_guard, context.hops)
    ]


def _build_missed_call_handler(context: AppContext, menu_sender: MenuSender) -> MissedCallHandler:
    settings, resources = context.settings, context.resources
    return MissedCallHandler(
        _build_missed_call_numbers(context, menu_sender),
        build_supported_number_check(settings.countries.allowed),
        context.checked_menu.services.contacts,
        cooldown=AnswerCooldown(
            resources.database, resources.cipher, timedelta(seconds=settings.missed_calls.cool_down)
        ),
        deduplicator=CallDeduplicator(resources.store.client, resources.cipher.keyed_hash),
        quota=DailyQuota(resources.store.client, settings.missed_calls.daily_limit, ANSWERED_CALLS_KEY),
        try_take_sms=context.checked_menu.services.unverified_sms.try_take,
        unsupported_country_reply=_build_unsupported_country_reply(context),
    )


def _build_unsupported_country_reply(context: AppContext) -> UnsupportedCountryReply:
    settings, resources = context.settings, context.resources
    messages, render_text = (
        context.checked_menu.services.messages,
        build_sms_renderer(context.checked_menu.locales, settings),
    )

    async def send_reply(msisdn: str, language: str, idempotency_key: str) -> None:
        await messages.send(Message(msisdn, render_text(language, "abroad", {}), "link", idempotency_key))

    quota = DailyQuota(
        resources.store.client, settings.missed_calls.unsupported_country_daily_limit, UNSUPPORTED_COUNTRY_KEY
    )
    return UnsupportedCountryReply(
        send_reply, AnswerCooldown(resources.database, resources.cipher, timedelta(days=1)), quota
    )


def _build_missed_call_numbers(context: AppContext, menu_sender: MenuSender) -> Mapping[str, MissedCallNumber]:
    """Each of our numbers with the action that answers a missed call to it."""
    services = context.checked_menu.services

    async def send_main_menu(msisdn: str, _: str, idempotency_key: str) -> None:
        await menu_sender.send_main_menu(msisdn, idempotency_key)

    answers: Mapping[Action, SendAnswer] = {
        "download_link": services.app_links.send,
        "latest_status": services.application_status.send_latest,
        "call_back_menu": send_main_menu,
    }
    numbers = context.settings.missed_calls.numbers
    default = context.sms_providers.get(context.settings.sms.provider)
    if "call_back_menu" in numbers.values() and default and not default.receives_replies:
        log.warning("menu_replies_do_not_arrive", provider=default.name)
    return {number: MissedCallNumber(action, answers[action]) for number, action in numbers.items()}


def add_simulator(app: web.Application, context: AppContext) -> None:
    """Add the simulator if it is enabled and SMS are sent by the sandbox."""
    sandbox = context.sms_providers.get(SANDBOX)
    if context.settings.is_simulator_enabled and isinstance(sandbox, SandboxSmsProvider):
        add_routes(
            app,
            _build_simulator_settings(context.settings),
            sandbox,
            context.checked_menu.services.payments.sandbox_wallet,
            wires=_build_wires(context.settings),
        )


def _build_wires(settings: Settings) -> Sequence[ProviderWire]:
    """The wires of every provider in use that has one."""
    return [
        entry.build_wire(settings, build_short_code_config(settings, entry.name))
        for entry in providers_in_use(settings)
        if entry.build_wire
    ]


def _build_simulator_settings(settings: Settings) -> SimulatorSettings:
    """The simulator posts to the webhooks of the provider whose wire format it speaks."""
    ussd, sms = f"/ussd/{SIMULATED_PROVIDER}", f"/sms/{SIMULATED_PROVIDER}"
    return SimulatorSettings(
        callback=ussd,
        events=f"{ussd}/events",
        inbound=sms,
        delivery=f"{sms}/delivery",
        voice=f"/voice/{SIMULATED_PROVIDER}",
        service_code=settings.ussd.find_service_codes(SIMULATED_PROVIDER)[0],
        networks=_build_networks(settings),
        sms_code=settings.sms.short_code,
        missed_calls=settings.missed_calls.numbers,
        languages=settings.languages.offered,
        token=settings.webhooks.first_token,
    )


def _build_networks(settings: Settings) -> tuple[SimulatedNetwork, ...]:
    """The sandbox's network, Grameenphone and Safaricom with the default budget, and the networks of the settings."""
    config = build_short_code_config(settings, SIMULATED_PROVIDER)
    budgets = {
        "99999": config.default_budget,
        "47001": config.default_budget,
        "63902": config.default_budget,
        **config.network_budgets,
    }
    return tuple(
        SimulatedNetwork(code, "", budget.unicode, budget.septets, budget.units) for code, budget in budgets.items()
    )
