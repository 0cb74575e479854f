"""Whether what a panel draws fits into the sidebar as wide as Blender opens it, pixels at scale 1.

Measured in Blender 4.3: boxes and buttons of a panel are 226 wide; with `use_property_split`, the name of a setting
has two fifths of that, aligned to the right. A row whose parts are too wide together cuts off the longest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import bpy  # noqa: F401 - brings blf along

import blf  # isort: skip

PANEL_PX, LIST_PX = 226.0, 206.0
_ICON_PX, _ARROW_PX, _BUTTON_PX, _BOX_PX = 20.0, 18.0, 12.0, 14.0
_NAME_SHARE = 0.4
_POINTS = 11.0
_FONT = 0


@dataclass
class Leaf:
    """A text, a setting or a button.

    Attributes:
        kind: "label", "button", "toggle", "row" (all choices side by side), or the type of the property.
        text: what it says, in the language that is spoken.
        icon: the name of its icon, "" without one.
        split: whether its name stands beside its value, as `use_property_split` has it.
        values: the choices of a menu.
    """

    kind: str
    text: str
    icon: str
    split: bool = False
    values: list[str] = field(default_factory=list)

    def shown(self) -> list[tuple[str, float]]:
        """Return each text with the width that it needs."""
        icon = _ICON_PX * bool(self.icon)
        if self.kind == "label":
            return [(self.text, text_px(self.text) + icon)]
        if self.kind in ("button", "toggle"):
            return [(self.text, text_px(self.text) + icon + _BUTTON_PX * bool(self.text))]
        if self.kind == "row":
            return [(" ".join(self.values), sum(text_px(value) + _BUTTON_PX for value in self.values))]
        if self.kind == "BOOLEAN":
            share = 1.0 - _NAME_SHARE if self.split else 1.0
            return [(self.text, (text_px(self.text) + _ICON_PX) / share)]
        share = 1.0 - _NAME_SHARE if self.split and self.text else 1.0
        found = [(value, (text_px(value) + _BUTTON_PX + _ARROW_PX + icon) / share) for value in self.values]
        if self.split and self.text:
            found.append((self.text, text_px(self.text) / _NAME_SHARE))
        return found or [("", _ARROW_PX)]


@dataclass
class Node:
    """A layout.

    Attributes:
        kind: the function that made it.
        factor: of a split, the share of its first part; 0 for equal parts.
        property_split: as `use_property_split`.
        children: its parts, in order.
    """

    kind: str
    factor: float = 0.0
    property_split: bool = False
    children: list[Node | Leaf] = field(default_factory=list)

    def shown(self) -> list[tuple[str, float]]:
        """Return the widest text that each part shows, with the width that the layout needs for it."""
        parts = [max(part.shown(), key=lambda item: item[1], default=("", 0.0)) for part in self.children]
        if self.kind == "row":
            return [(" | ".join(text for text, _ in parts), sum(width for _, width in parts))]
        if self.kind == "split":
            first = self.factor or 1.0 / max(len(parts), 1)
            shares = [first, *[(1.0 - first) / max(len(parts) - 1, 1)] * (len(parts) - 1)]
            return [(text, width / share) for (text, width), share in zip(parts, shares, strict=True)]
        edge = _BOX_PX if self.kind == "box" else 0.0
        return [(text, width + edge) for part in self.children for text, width in part.shown()]


def text_px(text: str) -> float:
    """Return the width of *text* in the font of the interface."""
    blf.size(_FONT, _POINTS)
    return float(blf.dimensions(_FONT, text)[0])


def too_wide(node: Node, room_px: float = PANEL_PX) -> list[str]:
    """Return the texts that are cut off where *node* is *room_px* wide, each with the width that it would need."""
    return [f"{text} ({width:.0f} px)" for text, width in node.shown() if width > room_px]
