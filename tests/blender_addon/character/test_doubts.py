"""The doubts of the Character box in German: every sentence of the core has its template, every template its German."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.character import applying  # noqa: E402
from blender_addon.character.controls import control_note  # noqa: E402
from blender_addon.character.doubts import TEMPLATES, in_language  # noqa: E402
from blender_addon.character.ik_controls import IkControls, IkLimb  # noqa: E402
from blender_addon.character.probe import ControlRig  # noqa: E402
from blender_addon.ui.translations import LANGUAGES  # noqa: E402
from core.retarget import report  # noqa: E402
from core.retarget.bone_map import BoneMap  # noqa: E402
from tests.blender_addon.character.rigs import ROLES  # noqa: E402

pytestmark = pytest.mark.main_blender

GERMAN = LANGUAGES["de"]


def german(sentence: str) -> str:
    return in_language(sentence, lambda template: GERMAN[template])


def sentences(function) -> list[str]:
    """The texts that a function appends to its list, with {:s} for what varies."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else node.args
            found.append("".join(part.value if isinstance(part, ast.Constant) else "{:s}" for part in parts))
    return found


def test_every_core_doubt_has_a_translation_template():
    found = sentences(report._doubts)
    assert len(found) == 6 and set(found) <= set(TEMPLATES)


@pytest.mark.parametrize("use", ["fk", "ik"])
@pytest.mark.parametrize("limbs", [(), (IkLimb("a", "b", "c", "goal", "pole", 0.0),)])
@pytest.mark.parametrize("switches", [{}, {("arm", '["IK_FK"]'): 1.0}])
def test_every_note_on_control_rigs_has_a_translation_template(use, limbs, switches):
    ik = IkControls(limbs, {}, {}, {})
    rig = ControlRig({}, {"hips": "torso"}, None, switches, ik)
    note = control_note(rig, BoneMap({role: tuple(chain) for role, chain in ROLES.items()}), use)
    assert "keyed" in note and "follow no control: spine, chest" in note
    assert not {"keyed", "switched", "follow"} & set(re.findall(r"\w+", german(note)))


def test_the_note_on_locked_bones_has_a_translation_template():
    (note,) = re.findall(r'"(Locked .+?: )', inspect.getsource(applying))
    assert f"{note}{{:s}}" in TEMPLATES


def test_every_template_is_translated_into_german():
    assert set(TEMPLATES) <= set(GERMAN)
    assert all(GERMAN[template].count("{:s}") == template.count("{:s}") for template in TEMPLATES)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("In 12 frames a hand or a foot cannot reach its goal.",
         "In 12 Bildern erreicht eine Hand oder ein Fuß das Ziel nicht."),
        ("Control rig: 18 controls are keyed; follow no control: head",
         "Steuer-Rig: 18 Steuerknochen haben Keyframes; folgen keinem Steuerknochen: head"),
        ("Control rig: 30 controls are keyed, and 8 of IK; switched over: IK_FK, neck_follow",
         "Steuer-Rig: 30 Steuerknochen haben Keyframes, dazu 8 der IK; umgeschaltet: IK_FK, neck_follow"),
        ("Locked against turning by hand, but keyed: a; b", "Gegen Drehen von Hand gesperrt, aber mit Keyframes: a; b"),
        ("Nothing that is known.", "Nothing that is known."),
    ],
)  # fmt: skip
def test_names_and_numbers_in_a_sentence_survive_translation(sentence, expected):
    assert german(sentence) == expected
    assert in_language(sentence, lambda template: template) == sentence
