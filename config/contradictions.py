"""Find settings that are valid one by one and cannot hold together."""

from collections.abc import Iterator, Mapping

from config.key_checks import check_former_secrets
from config.server import ServerSettings
from config.settings import (
    Contradiction,
    LanguageSettings,
    MailSettings,
    Settings,
    WebhookSettings,
)
from config.sms import SANDBOX
from config.sms_checks import check_sms
from config.systems import DarajaSettings, DepartmentSettings, DocumentSettings, PaymentSettings
from config.types import MEMORY_URL, find_weakness

GENERATE_SECRET = "python server.py keys generate-secret prints a fresh one"  # nosec B105  # noqa: S105 - a command


def find_contradictions(settings: Settings) -> Iterator[Contradiction]:
    """Yield each contradiction of the settings: key path, problem, fix."""
    providers = {name: getattr(settings.providers, name) for name in type(settings.providers).model_fields}
    senders = {SANDBOX, *(name for section in providers.values() for name in section.sms_provider_names())}
    yield from check_sms(settings, senders)
    for section in providers.values():
        yield from section.find_contradictions(settings)
    yield from settings.retention.find_contradictions()
    if settings.dlt.templates and not settings.dlt.entity:
        yield ("dlt", "entity"), "the registered texts have no entity", "write its 19 digits"
    yield from _check_signs_of_use(settings)
    if settings.redis.cluster and settings.redis.is_embedded:
        yield (
            ("redis", "cluster"),
            f"{MEMORY_URL} is not a cluster",
            "give one of the cluster's addresses in redis.url, or write false",
        )
    yield from _check_mail(settings.mail, settings.server)
    yield from _check_document_issuer(settings.documents)
    yield from _check_wallet(settings.payments, settings.server)
    yield from _check_departments(settings.departments)
    yield from _check_languages(settings.languages)
    yield from _check_secret(settings)
    yield from check_former_secrets(settings)
    yield from _check_webhook_tokens(settings.webhooks)
    server = settings.server
    if server.port and (server.host, server.port) == (server.admin_host, server.admin_port):
        yield ("server", "admin_port"), "server.port is the same", "write another port"
    if settings.is_public and set(settings.sms.providers) <= senders:
        yield from _check_public_gateway(settings)


def _check_mail(mail: MailSettings, server: ServerSettings) -> Iterator[Contradiction]:
    if mail.host and not mail.sender:
        yield ("mail", "host"), "mail needs a sender", "set mail.sender"
    if mail.host and mail.security == "none" and not mail.is_loopback:
        yield (
            ("mail", "security"),
            "the data of citizens and the password would be sent without encryption",
            "write starttls or tls",
        )
    if mail.host and not mail.is_loopback and not server.public_url:
        yield (
            ("mail", "host"),
            f"links in e-mail would begin with {server.url}, which nobody else can open",
            "write the https:// address that leads here in server.public_url",
        )


def _check_document_issuer(documents: DocumentSettings) -> Iterator[Contradiction]:
    if documents.issuer == "digilocker" and not documents.client_id:
        yield (
            ("documents", "client_id"),
            "DigiLocker answers partners only",
            "give our client id, or set issuer to sandbox",
        )
    if documents.issuer == "digilocker" and not documents.client_secret.get_secret_value():
        yield ("documents", "client_secret"), "requests for documents need it", "give the partner's secret"


def _check_departments(departments: Mapping[str, DepartmentSettings]) -> Iterator[Contradiction]:
    for code, connector in departments.items():
        key_path = ("departments", code)
        if not connector.url:
            yield (*key_path, "url"), "deliveries need it", "write the https:// address of the system"
        if not connector.token.get_secret_value() and not connector.signing_secrets:
            yield key_path, "the system cannot authenticate us", "give a token, a secret, or both"
        if connector.previous_secret.get_secret_value() and not connector.secret.get_secret_value():
            yield (*key_path, "previous_secret"), "there is no newer secret", "write this one as secret"


def _check_wallet(payments: PaymentSettings, server: ServerSettings) -> Iterator[Contradiction]:
    for code, biller in payments.billers.items():
        if not biller.url or not biller.key.get_secret_value():
            problem = "requests need its address and our key"
            yield ("payments", "billers", code), problem, "give url and key, or leave it out"
    if payments.bkash.enabled and not payments.bkash.topics:
        remedy = "write the TopicArn that bKash gives you into topics, or set it to false"
        yield ("payments", "bkash", "enabled"), "no message would be accepted, as topics is empty", remedy
    if payments.wallet == "daraja":
        yield from _check_daraja(payments.daraja, server)


def _check_daraja(daraja: DarajaSettings, server: ServerSettings) -> Iterator[Contradiction]:
    for key in ("consumer_key", "consumer_secret", "passkey"):
        if not getattr(daraja, key).get_secret_value():
            yield ("payments", "daraja", key), "M-Pesa requests need it", "give it, or set wallet to none"
    if not daraja.short_code.isdecimal():
        yield ("payments", "daraja", "short_code"), "this is not a pay bill number", "write its digits, such as 174379"
    if daraja.till and not daraja.till.isdecimal():
        yield ("payments", "daraja", "till"), "this is not a till number", "write its digits, or leave it empty"
    if daraja.c2b and daraja.till:
        yield ("payments", "daraja", "c2b"), "a till takes no account number", "leave till empty, or set c2b to false"
    if not server.public_url:
        problem = f"M-Pesa would post callbacks to {server.url}, which it cannot reach"
        yield ("server", "public_url"), problem, "write the https:// address that leads here"


def _check_languages(languages: LanguageSettings) -> Iterator[Contradiction]:
    if languages.default not in languages.offered:
        yield ("languages", "default"), f"{languages.default} is not offered", "choose one of languages.offered"
    if len(set(languages.offered)) < len(languages.offered):
        yield ("languages", "offered"), "a language is offered twice", "name each once"


def _check_secret(settings: Settings) -> Iterator[Contradiction]:
    secret = settings.keys.secret.get_secret_value()
    if secret and (weakness := find_weakness(secret)):
        yield ("keys", "secret"), *weakness
    if not secret and not settings.redis.is_embedded:
        yield (
            ("keys", "secret"),
            f"it is empty, which is for a gateway with {MEMORY_URL} only",
            f"give one: {GENERATE_SECRET}",
        )


def _check_webhook_tokens(webhooks: WebhookSettings) -> Iterator[Contradiction]:
    for number, token in enumerate(webhooks.secret_tokens):
        if weakness := find_weakness(token):
            yield ("webhooks", "tokens", str(number)), *weakness


def _check_public_gateway(settings: Settings) -> Iterator[Contradiction]:
    """Yield what would let strangers in where they can reach the gateway, or its messages reach citizens."""
    server = settings.server
    if not settings.webhooks.tokens:
        yield (
            ("webhooks", "tokens"),
            f"{_describe_exposure(settings)}, and would accept webhooks from anyone",
            f"give a token: {GENERATE_SECRET}",
        )
    if not settings.keys.secret.get_secret_value() and settings.redis.is_embedded:
        yield (
            ("keys", "secret"),
            f"{_describe_exposure(settings)}, and its secret would be in {server.data_dir}, beside the data",
            f"give one: {GENERATE_SECRET}",
        )
    if settings.simulator.enabled is True:
        yield (
            ("simulator", "enabled"),
            f"{_describe_exposure(settings)}, and the simulator would show citizens' SMS to anyone",
            "write auto or false",
        )
    if server.public_url.startswith("http://"):
        yield (
            ("server", "public_url"),
            "tokens, PINs and links to documents would be sent without encryption",
            "write an address that begins with https://",
        )
    if server.public_url and not settings.webhooks.trusted_proxies:
        yield (
            ("webhooks", "trusted_proxies"),
            "server.public_url leads here through a proxy, and everybody would have the proxy's address",
            'write the addresses of your proxies, such as ["127.0.0.1", "::1"]',
        )


def _describe_exposure(settings: Settings) -> str:
    """The first reason for which the gateway is public."""
    if not settings.server.is_loopback:
        return f"the gateway would listen on {settings.server.host or 'every address'}"
    if settings.server.public_url:
        return "the gateway would be reached from outside by server.public_url"
    return f"the gateway would send SMS by {next(name for name in settings.sms.providers if name != SANDBOX)}"


def _check_signs_of_use(settings: Settings) -> Iterator[Contradiction]:
    """Records that show that a number is in use must last until its silence is measured."""
    silence = settings.accounts.release_after_days
    for name in ("missed_calls", "consents"):
        if settings.retention.days()[name] < silence:
            problem = "this is less than accounts.release_after_days: a number in use would seem silent"
            yield ("retention", name), problem, f"write {silence} or more"
