"""Other languages: every text that is translated is one of ours, and Blender shows it."""

from __future__ import annotations

import ast
import string

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.preferences import SMPLIFY_AP_preferences  # noqa: E402
from blender_addon.ui.translations import LANGUAGES  # noqa: E402
from core.fit.temporal.visibility import find_visibility  # noqa: E402
from core.layouts import LAYOUTS  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402

ENGLISH = sorted(set().union(*LANGUAGES.values()))


def texts_in_the_source() -> set[str]:
    """Every text that stands in the add-on or comes from the core: progress, and the names of rest poses."""
    found = set()
    for pattern in ("blender_addon/**/*.py", "core/fit/**/*.py", "core/pipeline.py", "core/retarget/*.py"):
        for path in REPOSITORY.glob(pattern):
            if not path.name.endswith("translations.py"):
                nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                found |= {
                    node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
                }
    return found


def limbs_of_flags() -> set[str]:
    """What a fit can say that was held, or missing: such texts are put together."""
    names = tuple(point.solver for point in LAYOUTS["body25"].points)
    return {*find_visibility(names, np.ones((1, len(names)))).limbs, "person"}


@pytest.mark.main_blender
def test_every_translated_text_is_still_in_use():
    assert set(ENGLISH) - texts_in_the_source() - limbs_of_flags() == set()


@pytest.mark.main_blender
def test_the_limbs_of_doubtful_stretches_are_translated():
    assert limbs_of_flags() <= set(ENGLISH)


@pytest.mark.main_blender
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_translation_has_the_same_placeholders(language):
    def places(text: str) -> list[tuple]:
        return [
            (name, form, conversion) for _, name, form, conversion in string.Formatter().parse(text) if name is not None
        ]

    assert {english: places(text) for english, text in LANGUAGES[language].items()} == {
        english: places(english) for english in LANGUAGES[language]
    }


def groups() -> dict[str, bpy.types.bpy_struct]:
    """The descriptions of everything of ours that has properties: operators, and what scenes and figures are set to."""
    settings = bpy.context.scene.smplify
    found = {type(item).__name__: item.bl_rna for item in (settings.track, settings.body, settings.fit)}
    found["export"] = bpy.context.scene.smplify_export.bl_rna
    found["live"] = bpy.context.scene.smplify_live.bl_rna
    found["character"] = bpy.context.scene.smplify_character.bl_rna
    found["bone"] = found["character"].properties["bones"].fixed_type
    found["figure"] = bpy.types.Object.bl_rna.properties["smplify"].fixed_type
    found["preferences"] = SMPLIFY_AP_preferences.bl_rna
    for name in dir(bpy.ops.smplify):
        found[f"smplify.{name}"] = getattr(bpy.ops.smplify, name).get_rna_type()
    return found


def shown_properties() -> list[tuple[str, bpy.types.Property]]:
    """Every property that a user can see, with where it is; not those that each operator has of Blender."""
    return [
        (f"{where}.{item.identifier}", item)
        for where, group in groups().items()
        for item in group.properties
        if item.identifier not in ("rna_type", "name", "bl_idname") and not item.is_hidden
    ]


def test_every_operator_and_property_has_a_tooltip(addon):
    assert len(groups()) > 25
    without = [name for name, group in groups().items() if name.startswith("smplify.") and not group.description]
    for name, item in shown_properties():
        if not item.description:
            without.append(name)
        if item.type == "ENUM":
            without += [f"{name}: {entry.identifier}" for entry in item.enum_items if not entry.description]
    assert without == []


SAME_IN_EVERY_LANGUAGE = {"Armature", "Body", "Choose Person", "File Path", "Iterations", "Which", "bones", "flags"}
"""Blender's own word, or only seen by those who call an operator from Python."""


def test_the_texts_of_the_boxes_and_buttons_are_all_translated(addon):
    names = {item.name for _, item in shown_properties()}
    names |= {getattr(bpy.types, name).bl_label for name in dir(bpy.types) if name.startswith("SMPLIFY_PT_")}
    names |= {group.name for name, group in groups().items() if name.startswith("smplify.")}
    for texts in LANGUAGES.values():
        assert names - SAME_IN_EVERY_LANGUAGE - set(texts) == set()


@pytest.fixture
def german(addon):
    """The add-on in a Blender that speaks German."""
    view = bpy.context.preferences.view
    locale = next((locale for locale in bpy.app.translations.locales if locale.startswith("de")), None)
    if locale is None:
        pytest.skip("this Blender was built without languages")
    before = view.language, view.use_translate_interface
    view.language, view.use_translate_interface = locale, True
    yield
    view.language, view.use_translate_interface = before


def test_blender_shows_german(german):
    assert bpy.app.translations.pgettext_iface("3. Fit") == "3. Anpassung"
    assert bpy.app.translations.pgettext_iface("Open Keypoints", "Operator") == "Punkte öffnen"


def test_our_german_is_shown_instead_of_blenders_translation(german):
    # The button "Fit" once read "Einpassen", and the quality "Fast" read "Einfügen", which is to insert.
    shown = {}
    for name, group in groups().items():
        if name.startswith("smplify."):
            shown[group.name] = bpy.app.translations.pgettext_iface(group.name, group.translation_context)
    for _, item in shown_properties():
        for text in (item, *(item.enum_items if item.type == "ENUM" else ())):
            shown[text.name] = bpy.app.translations.pgettext_iface(text.name, item.translation_context)
    ours = {english: text for english, text in LANGUAGES["de"].items() if english in shown}
    assert len(ours) > 80
    assert {english: shown[english] for english in ours} == ours
