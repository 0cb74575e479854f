"""JSON of OpenCap's visualizer: the bodies of an OpenSim model at each time. F frames.

Keys as in the samples of opencap-visualizer: ``time`` (F,), seconds, and ``bodies``, each with ``translation`` (F, 3),
metres, Y up, the place of its origin. In OpenSim's models of the whole body, the origins of thighs, shanks, ankles,
upper arms, forearms and hands are the joints between these and the bodies before them; those of pelvis, torso, heel and
toes are no joints of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrackFileError
from .people_clip import number_array
from .raw import RawRecording, check_counts
from .timeline import build_timeline

KIND = "OpenCap bodies"
JOINTS = {
    f"{body}_{side[0]}": f"{side}_{joint}"
    for side in ("right", "left")
    for body, joint in (
        ("femur", "hip"), ("tibia", "knee"), ("talus", "ankle"), ("humerus", "shoulder"), ("ulna", "elbow"),
        ("hand", "wrist"),
    )
}  # fmt: skip
"""The joint at the origin of each body, by the body's name."""


def find_bodies(document: Any) -> Mapping[str, Any] | None:
    """Return the bodies of a document by name; None if it is of another kind."""
    bodies = document.get("bodies") if isinstance(document, Mapping) else None
    if not isinstance(bodies, Mapping) or not isinstance(document.get("time"), list) or not JOINTS.keys() & bodies:
        return None
    return bodies


def read_bodies(document: Mapping[str, Any], bodies: Mapping[str, Any], path: Path) -> list[RawRecording]:
    """Return the joints of the *bodies* that `find_bodies` returned for *document*, as one recording.

    Raises:
        TrackFileError: a body has no place at each time.
    """
    times = number_array(document["time"], "the times", path)
    known = {body: joint for body, joint in JOINTS.items() if body in bodies}
    check_counts(len(times), len(known), path)
    origins = []
    for body in known:
        stored = bodies[body].get("translation") if isinstance(bodies[body], Mapping) else None
        places = number_array(stored or [], f"the translation of {body}", path)
        if times.ndim != 1 or places.shape != (len(times), 3):
            raise TrackFileError(
                f"expected a translation of x, y, z for {body} at each of {len(times)} times, found {places.shape} in "
                f"{path}; export the trial again"
            )
        origins.append(places)
    timeline = build_timeline(len(times), path, num_points=len(known), times_s=times)
    positions = timeline.place(np.stack(origins, axis=1))
    return [
        RawRecording(
            positions, np.ones(positions.shape[:2]), KIND, path, names=tuple(known.values()), fps=timeline.fps,
            units="m", up_axis="+Y", start_s=timeline.start_s, notes=timeline.notes,
        )
    ]  # fmt: skip
