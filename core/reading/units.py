"""Detect the unit of length from the user, the file or the person's stature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError, UnseenPersonError
from .findings import Finding
from .options import MAX_STATURE_M, MIN_STATURE_M, OWN_UNIT, UNIT_CHOICES, USUAL_STATURE_M, unit_in_metres

_SHORT_STATURE_M, _TALL_STATURE_M = 1.2, 2.15
_DETECTED_UNITS = ("m", "cm", "mm", "in")
"""Feet are never detected, only read where they are named: an adult in metres would be a baby in feet."""
_NO_UNIT = (
    "no common unit fits the data; give --stature with the person's height if their scale is wrong, or --units "
    f"{OWN_UNIT} if nothing is known"
)
_SCALE_IS_WRONG = "give --stature with the person's height if the scale is wrong"
_SKELETON_KINDS = ("BVH", "armature", "FBX", "glTF", "VRM", "Blender file")
"""Formats of animation, where nothing states a unit and characters have any size."""
_SKELETON_UNITS = ("m", "cm", "mm", "in", "cmu")
_ADULT_M = (1.2, 2.2)
"""Range of statures in which no two of these units give an adult."""


def detect_units(
    stated: str | None,
    given: str | None,
    stature: float,
    source: Path,
    *,
    kind: str = "",
    height_m: float | None = None,
) -> Finding:
    """Determine the unit of length.

    Args:
        stated: the file's unit, one of `UNITS_IN_METRES`, or None.
        given: the user's unit, one of `UNIT_CHOICES`, or None.
        stature: the person's height in file units.
        source: the file, for messages.
        kind: the file's format; a skeleton of animation that no unit makes a person is scaled to one.
        height_m: the person's height, to which the file is scaled, metres; None for a file whose scale is right.

    Raises:
        UnseenPersonError: no bone length can be measured.
        AmbiguousTrackError: the person is 0.5 to 2.5 m tall in no unit, or in several.
    """
    heights = {name: stature * unit_in_metres(name, stature) for name in UNIT_CHOICES}
    if not np.isfinite(stature):
        raise UnseenPersonError(
            f"expected legs or arms to estimate the stature from, found none in {source}; check the points"
        )
    if height_m is not None:
        return _scaled_to(height_m, stated, heights)
    if kind in _SKELETON_KINDS and given is None and not _fits(heights.get(stated or "", 0.0)):
        return _unit_of_skeleton(heights)
    chosen = given or stated
    if chosen is None:
        chosen = _only_fitting_unit(heights, stature, source)
        reason = f"detected from the stature, {heights[chosen]:.2f} m"
    else:
        _check_height(chosen, heights, source, is_given=bool(given))
        reason = f"{'given by --units' if given else 'stated by the file'}; the person is {heights[chosen]:.2f} m tall"
    doubts = [f"the file states {stated}"] if given and stated and given != stated else []
    return Finding("units", chosen, reason, (*doubts, *_doubts_about_height(heights[chosen])))


def _fits(height_m: float) -> bool:
    return MIN_STATURE_M <= height_m <= MAX_STATURE_M


def _fitting_units(heights: Mapping[str, float]) -> list[str]:
    return [name for name in _DETECTED_UNITS if _fits(heights[name])]


def _check_height(unit: str, heights: Mapping[str, float], source: Path, *, is_given: bool) -> None:
    """Raise `AmbiguousTrackError` if the person has no human height in *unit*, which the user or the file gives."""
    if _fits(heights[unit]):
        return
    fitting = _fitting_units(heights)
    instead = f"the data fit {' or '.join(fitting)}; give --units" if fitting else _NO_UNIT
    raise AmbiguousTrackError(
        f"expected a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but with units {unit} "
        f"({'given' if is_given else 'stated by the file'}) the person in {source} is {heights[unit]:.3g} m tall; "
        f"{instead}",
        options=("units",) if fitting else ("units", "stature"),
    )


def _only_fitting_unit(heights: Mapping[str, float], stature: float, source: Path) -> str:
    """Return the only unit that makes the person a human height; raise `AmbiguousTrackError` for none or several."""
    fitting = _fitting_units(heights)
    if len(fitting) == 1:
        return fitting[0]
    choice = " or ".join(f"{name} ({heights[name]:.2f} m)" for name in fitting)
    choice = f"{choice}; give --units" if choice else f"none of {', '.join(_DETECTED_UNITS)}; {_NO_UNIT}"
    raise AmbiguousTrackError(
        f"expected exactly one unit for a person of {MIN_STATURE_M} to {MAX_STATURE_M} m, but the stature "
        f"of {stature:.4g} in {source} fits {choice}",
        options=("units",) if fitting else ("units", "stature"),
    )


def _doubts_about_height(height_m: float) -> list[str]:
    doubts = []
    if height_m < _SHORT_STATURE_M:
        doubts.append(
            f"a stature of {height_m:.2f} m is that of a child, or of a skeleton scaled to a fixed size; "
            f"{_SCALE_IS_WRONG}"
        )
    if height_m > _TALL_STATURE_M:
        doubts.append(f"a stature of {height_m:.2f} m is that of few people; {_SCALE_IS_WRONG}")
    return doubts


def _scaled_to(height_m: float, stated: str | None, heights: Mapping[str, float]) -> Finding:
    """Return the unit that makes the person *height_m* tall, given the *heights* in metres in each unit."""
    doubts = (f"the file states {stated}, in which the person is {heights[stated]:.2f} m tall",) if stated else ()
    return Finding("units", OWN_UNIT, f"scaled to a person of {height_m:.2f} m, given by --stature", doubts)


def _unit_of_skeleton(heights: Mapping[str, float]) -> Finding:
    """Return the unit of a skeleton of animation, given its *heights* in metres in each unit."""
    for name in _SKELETON_UNITS:
        if _ADULT_M[0] <= heights[name] <= _ADULT_M[1]:
            return Finding("units", name, f"detected from the stature, {heights[name]:.2f} m")
    doubt = (
        f"no usual unit makes the skeleton an adult ({heights['m']:.3g} in its own unit), so it is scaled to "
        f"{USUAL_STATURE_M:.2f} m; give --units if its size is right"
    )
    return Finding("units", OWN_UNIT, f"scaled to a stature of {USUAL_STATURE_M:.2f} m", (doubt,))
