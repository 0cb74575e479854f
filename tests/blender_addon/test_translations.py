"""Other languages: every text that is translated is one of ours, and Blender shows it."""

from __future__ import annotations

import ast
import string

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.translations import LANGUAGES  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

ENGLISH = sorted(set().union(*LANGUAGES.values()))


def texts_in_the_source() -> set[str]:
    """Every text that stands in the add-on or comes from the core's progress."""
    found = set()
    for folder in ("blender_addon", "core/fit"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            if path.name != "translations.py":
                nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                found |= {
                    node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
                }
    return found


@pytest.fixture
def addon(scene):
    blender_addon.register()
    yield
    blender_addon.unregister()


def test_every_translated_text_is_still_in_use():
    assert set(ENGLISH) - texts_in_the_source() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_put_in_is_put_in_in_every_language(language):
    def places(text: str) -> list[tuple]:
        return [
            (name, form, conversion) for _, name, form, conversion in string.Formatter().parse(text) if name is not None
        ]

    assert {english: places(text) for english, text in LANGUAGES[language].items()} == {
        english: places(english) for english in LANGUAGES[language]
    }


def test_the_texts_of_boxes_1_to_3_are_all_translated(addon):
    names = set()
    settings = bpy.context.scene.smplify
    for part in (settings.track, settings.body, settings.fit):
        names |= {item.name for item in part.bl_rna.properties if item.identifier not in ("rna_type", "name")}
    for panel in ("track", "track_details", "body", "fit", "fit_options"):
        names.add(getattr(bpy.types, f"SMPLIFY_PT_{panel}").bl_label)
    for operator in ("open_track", "read_track", "view_track", "fit", "cancel_fit"):
        names.add(getattr(bpy.types, f"SMPLIFY_OT_{operator}").bl_label)
    for texts in LANGUAGES.values():
        assert names - {"Body", "Choose Person"} <= set(texts)


def test_blender_shows_german(addon):
    view = bpy.context.preferences.view
    if not any(locale.startswith("de") for locale in bpy.app.translations.locales):
        pytest.skip("this Blender was built without languages")
    before = view.language
    try:
        view.language = next(locale for locale in bpy.app.translations.locales if locale.startswith("de"))
        view.use_translate_interface = True
        assert bpy.app.translations.pgettext_iface("3. Fit") == "3. Anpassung"
        assert bpy.app.translations.pgettext_iface("Open Keypoints", "Operator") == "Punkte öffnen"
    finally:
        view.language = before
