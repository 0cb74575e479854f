"""Draw a panel without a window, and keep what it would show; what a real layout would refuse is refused here too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import bpy

from blender_addon.ui.translations import LANGUAGES

from .widths import Leaf, Node, too_wide


@dataclass
class Drawn:
    """What a panel has drawn.

    Attributes:
        labels: texts, in order.
        props: names of properties, in order.
        operators: ids of operators, in order.
        menus: ids of menus, in order.
        lists: types of lists, in order.
        progress: (share, text) of each progress bar.
        alerts: whether something was drawn in red.
    """

    labels: list[str] = field(default_factory=list)
    props: list[str] = field(default_factory=list)
    operators: list[str] = field(default_factory=list)
    menus: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)
    alerts: bool = False

    @property
    def text(self) -> str:
        """All labels in one."""
        return " ".join(self.labels)


class Layout:
    """Stands in for `bpy.types.UILayout`."""

    _FUNCTIONS = bpy.types.UILayout.bl_rna.functions

    def __init__(self, drawn: Drawn, node: Node | None = None) -> None:
        object.__setattr__(self, "_drawn", drawn)
        object.__setattr__(self, "node", node if node is not None else Node("column"))

    def __setattr__(self, name: str, value: object) -> None:
        assert name in bpy.types.UILayout.bl_rna.properties, f"UILayout has no {name}"
        if name == "alert" and value:
            self._drawn.alerts = True
        if name == "use_property_split":
            self.node.property_split = bool(value)

    def _check(self, function: str, options: dict[str, object]) -> None:
        parameters = self._FUNCTIONS[function].parameters
        for name, value in options.items():
            assert name in parameters, f"UILayout.{function} has no {name}"
            if name == "icon":
                assert value in parameters["icon"].enum_items, f"there is no icon {value}"

    def _part(self, function: str, options: dict[str, object]) -> Layout:
        self._check(function, options)
        inner = Node(function, options.get("factor", 0.0), self.node.property_split)
        self.node.children.append(inner)
        return Layout(self._drawn, inner)

    def _leaf(self, kind: str, text: str, options: dict[str, object], **more: object) -> None:
        shown = translated(text) if options.get("translate", True) else text
        icon = str(options.get("icon", "NONE")).removeprefix("NONE")
        self.node.children.append(Leaf(kind, shown, icon, split=self.node.property_split, **more))

    def row(self, **options: object) -> Layout:
        return self._part("row", options)

    def column(self, **options: object) -> Layout:
        return self._part("column", options)

    def box(self, **options: object) -> Layout:
        return self._part("box", options)

    def split(self, **options: object) -> Layout:
        return self._part("split", options)

    def separator(self, **options: object) -> None:
        self._check("separator", options)

    def label(self, **options: object) -> None:
        self._check("label", options)
        self._drawn.labels.append(str(options.get("text", "")))
        self._leaf("label", str(options.get("text", "")), options)

    def prop(self, data: bpy.types.bpy_struct, name: str, **options: object) -> None:
        self._check("prop", options)
        assert name in data.bl_rna.properties, f"{data} has no {name}"
        self._drawn.props.append(name)
        item = data.bl_rna.properties[name]
        values = [translated(value.name) for value in item.enum_items_static] if item.type == "ENUM" else []
        kind = "row" if options.get("expand") else "toggle" if options.get("toggle") else item.type
        self._leaf(kind, str(options.get("text", item.name)), options, values=values)

    def prop_search(
        self,
        data: bpy.types.bpy_struct,
        name: str,
        where: bpy.types.bpy_struct,
        items: str,
        **options: object,
    ) -> None:
        self._check("prop_search", options)
        assert name in data.bl_rna.properties, f"{data} has no {name}"
        assert items in where.bl_rna.properties, f"{where} has no {items}"
        self._drawn.props.append(name)

    def operator(self, idname: str, **options: object) -> object:
        self._check("operator", options)
        group, name = idname.split(".")
        operator = getattr(getattr(bpy.ops, group), name).get_rna_type()
        self._drawn.operators.append(idname)
        self._leaf("button", str(options.get("text", operator.name)), options)
        return _Settings(operator)

    def template_list(self, kind: str, list_id: str, *where: object, **options: object) -> None:
        self._check("template_list", options)
        assert hasattr(bpy.types, kind), f"there is no list {kind}"
        for data, name in (where[:2], where[2:]):
            assert name in data.bl_rna.properties, f"{data} has no {name}"
        self._drawn.lists.append(kind)

    def panel(self, idname: str, **options: object) -> tuple[Layout, Layout]:
        self._check("panel", options)
        return self._part("row", {}), self._part("column", {})

    def menu(self, idname: str, **options: object) -> None:
        self._check("menu", options)
        assert hasattr(bpy.types, idname), f"there is no menu {idname}"
        self._drawn.menus.append(idname)
        self._leaf("ENUM", "", options, values=[str(options.get("text", ""))])

    def progress(self, **options: object) -> None:
        self._check("progress", options)
        self._drawn.progress.append((float(options["factor"]), str(options["text"])))


class _Settings:
    """Stands in for the settings of a button's operator."""

    def __init__(self, operator: bpy.types.Struct) -> None:
        object.__setattr__(self, "_operator", operator)

    def __setattr__(self, name: str, value: object) -> None:
        assert name in self._operator.properties, f"{self._operator.identifier} has no {name}"


def draw(
    panel: type[bpy.types.Panel | bpy.types.Menu | bpy.types.Operator], itself: SimpleNamespace | None = None
) -> Drawn:
    """Return what *panel* draws now; *itself* has what an operator that is drawn is set to.

    Of a panel of the sidebar nothing may be cut off at the sidebar's own width, in any language.
    """
    for language in (*LANGUAGES, ""):
        with speaking(language):
            drawn = Drawn()
            instance = itself if itself is not None else SimpleNamespace()
            instance.layout = layout = Layout(drawn)
            panel.draw(instance, bpy.context)
        if getattr(panel, "bl_region_type", "") == "UI":
            assert too_wide(layout.node) == [], f"{panel.__name__} in {language or 'English'}"
    return drawn


_texts: dict[str, str] = {}
"""The translations of the language that is spoken; none for English."""


def translated(text: str, context: str = "") -> str:
    """Return *text* in the language that is spoken."""
    return _texts.get(text, text)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have the panels speak *language*, which Blender's Python module has not; "" is English."""
    modules = [module for name, module in sys.modules.items() if name.startswith("blender_addon.")]
    saved = [(module, module.iface_) for module in modules if hasattr(module, "iface_")]
    _texts.update(LANGUAGES.get(language, {}))
    for module, _ in saved:
        module.iface_ = translated
    try:
        yield
    finally:
        _texts.clear()
        for module, function in saved:
            module.iface_ = function
