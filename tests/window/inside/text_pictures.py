"""Draw a text as Blender's own interface draws it, so that a test can look for it in a screenshot."""

from __future__ import annotations

import base64
from math import pi

import blf
import bpy
import gpu
from mathutils import Matrix

FONT = 0  # the interface's
MARGIN = 4  # blank pixels on every side
DESCENT = 6  # and room below the line, for g and y


def text_picture(text: str, *, turned: bool = False) -> dict[str, object]:
    """Return how *text* looks in the interface, white on black.

    Args:
        text: one line.
        turned: read from top to bottom, as the sidebar's tabs are. Blender draws that anew: the letters stand in other
            places between the pixels, so it is not the same picture turned.

    Returns:
        "width", "height" and "pixels": rows from the top, one byte a pixel, in base 64.
    """
    blf.size(FONT, bpy.context.preferences.ui_styles[0].widget.points * bpy.context.preferences.system.ui_scale)
    length, size = (int(side) + 2 for side in blf.dimensions(FONT, text))
    length, size = length + 2 * MARGIN, size + 2 * MARGIN + DESCENT
    width, height = (size, length) if turned else (length, size)
    offscreen = gpu.types.GPUOffScreen(width, height)
    with offscreen.bind():
        framebuffer = gpu.state.active_framebuffer_get()
        framebuffer.clear(color=(0.0, 0.0, 0.0, 1.0))
        gpu.state.blend_set("ALPHA")
        with gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
            gpu.matrix.load_matrix(_pixel_matrix(width, height))
            gpu.matrix.load_projection_matrix(Matrix.Identity(4))
            _draw(text, height, turned=turned)
        buffer = framebuffer.read_color(0, 0, width, height, 1, 0, "UBYTE")
    offscreen.free()
    buffer.dimensions = width * height
    rows = bytes(buffer.to_list())
    flipped = b"".join(rows[row * width : (row + 1) * width] for row in reversed(range(height)))
    return {"width": width, "height": height, "pixels": base64.b64encode(flipped).decode("ascii")}


def _draw(text: str, height: int, *, turned: bool) -> None:
    blf.color(FONT, 1.0, 1.0, 1.0, 1.0)
    if turned:
        blf.enable(FONT, blf.ROTATION)
        blf.rotation(FONT, -pi / 2)
        blf.position(FONT, MARGIN + DESCENT, height - MARGIN, 0)
    else:
        blf.position(FONT, MARGIN, MARGIN + DESCENT, 0)
    blf.draw(FONT, text)
    blf.disable(FONT, blf.ROTATION)
    blf.rotation(FONT, 0.0)


def _pixel_matrix(width: int, height: int) -> Matrix:
    """Return the transform from pixels to the offscreen picture's own coordinates, -1 to 1."""
    return Matrix(((2 / width, 0, 0, -1), (0, 2 / height, 0, -1), (0, 0, 1, 0), (0, 0, 0, 1)))
