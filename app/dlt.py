"""What is registered with the operators of India, from the settings."""

from config.settings import Settings
from providers.registry import list_providers
from services.messaging.dlt import DltRegistry


def build_dlt_registry(settings: Settings) -> DltRegistry:
    """Return the entity, headers and texts of `[dlt]`."""
    dlt = settings.dlt
    return DltRegistry(
        entity=dlt.entity,
        headers={str(kind): header for kind, header in dlt.headers.items()},
        templates=dlt.templates,
        sends_menus=dlt.menus,
    )


def find_dlt_registry(settings: Settings, provider: str) -> DltRegistry | None:
    """Return it for a provider that sends to India with these ids; None for another one, and where no entity is set.

    Without an entity nothing can be registered: SMS to India then are as good as the provider's other SMS abroad.
    """
    return build_dlt_registry(settings) if settings.dlt.entity and needs_dlt(settings, provider) else None


def needs_dlt(settings: Settings, provider: str) -> bool:
    """Return whether this provider sends to India with the ids of `[dlt]`."""
    return any(entry.needs_dlt for entry in list_providers(settings) if entry.name == provider)
