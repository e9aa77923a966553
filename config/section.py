"""The base class of every table of config.toml."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table of config.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
