"""What `server.py check` tells editors although nothing is wrong."""

from dataclasses import replace

from app.editor_notes import list_notes
from services.catalogue.loader import load_catalogue
from tests.support.phone import build_settings

CATALOGUE = load_catalogue()


def list_name_notes(tmp_path, catalogue, *, verbose=False):
    notes = list_notes(build_settings(tmp_path), catalogue, {}, (), verbose=verbose)
    return [note for note in notes if "short name" in note]


def test_the_fields_without_a_short_name_are_told(tmp_path):
    service = CATALOGUE.services["birth_certificate"]
    fields = tuple(replace(field, names={}) for field in service.fields)
    nameless = replace(CATALOGUE, services={"birth_certificate": replace(service, fields=fields)})

    [note] = list_name_notes(tmp_path, nameless)
    assert note.startswith(f"{len(fields)} fields have no short name (names)")
    assert note.endswith("birth_certificate.fields.sex, …")
    assert list_name_notes(tmp_path, nameless, verbose=True)[0].endswith("birth_certificate.fields.father")
    assert list_name_notes(tmp_path, CATALOGUE) == []
