"""Labels of optical markers on fingers: which joint of which finger each is at.

Sets number the markers of a finger in different ways, so a label means what it means in the set to which most of the
file's labels belong. Joint 1 of a long finger is its knuckle, 2 and 3 the joints beyond it; 1 of the thumb is its
base, 2 its knuckle, 3 the joint beyond it; 4 is the tip (as in `core.layouts.hands`).

Not here, since no published source says where they sit: one marker a finger that is named by the finger alone (LThumb,
LIndex, LTHMB), and the back of the hand in sets that have it beside the knuckles (LIBH).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..layouts import FINGERS
from ..smpl_skeleton import SIDES
from .name_keys import name_keys

_LONG = tuple(finger for finger in FINGERS if finger != "thumb")
_SHORT = {"thumb": "thm", "index": "idx", "middle": "mid", "ring": "rng", "pinky": "pnk"}


def _vicon() -> dict[str, str]:
    """Vicon Shogun's sets with fingers: 0 is the knuckle, 3 half-way, 6 the tip (LIDX3, LMID0, LPNK6)."""
    found = {f"{_SHORT[finger]}{number}": f"{finger}{joint}" for finger in _LONG for number, joint in ((0, 1), (3, 2))}
    found |= {"thm0": "thumb2", "thm3": "thumb3"}
    return {**found, **{f"{short}6": f"{finger}4" for finger, short in _SHORT.items()}}


def _along_the_finger() -> dict[str, str]:
    """SOMA, MoSh++, GRAB: 1 and 2 are the two joints beyond the knuckle, 3 is the tip (LIDX1 .. LIDX3)."""
    found = {f"{_SHORT[finger]}{joint - 1}": f"{finger}{joint}" for finger in _LONG for joint in (2, 3, 4)}
    return {**found, "thm1": "thumb2", "thm2": "thumb3", "thm3": "thumb4"}


def _initials() -> dict[str, str]:
    """TCD's hands: the finger's initial and the joint (LIPIP, LMDIP, LRTIP, LTTIP)."""
    parts = {"pip": 2, "dip": 3, "tip": 4}
    return {
        "ttip": "thumb4",
        **{f"{finger[0]}{part}": f"{finger}{joint}" for finger in _LONG for part, joint in parts.items()},
    }


def _qualisys() -> dict[str, str]:
    """Qualisys' animation set with claw or full fingers (LThumb1, LIndex2, LIndexTip)."""
    found = {"thumb1": "thumb2", "thumbtip": "thumb4"}
    return {
        **found,
        **{f"{finger}{part}": f"{finger}{joint}" for finger in _LONG for part, joint in (("2", 2), ("tip", 4))},
    }


def _nokov() -> dict[str, str]:
    """NOKOV XINGYING: each joint from root to tip (LFingerThumb1 .. LFingerPinky4)."""
    return {f"finger{finger}{joint}": f"{finger}{joint}" for finger in FINGERS for joint in range(1, 5)}


def _anatomy() -> dict[str, str]:
    """Words for finger and joint (L_Index_PIP, RThumbMCP, LLittleTip)."""
    found: dict[str, str] = {}
    for finger in FINGERS:
        parts = ("cmc", "mcp", "ip", "tip") if finger == "thumb" else ("mcp", "pip", "dip", "tip")
        for word in (finger, *(("little",) if finger == "pinky" else ())):
            for joint, part in enumerate(parts, 1):
                found |= {stem: f"{finger}{joint}" for stem in (f"{word}{part}", f"{word}finger{part}")}
    return found


_SETS: tuple[Mapping[str, str], ...] = (
    _vicon(), _along_the_finger(), _initials(), _qualisys(), _nokov(), _anatomy(),
)  # fmt: skip
_MIN_MARKERS = 3
_KNUCKLES = {"handin": "index_knuckle", "handout": "little_finger_knuckle"}
"""Labels on the back of the hand that are at the knuckles in sets with fingers."""
FINGER_ROLES = tuple(f"{side}_{finger}{joint}" for side in SIDES for finger in FINGERS for joint in range(1, 5))
"""Every role that a marker on a finger can have."""


def finger_roles(names: Sequence[str]) -> dict[str, int]:
    """Return the index into *names* of the marker with each role on fingers.

    Roles are those of `FINGER_ROLES`; where there are any, also "left_index_knuckle" and the like. Empty with fewer
    than three markers on fingers, and if two sets explain the labels in different ways.
    """
    readings = [_roles_in(names, labels) for labels in _SETS]
    most = max(readings, key=len)
    if len(most) < _MIN_MARKERS or any(len(other) == len(most) and other != most for other in readings):
        return {}
    return {**_roles_in(names, _KNUCKLES), **most}


def _roles_in(names: Sequence[str], labels: Mapping[str, str]) -> dict[str, int]:
    """Return the index of each role among *names* by the *labels* of one set."""
    roles: dict[str, int] = {}
    for index, name in enumerate(names):
        found = next((f"{side}_{labels[stem]}" for side, stem in name_keys(name) if side and stem in labels), None)
        if found is not None:
            roles.setdefault(found, index)
    return roles
