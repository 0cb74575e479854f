"""German texts of box 6, the export."""

from __future__ import annotations

TEXTS = {
    "What It Writes": "Was geschrieben wird",
    "For": "Für",
    "Format": "Format",
    "Figures": "Figuren",
    "Active": "Aktive",
    "Selected": "Ausgewählte",
    "Bone Names": "Knochennamen",
    "Root Bone": "Wurzelknochen",
    "One File Each": "Je eine Datei",
    "Export Figures": "Figuren exportieren",
    "SMPLify Figures (.blend, .fbx, .glb, .bvh ...)": "SMPLify-Figuren (.blend, .fbx, .glb, .bvh ...)",
}
