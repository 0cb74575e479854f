"""Nothing works only by mouse: all operators are in a menu, where Blender's search finds them."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.menu import SMPLIFY_MT_smplify  # noqa: E402
from blender_addon.track.operators import SMPLIFY_MT_person  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402

OF_THE_PREFERENCES = {f"smplify.{name}" for name in ("check_python", "install_torch", "cancel_torch", "remove_torch")}


INTERNAL = {"smplify.announce"}
OF_A_FIGURE_WITH_TAKES = {"smplify.choose_take"}


def test_every_operator_is_in_the_menu_or_belongs_to_the_preferences(addon):
    shown = draw(SMPLIFY_MT_smplify)
    assert shown.menus == ["SMPLIFY_MT_person", "SMPLIFY_MT_take"] and "preferences.addon_show" in shown.operators
    offered = {*shown.operators, *draw(SMPLIFY_MT_person).operators, *OF_THE_PREFERENCES, *INTERNAL}
    offered |= OF_A_FIGURE_WITH_TAKES
    assert {f"smplify.{name}" for name in dir(bpy.ops.smplify)} <= offered


@pytest.mark.parametrize("menu", ["VIEW3D_MT_object", "VIEW3D_MT_pose"])
def test_the_menu_is_part_of_the_viewport_menus(addon, menu):
    assert "_draw_menu" in {function.__name__ for function in getattr(bpy.types, menu).draw._draw_funcs}
