"""How a keypoint file is converted: the options of a command line, a batch and the window, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from . import opensim
from .amass import LAYOUTS
from .body.catalog import FREE_BODY_NAMES
from .cleanup import CleanupOptions
from .fingers import DEFAULT_HANDS
from .fit import FitOptions
from .reading import ReadOptions

FORMATS = ("npz", *opensim.WRITERS)
"""Suffixes of the files that are written without Blender."""
NPZ_LAYOUTS = tuple(LAYOUTS)
"""Layouts of the poses in an .npz, the default first."""
_LATER_OPTIONS = ("stature", "join", "names", "static", "join_where_present")
"""Options of reading that `ConvertOptions.as_dict` leaves out while they have their default."""


def plain_options(options: FitOptions) -> dict[str, object]:
    """Return the fit options that are numbers, strings, paths or None, by name; arrays are omitted."""
    values = {item.name: getattr(options, item.name) for item in fields(options)}
    values = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    return {
        name: value for name, value in values.items() if value is None or isinstance(value, bool | int | float | str)
    }


@dataclass(frozen=True, eq=False)
class ConvertOptions:
    """How to read, fit, clean up and write an input, in plain values and file names: the options of a command line.

    A new option must not change `as_dict` while it has its default, so that earlier outputs still count as done.

    Attributes:
        reading: the reading options.
        body: path of a body model, empty for the free body.
        betas: path of a .npy file with the shape, empty to estimate it.
        regressor: path of a keypoint regressor for the body, empty for the built-in one.
        fit: the fit options, without the arrays of *betas* and *regressor*.
        torch_python: path of a Python that has PyTorch; empty for the current one.
        cleanup: the clean-up options of the fitted motions.
        formats: suffixes of the files to write, without the dot.
        up_axis: "Y" or "Z", the up axis of the AMASS files; empty where Blender writes them.
        npz_layout: layout of the poses in AMASS files, one of `NPZ_LAYOUTS`.
        hands: how fingers are held that nothing shows, a key of `core.fingers.HANDS`.
        character: path of a character's file that Blender puts the motions onto and writes; empty for the figures.
        armature: name of its armature; empty for the one with most bones.
        bones: path of its bone map, empty to detect the bones.
        retarget: the options of the retargeting that are given, by name.
        first_frame: scene frame at which the motions begin in files that have one, or `AS_RECORDED`: as late after
            frame 1 as the track begins in its recording; Blender writes them.
        correctives: write the pose correctives of figures as shape keys with animated values into files for other
            programs; Blender writes them.
    """

    reading: ReadOptions = field(default_factory=ReadOptions)
    body: str = ""
    betas: str = ""
    regressor: str = ""
    fit: FitOptions = field(default_factory=FitOptions)
    torch_python: str = ""
    cleanup: CleanupOptions = CleanupOptions()
    formats: tuple[str, ...] = ("npz",)
    up_axis: str = "Z"
    npz_layout: str = NPZ_LAYOUTS[0]
    hands: str = DEFAULT_HANDS
    character: str = ""
    armature: str = ""
    bones: str = ""
    retarget: Mapping[str, Any] = field(default_factory=dict)
    first_frame: int | str = 1
    correctives: bool = False

    def files(self) -> dict[str, str]:
        """Return the files that are read besides the input, by role."""
        roles = {"body": self.body, "betas": self.betas, "regressor": self.regressor, "network": self.fit.network}
        roles |= {
            "static trial": self.reading.static or "",
            "prior": self.fit.prior,
            "character": self.character,
            "bone map": self.bones,
        }
        return {f"the {role}": str(path) for role, path in roles.items() if path and path not in FREE_BODY_NAMES}

    def resolved(self) -> ConvertOptions:
        """Return the options with absolute paths, for another process and for the fingerprint of outputs."""
        paths = {role: str(Path(path).resolve()) for role, path in self.files().items()}
        return replace(
            self,
            reading=replace(self.reading, static=paths.get("the static trial")),
            body=paths.get("the body", ""),
            betas=paths.get("the betas", ""),
            regressor=paths.get("the regressor", ""),
            fit=replace(self.fit, network=paths.get("the network"), prior=paths.get("the prior")),
            character=paths.get("the character", ""),
            bones=paths.get("the bone map", ""),
        )

    def for_one_of_many(self) -> ConvertOptions:
        """Return the options for one input of a batch: it need not have the people that other inputs have joined."""
        return replace(self, reading=replace(self.reading, join_where_present=True)) if self.reading.join else self

    def as_dict(self) -> dict[str, object]:
        """Return the options as plain values, for JSON."""
        fit = plain_options(self.fit)
        first = {name: fit.pop(name) for name in ("quality", "device")}
        changed = {name: value for name, value in fit.items() if value != getattr(FitOptions, name)}
        later: dict[str, object] = {"fit": changed, "regressor": self.regressor, "up_axis": self.up_axis}
        later |= {
            "character": self.character,
            "armature": self.armature,
            "bones": self.bones,
            "retarget": dict(self.retarget),
        }
        later["npz_layout"] = None if self.npz_layout == NPZ_LAYOUTS[0] else self.npz_layout
        later["hands"] = None if self.hands == DEFAULT_HANDS else self.hands
        later["correctives"] = self.correctives or None
        later["first_frame"] = None if self.first_frame == ConvertOptions.first_frame else self.first_frame
        return {
            **first,
            "formats": list(self.formats),
            "reading": {
                name: value for name, value in asdict(self.reading).items() if name not in _LATER_OPTIONS or value
            },
            "body": self.body,
            "betas": self.betas,
            "torch_python": self.torch_python,
            "cleanup": asdict(self.cleanup),
            **{name: value for name, value in later.items() if value not in ({}, "", None)},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ConvertOptions:
        """Return the options that `as_dict` converted to *values*."""
        given = dict(values)
        given["fit"] = FitOptions(quality=given.pop("quality"), device=given.pop("device"), **given.get("fit", {}))
        given["reading"], given["cleanup"] = ReadOptions(**given["reading"]), CleanupOptions(**given["cleanup"])
        return cls(**{**given, "formats": tuple(given["formats"])})
