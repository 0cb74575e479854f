"""Switching the extension off and on in a window: nothing of it is drawn or runs while it is off."""

from __future__ import annotations

from pathlib import Path

from tests.window.harness.installation import MODULE
from tests.window.test_journey import FIT_S, FITS, changed_pixels

ROUNDS = 10
OURS = (
    "sorted({name for name in dir(bpy.types) if name.startswith('SMPLIFY')}"
    " | {item.name for item in __import__('threading').enumerate() if item.name.startswith('SMPLify')}"
    " | {handler.__name__ for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)"
    " for handler in getattr(bpy.app.handlers, name) if 'learnable_smplify' in handler.__module__})"
)


def test_ten_times_off_and_on_leave_nothing_behind(blender, user, pictures) -> None:
    path = str(Path(user["HOME"]) / "walk.trc")
    blender.run("windows.set_stage(); bpy.context.preferences.system.viewport_aa = 'OFF'")
    blender.run("bpy.context.scene.smplify.fit.quality = 'FAST'")
    blender.run(f"bpy.ops.smplify.open_track(filepath={path!r}, wait=True)")
    blender.sidebar.click("Fit")
    blender.wait_until(f"{FITS}.state.name == 'DONE'", FIT_S)
    blender.viewport.hover()
    drawn = blender.viewport.picture()
    try:
        blender.run(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
        assert blender.evaluate(OURS) == []
        off = blender.viewport.picture()
        assert changed_pixels(drawn, off) > 1000, "the preview and the strip are gone"
        for _ in range(ROUNDS):
            blender.run(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
            blender.picture()
            blender.run(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
        assert blender.evaluate(OURS) == []
        left = blender.viewport.picture()
        left.save(pictures / "disabled.png")
        assert changed_pixels(off, left) == 0
    finally:
        blender.run(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
