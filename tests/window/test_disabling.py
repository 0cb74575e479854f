"""Switching the extension off and on in a window: nothing of it is drawn or runs while it is off."""

from __future__ import annotations

from tests.window.harness.installation import MODULE
from tests.window.test_journey import changed_pixels

ROUNDS = 10
OURS = (
    "sorted({name for name in dir(bpy.types) if name.startswith('SMPLIFY')}"
    " | {item.name for item in __import__('threading').enumerate() if item.name.startswith('SMPLify')}"
    " | {handler.__name__ for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)"
    " for handler in getattr(bpy.app.handlers, name) if 'learnable_smplify' in handler.__module__})"
)


def test_ten_times_off_and_on_leave_nothing_behind(fitted, pictures) -> None:
    fitted.viewport.hover()
    drawn = fitted.viewport.picture()
    try:
        fitted.run(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
        assert fitted.evaluate(OURS) == []
        off = fitted.viewport.picture()
        assert changed_pixels(drawn, off) > 1000, "the preview and the strip are gone"
        for _ in range(ROUNDS):
            fitted.run(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
            fitted.picture()
            fitted.run(f"bpy.ops.preferences.addon_disable(module={MODULE!r})")
        assert fitted.evaluate(OURS) == []
        left = fitted.viewport.picture()
        left.save(pictures / "disabled.png")
        assert changed_pixels(off, left) == 0
    finally:
        fitted.run(f"bpy.ops.preferences.addon_enable(module={MODULE!r})")
