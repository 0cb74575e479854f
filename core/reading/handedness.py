"""Detect the handedness of a file's axes, and where the person faces, from what points forward. F frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import AmbiguousTrackError
from ..markers.vectors import across, dot, lengths, mean_of, present_mean, unit
from .anatomy import Figure
from .findings import Finding

_CLEAR_HAND = 0.3
"""Smallest margin of forward over backward votes, -1 to 1, for a clear handedness."""
_CUE_SIZE = 0.02
"""Smallest forward offset that counts as a vote, in statures."""


def _forward_cues(figure: Figure) -> list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]]:
    """Return cues as name, weight, and vectors (F, 3): what points forward, from right to left, and upwards."""
    cues: list[tuple[str, float, np.ndarray, np.ndarray, np.ndarray]] = []
    lines = [line for stem in ("hip", "shoulder") if (line := figure.side_line(stem)) is not None]
    if not lines:
        return cues
    # The hip line alone is wrong where one hip is misplaced; where one line is missing, the other is used.
    left = present_mean(np.stack(lines))
    for side in ("left", "right"):
        hip, knee, ankle = (figure.points.get(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        toe = figure.first(f"{side}_big_toe", f"{side}_foot", f"{side}_small_toe")
        heel = figure.first(f"{side}_heel", f"{side}_ankle")
        if knee is not None and ankle is not None and toe is not None and heel is not None:
            cues.append(("toes", 1.0, toe - heel, left, knee - ankle))
        if hip is not None and knee is not None and ankle is not None:
            cues.append(("knees", 0.7, knee - (hip + ankle) / 2.0, left, hip - ankle))
    shoulders = figure.side_line("shoulder")
    nose, neck = figure.points.get("nose"), figure.shoulders
    ears, crown = figure.pair_mean("ear"), figure.first("head_top", "head")
    if nose is not None and neck is not None and shoulders is not None:
        back = ears if ears is not None else mean_of(neck, crown) if crown is not None else neck
        upwards = (crown if crown is not None else nose) - neck
        if ears is None and crown is None and figure.hips is not None:
            upwards = neck - figure.hips
        cues.append(("nose", 1.0, nose - back, shoulders, upwards))
    front, rear = figure.points.get("pelvis_front"), figure.points.get("pelvis_rear")
    if front is not None and rear is not None and neck is not None:
        cues.append(("pelvis", 1.5, front - rear, left, neck - rear))
    return cues


def forward_votes(figure: Figure, stature: float) -> dict[str, float]:
    """Return the mean vote of each cue, from -1 (mirrored) to 1 (right-handed).

    Toes, nose and bent knees point forward. The cross product of the left and up vectors points forward in right-handed
    axes and backward in mirrored ones, whichever way the person faces.
    """
    votes: dict[str, list[tuple[float, float]]] = {}
    for name, weight, pointer, left, up in _forward_cues(figure):
        forward = unit(np.cross(unit(across(left, unit(up))), unit(up)))
        amount = dot(pointer, forward)[:, 0] / stature
        voting = amount[np.abs(amount) > _CUE_SIZE]
        if voting.size >= max(1, 0.02 * figure.num_frames):
            votes.setdefault(name, []).append((float(np.mean(np.sign(voting))), weight))
    return {name: float(np.mean([vote for vote, _ in pairs])) for name, pairs in votes.items()}


def detect_handedness(figure: Figure, given: str | None, stature: float, source: Path) -> Finding:
    """Determine whether the data's axes are right-handed, or left-handed so that the data are to be mirrored.

    Args:
        figure: the person, any axes.
        given: the user's handedness, "right" or "left", or None.
        stature: the person's height in the figure's unit.
        source: the file, for messages.

    Raises:
        AmbiguousTrackError: the body looks mirrored, or front and back cannot be distinguished.
    """
    votes = forward_votes(figure, stature)
    score = float(np.mean(list(votes.values()))) if votes else 0.0
    right = [name for name, vote in votes.items() if vote > 0.0]
    wrong = [name for name, vote in votes.items() if vote < 0.0]
    if given is not None:
        against = wrong if given == "right" else right
        clear = score < -_CLEAR_HAND if given == "right" else score > _CLEAR_HAND
        doubts = (f"with it the {' and '.join(against)} point backward",) if clear else ()
        return Finding("handedness", given, "given by --handedness", doubts)
    if score > _CLEAR_HAND:
        doubts = (f"the {' and '.join(wrong)} mostly point backward",) if wrong else ()
        return Finding("handedness", "right", f"detected from the {' and '.join(right)}, which point forward", doubts)
    if score < -_CLEAR_HAND:
        raise AmbiguousTrackError(
            f"expected the {' and '.join(wrong)} of the person in {source} to point forward, but they point backward: "
            "the file's axes are left-handed, or its left and right names are swapped; give --handedness left in the "
            "first case, --swap-sides in the second",
            options=("handedness", "swap_sides"),
        )
    found = ", ".join(f"{name} {vote:+.2f}" for name, vote in votes.items()) or "no toes, nose or bent knees"
    raise AmbiguousTrackError(
        f"expected points that clearly show which way is forward (toes, nose, bent knees), found {found} in {source}; "
        "give --handedness right, or left if the file's axes are left-handed",
        options=("handedness",),
    )


def facing(figure: Figure) -> Finding:
    """Return the direction in which the person faces at the start of the clip, in right-handed axes with Y up."""
    left = figure.side_line("hip")
    if left is not None:
        ahead = np.cross(left, np.array([0.0, 1.0, 0.0]))
        ahead = ahead[np.isfinite(ahead).all(-1) & (lengths(ahead) > 0.0)]
        if len(ahead):
            degrees = float(np.degrees(np.arctan2(ahead[0, 0], ahead[0, 2])))
            axis = ("+Z", "+X", "-Z", "-X")[round(degrees / 90.0) % 4]
            return Finding("facing", f"{degrees:.0f} degrees", f"towards {axis} at the start; 0 is +Z, 90 is +X")
    return Finding("facing", "unknown", "the hips are not visible")
