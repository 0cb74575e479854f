"""Match point names to layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..layouts import LAYOUTS, ORDERED_ONLY, Layout, LayoutPoint
from ..markers.name_keys import Key, name_keys

_STEM_ALIASES: dict[str, tuple[str, ...]] = {
    "knee": ("kne", "kjc", "kneejc", "kneecenter", "kneecentre"),
    "ankle": ("ank", "ajc", "anklejc", "anklecenter", "anklecentre"),
    "shoulder": ("sho", "shldr", "sjc", "gjc", "shoulderjc", "shouldercenter", "shouldercentre"),
    "elbow": ("elb", "ejc", "elbowjc", "elbowcenter", "elbowcentre"),
    "wrist": ("wri", "wjc", "wristjc", "wristcenter", "wristcentre"),
    "hip": ("hips", "hjc", "hipjc", "hipcenter", "hipcentre"),
    "bigtoe": ("toebig", "hallux", "greattoe", "bigtoetip"),
    "smalltoe": ("toesmall", "littletoe", "pinkytoe", "smalltoetip"),
    "clavicle": ("shoulder", "collar"),
    "arm": ("uarm", "upperarm"),
    "forearm": ("farm", "lowerarm", "larm"),
    "upleg": ("thigh", "upperleg"),
    "leg": ("shin", "lowerleg", "calf", "shank"),
    "toebase": ("toe", "toes", "ball"),
    "footindex": ("foottip", "toe"),
    "collar": ("clavicle",),
    "handwrist": ("handroot",),
}
"""Aliases of points of any layout, by stem."""
_UNSIDED_ALIASES: dict[str, tuple[str, ...]] = {
    "hip": ("midhip", "hipcenter", "hipscenter", "chip", "hips", "pelvis", "root"),
    "midhip": ("hip", "hipcenter", "hipscenter", "chip", "hips", "pelvis", "root"),
    "hipscenter": ("hipcenter", "midhip"),
    "pelvis": ("hips", "root"),
    "hips": ("hip", "pelvis", "root"),
    "neck": ("midshoulder", "midshoulders", "neck01"),
    "spine": ("torso", "belly"),
    "spine1": ("spine01",),
    "spine2": ("spine02",),
    "spine3": ("spine03",),
    "thorax": ("neck",),
    "neckcenter": ("neck",),
    "headcenter": ("head",),
    "neck" + "nose": ("nose", "necknose", "jaw"),
}
"""Aliases of points on the body's midline."""
_HEAD_TOP: tuple[Key, ...] = (("", "headtop"), ("", "topofhead"))
_H36M_ALIASES = {"foot": ("ankle",)}
_FINGER_PARTS = ("cmc", "mcp", "ip", "tip")
_LONG_FINGER_PARTS = ("mcp", "pip", "dip", "tip")


def _hand_aliases() -> dict[str, tuple[str, ...]]:
    """Return aliases of finger joints: MediaPipe names them by anatomy, COCO-WholeBody and others by number."""
    aliases: dict[str, tuple[str, ...]] = {}
    for number, finger in enumerate(("thumb", "index", "middle", "ring", "pinky")):
        for joint in range(1, 5):
            part = (_FINGER_PARTS if finger == "thumb" else _LONG_FINGER_PARTS)[joint - 1]
            names = [f"hand{4 * number + joint}", f"hand{finger}{part}", f"hand{finger}finger{part}"]
            names += [f"{finger}{joint}", f"{finger}finger{joint}"]
            if finger == "index":
                names.append(f"forefinger{joint}")
            aliases[f"hand{finger}{joint}"] = tuple(names)
    return aliases


def _mhr_finger_aliases() -> dict[str, tuple[str, ...]]:
    """Return aliases of MHR's finger points: in SAM3DBody-cpp they are tip, first, second and third joint."""
    aliases: dict[str, tuple[str, ...]] = {}
    for finger, other in (
        ("thumb", "thumb"),
        ("forefinger", "index"),
        ("middlefinger", "middle"),
        ("ringfinger", "ring"),
        ("pinkyfinger", "pinky"),
    ):
        for stem, part in (("4", "tip"), ("3", "first"), ("2", "second"), ("third", "third")):
            aliases[f"{finger}{stem}"] = (f"{other}{part}", f"{finger}{part}")
    return aliases


_HAND_ALIASES = {**_hand_aliases(), **_mhr_finger_aliases()}

TORSO = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
LIMBS = tuple(f"{side}_{joint}" for joint in ("knee", "ankle", "elbow", "wrist") for side in ("left", "right"))
MIN_LIMB_POINTS = 2


@dataclass(frozen=True)
class PointMatch:
    """A layout matched to a recording's points.

    Attributes:
        layout: the layout.
        order: for each point of the layout, the index of the recording's point, or -1 if it has none.
        reason: how the layout was determined.
        is_stated: whether the user or the file names the layout, instead of it being detected.
        roles: for markers, the index of the recording's point with each role; their order is empty.
        doubts: evidence against it, one sentence each.
    """

    layout: Layout
    order: tuple[int, ...]
    reason: str
    is_stated: bool = False
    roles: Mapping[str, int] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def num_matched(self) -> int:
        """Number of the layout's points that the recording has."""
        return sum(index >= 0 for index in self.order)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the layout's points that the recording does not have."""
        return tuple(name for name, index in zip(self.layout.names, self.order, strict=True) if index < 0)

    @property
    def lacking(self) -> tuple[str, ...]:
        """Points that a fit needs and the recording does not have; empty if it has enough."""
        solver = {point.solver for point, index in zip(self.layout.points, self.order, strict=True) if index >= 0}
        lacking = [name for name in TORSO if name not in solver]
        limbs = [name for name in LIMBS if name in solver]
        return (*lacking, *(() if len(limbs) >= MIN_LIMB_POINTS else LIMBS))


def _keys_of(layout: Layout, point: LayoutPoint) -> tuple[Key, ...]:
    """Return the keys of a layout's point: its own name first, then its aliases.

    The top of the head is named so first, for a file may have a joint or a middle of the head besides.
    """
    own = name_keys(point.name)[0]
    side, stem = own
    aliases = _STEM_ALIASES.get(stem, ()) if side else _UNSIDED_ALIASES.get(stem, ())
    if layout.name == "h36m17" and side:
        aliases += _H36M_ALIASES.get(stem, ())
    top = _HEAD_TOP if point.solver == "head_top" else ()
    return (*top, own, *((side, alias) for alias in (*aliases, *_HAND_ALIASES.get(stem, ()))))


def match_layout(names: Sequence[str], layout: Layout, reason: str) -> PointMatch:
    """Match *layout* to points named *names*, in any order; a layout's own names take precedence over aliases.

    Names that end in "study" are OpenCap's markers and never match.
    """
    of_key: dict[Key, int] = {}
    for rank in range(max(len(name_keys(name)) for name in names)):
        for index, name in enumerate(names):
            keys = name_keys(name)
            if rank < len(keys) and not name.lower().endswith("study"):
                of_key.setdefault(keys[rank], index)
    order = [-1] * len(layout.points)
    used: set[int] = set()
    keys_of_points = [_keys_of(layout, point) for point in layout.points]
    for rank in range(max(len(keys) for keys in keys_of_points)):
        for column, keys in enumerate(keys_of_points):
            found = of_key.get(keys[rank]) if rank < len(keys) else None
            if order[column] < 0 and found is not None and found not in used:
                order[column] = found
                used.add(found)
    return PointMatch(layout, tuple(order), reason)


def best_match(names: Sequence[str], layouts: Sequence[Layout] | None = None) -> PointMatch | None:
    """Return the layout that matches most of *names*, among equals with the fewest absent points; None if none fits."""
    candidates = [layout for layout in layouts or tuple(LAYOUTS.values()) if layout.name not in ORDERED_ONLY]
    matches = [match_layout(names, layout, "detected from the point names") for layout in candidates]
    fitting = [match for match in matches if not match.lacking]
    return max(fitting, key=lambda match: (match.num_matched, -len(match.absent)), default=None)
