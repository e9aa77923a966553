"""Load the settings of the gateway, with the table of every provider in `providers.registry`."""

from collections.abc import Mapping
from pathlib import Path

from config import loader
from config.settings import Settings
from core.errors import ValidationFailedError
from providers.registry import SETTINGS_MODELS, find_providers_without_sms, find_providers_without_ussd


def load_settings(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the file at `path`, overridden by `environment` (default: that of the process).

    Raises:
        ValidationFailedError: The file is missing or not TOML, or a setting is invalid.
    """
    settings = loader.load_settings(path, environment, provider_models=SETTINGS_MODELS)
    if problems := (*find_providers_without_sms(settings), *find_providers_without_ussd(settings)):
        raise ValidationFailedError(problems)
    return settings
