"""The settings of the section `[dlt]`: what operators of India must know of every SMS."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from config.section import Section
from core.message_kinds import MessageKind

HeaderKind: TypeAlias = MessageKind | Literal["default"]


def _check_id(text: str) -> str:
    if text and not re.fullmatch(r"[0-9]{19}", text):
        raise _error("this is not an id of DLT", "write the 19 digits that the portal shows, in quotes")
    return text


def _check_header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{6}", text):
        raise _error(f"{text!r} is not a header", "write the six letters or digits that are registered")
    return text


def _check_template_name(text: str) -> str:
    if not re.fullmatch(r"[a-z_]+(-[a-z_+]+)*\.[a-z]+(_Latn)?", text):
        raise _error(f"{text!r} is not the name of a text", "copy it from python server.py messages templates")
    return text


def _error(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("plain", "{problem}; {fix}", {"problem": problem, "fix": fix})


DltId = Annotated[str, AfterValidator(_check_id)]
DltHeader = Annotated[str, AfterValidator(_check_header)]
TemplateName = Annotated[str, AfterValidator(_check_template_name)]


class DltSettings(Section):
    """The registered entity, headers and texts. `menus`: whether screens of conversations are sent, which no text is registered for."""

    entity: DltId = ""
    menus: bool = False
    headers: Mapping[HeaderKind, DltHeader] = Field(default_factory=dict)
    templates: Mapping[TemplateName, DltId] = Field(default_factory=dict)
