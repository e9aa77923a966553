"""Every target by its name."""

from collections.abc import Callable, Mapping

from tests.fuzz import sms_rows
from tests.fuzz.callbacks import check_callback, check_json_callback, random_body, random_json
from tests.fuzz.files import changes, check_file
from tests.fuzz.pdus import check_pdus, random_pdus
from tests.fuzz.screens import check_screen, screens
from tests.fuzz.targets import InputTarget, StructureTarget, Target
from tests.fuzz.texts import check_keyword, check_segments, random_long_text, random_text
from tests.fuzz.walk.target import WalkTarget

TARGETS: Mapping[str, Callable[[], Target]] = {
    "keywords": lambda: InputTarget(make=random_text, check=check_keyword),
    "segments": lambda: InputTarget(make=random_long_text, check=check_segments),
    "callbacks": lambda: InputTarget(make=random_body, check=check_callback),
    "json": lambda: InputTarget(make=random_json, check=check_json_callback),
    "pdus": lambda: InputTarget(make=random_pdus, check=check_pdus),
    "sms_rows": lambda: InputTarget(make=sms_rows.random_body, check=sms_rows.check_body),
    "screens": lambda: StructureTarget(strategy=screens, check=check_screen),
    "config": lambda: StructureTarget(strategy=lambda: changes("config"), check=check_file),
    "catalogue": lambda: StructureTarget(strategy=lambda: changes("catalogue", "centres"), check=check_file),
    "walk": WalkTarget,
}
