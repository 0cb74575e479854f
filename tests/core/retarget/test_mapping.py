"""The bones of real rigs, as they are and changed in ways that must not matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.retarget.bone_map import CERTAIN, DOUBTFUL, REQUIRED_ROLES, BoneMap, BoneMapError
from core.retarget.mapping import map_bones
from core.retarget.rig import Rig
from tests.core.retarget.bodies import Body, random_body
from tests.core.retarget.changes import add_chains, add_noise, hide_names, move, random_axes, without, without_skin
from tests.core.retarget.rigs import load_rig
from tests.core.retarget.skeletons import FAMILIES, build
from tests.core.retarget.truth import ANIMALS, KINDS, TRUTH, Truth

pytestmark = pytest.mark.slow

_HAIR = [(0.03, -0.04, -0.05), (-0.03, -0.04, -0.05), (0.05, -0.03, 0.01), (-0.05, -0.03, 0.01), (0.0, -0.02, -0.06)]
_CAPE = [(0.02, -0.07, -0.03), (-0.02, -0.07, -0.03), (0.0, -0.07, -0.035)]
_TAIL = [(0.0, -0.02, -0.09)]
_LIMBS = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")


def names_of(rig: Rig, original: Rig, bone_map: BoneMap) -> Truth:
    """Return *bone_map* with the names of *original*, of which *rig* is a renamed copy with further bones."""
    return {
        role: tuple(
            original.names[rig.index[name]] if rig.index[name] < len(original.names) else name for name in chain
        )
        for role, chain in bone_map.bones.items()
    }


def wrong_roles(rig: Rig, found: Truth, truth: Truth) -> list[str]:
    """Return the roles of *truth* whose joint is elsewhere than in *found*, and those that only *found* has."""
    size = float(np.ptp(rig.heads[:, 1]))
    joints = {name: rig.heads[number] for name, number in rig.index.items()}
    return [
        role
        for role in {**truth, **found}
        if role not in found
        or role not in truth
        or found[role][0] not in joints
        or np.linalg.norm(joints[found[role][0]] - joints[truth[role][0]]) > 0.012 * size
    ]


def one_toe_missing(rig: Rig) -> Rig:
    toes = [
        name for name in ("ball_l", "toes.l", "toes.L", "LeftToeBase", "mixamorig:LeftToeBase") if name in rig.index
    ]
    return without(rig, toes)


def with_chains(rig: Rig) -> Rig:
    head = next(name for name in rig.names if name.rpartition(":")[2].lower() == "head")
    chest = next(name for name in ("spine_03", "Spine1", "mixamorig:Spine2", "chest", "spine01") if name in rig.index)
    hips = next(name for name in ("pelvis", "Hips", "mixamorig:Hips", "hips", "root") if name in rig.index)
    return add_chains(add_chains(add_chains(rig, head, _HAIR), chest, _CAPE), hips, _TAIL)


_CHANGES: dict[str, Callable[[Rig], Rig]] = {
    "as it is": lambda rig: rig,
    "random axes": random_axes,
    "turned": lambda rig: move(rig, yaw=30.0),
    "turned about": lambda rig: move(rig, yaw=180.0, offset=(3.0, 0.5, -2.0)),
    "small": lambda rig: move(rig, scale=0.01),
    "large": lambda rig: move(rig, scale=100.0),
    "without skin": without_skin,
    "with hair, cape and tail": with_chains,
}


@pytest.mark.parametrize("change", _CHANGES)
@pytest.mark.parametrize("name", TRUTH)
def test_a_named_rig_is_mapped_and_certain(name: str, change: str) -> None:
    rig = _CHANGES[change](load_rig(name))
    bone_map = map_bones(rig)
    assert bone_map.bones == TRUTH[name]
    assert bone_map.doubtful == () and bone_map.missing == ()
    bone_map.check(rig)


@pytest.mark.parametrize("change", _CHANGES)
@pytest.mark.parametrize("name", TRUTH)
def test_a_nameless_rig_is_mapped_but_not_certain(name: str, change: str) -> None:
    original = load_rig(name)
    rig = hide_names(_CHANGES[change](original))
    bone_map = map_bones(rig)
    assert wrong_roles(original, names_of(rig, original, bone_map), TRUTH[name]) == []
    assert all(DOUBTFUL <= value < CERTAIN for value in bone_map.confidence.values())


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("name", [name for name, truth in TRUTH.items() if "left_toe" in truth])
def test_a_missing_toe_on_one_side_changes_nothing_else(name: str, is_named: bool) -> None:
    original = one_toe_missing(load_rig(name))
    rig = original if is_named else hide_names(original)
    truth = {role: chain for role, chain in TRUTH[name].items() if role != "left_toe"}
    assert wrong_roles(original, names_of(rig, original, map_bones(rig)), truth) == []


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_the_family_is_recognised_by_names(name: str, kind: str) -> None:
    assert map_bones(load_rig(name)).kind == kind


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("name", ANIMALS)
def test_an_animal_is_refused(name: str, is_named: bool) -> None:
    rig = load_rig(name)
    with pytest.raises(BoneMapError, match="expected the skeleton of a person, found none: no two (arms|legs)"):
        map_bones(rig if is_named else hide_names(rig))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_mapped_in_any_body_and_pose(family: str) -> None:
    for seed in range(3):
        body = random_body(np.random.default_rng(seed)) if seed else Body()
        rig, truth = build(FAMILIES[family], body)
        if seed:
            rig = move(add_noise(rig, 0.01, seed), yaw=100.0 * seed, scale=10.0 ** (2 - seed))
        bone_map = map_bones(rig)
        assert bone_map.bones == truth
        assert bone_map.kind == FAMILIES[family].kind
        assert bone_map.doubtful == ()


def test_nameless_bodies_with_noise_are_mapped() -> None:
    """Of limbs at least 97 %, of all roles at least 97 %, and none with certainty."""
    right, limbs, total, all_limbs = 0, 0, 0, 0
    for family in FAMILIES.values():
        for seed in (11, 12):
            original, truth = build(family, random_body(np.random.default_rng(seed)))
            rig = hide_names(move(add_noise(original, 0.012, seed), yaw=50.0 * seed))
            bone_map = map_bones(rig)
            wrong = wrong_roles(original, names_of(rig, original, bone_map), truth)
            is_limb = [role.partition("_")[2] in _LIMBS for role in truth]
            total, all_limbs = total + len(truth), all_limbs + sum(is_limb)
            right += len(truth) - sum(role in truth for role in wrong)
            limbs += sum(is_limb) - sum(role.partition("_")[2] in _LIMBS for role in wrong)
            assert max(bone_map.confidence.values()) < CERTAIN
    assert limbs >= 0.97 * all_limbs
    assert right >= 0.97 * total


def _without_limb(*tops: str) -> Rig:
    rig, _ = build(FAMILIES["mixamo"], Body())
    return without(rig, [f"mixamorig:{top}" for top in tops])


@pytest.mark.parametrize(
    ("tops", "lacking"),
    [
        (("LeftUpLeg", "RightUpLeg"), "no two legs"),
        (("LeftUpLeg",), "no two legs"),
        (("LeftFoot", "RightFoot"), "no two legs"),
        (("LeftShoulder", "RightShoulder"), "no two arms"),
        (("RightArm",), "no two arms"),
        (("Hips",), "no two arms and no two legs"),
    ],
)
def test_missing_limbs_are_reported(tops: tuple[str, ...], lacking: str) -> None:
    rig, _ = build(FAMILIES["unreal_5"], Body())
    rig = _without_limb(*tops) if tops != ("Hips",) else without(rig, ["spine_01", "thigh_l", "thigh_r"])
    with pytest.raises(BoneMapError, match=lacking + r" \(") as raised:
        map_bones(rig)
    assert raised.value.reason.startswith(f"{lacking} (") and raised.value.reason.endswith(")")
    assert f": {raised.value.reason}; " in str(raised.value)


def renamed(rig: Rig, roles: Truth) -> Rig:
    """Give the first bones of *roles* names that say nothing."""
    names = {chain[0]: f"thing_{number}" for number, chain in enumerate(roles.values())}
    return replace(rig, names=tuple(names.get(name, name) for name in rig.names))


@pytest.mark.parametrize(
    ("family", "unknown", "kept"), [("mixamo", "upper_arm", "clavicle"), ("smpl", "foot", "toe"), ("unity", "hips", "")]
)
def test_one_unknown_name_makes_no_other_bone_wrong(family: str, unknown: str, kept: str) -> None:
    """A shoulder is no upper arm, a foot beyond the ankle no ankle, and a root on the floor no hips."""
    spec = FAMILIES[family]
    rig, truth = build(replace(spec, above=("Root",)) if unknown == "hips" else spec, Body())
    roles = {role: chain for role, chain in truth.items() if role.endswith(unknown)}
    changed = renamed(rig, roles)
    bone_map = map_bones(changed)
    assert wrong_roles(rig, names_of(changed, rig, bone_map), truth) == []
    assert all(bone_map.confidence[role] >= CERTAIN for role in truth if kept and role.endswith(kept))


def test_joints_of_the_foot_in_the_ankle_do_not_hide_the_front() -> None:
    """MHR's feet have three joints before the ball, the first of them in the ankle."""
    limbs = FAMILIES["mhr"].limbs | {"foot": ("{s}_foot", "{s}_talocrural", "{s}_subtalar")}
    rig, truth = build(replace(FAMILIES["mhr"], limbs=limbs), Body())
    for side in "lr":
        rig.heads[rig.index[f"{side}_talocrural"]] = rig.heads[rig.index[f"{side}_foot"]]
    hidden = move(hide_names(rig), yaw=180.0)
    found = names_of(hidden, rig, map_bones(hidden))
    for side in ("left", "right"):
        assert found[f"{side}_foot"][0] == truth[f"{side}_foot"][0] == f"{side[0]}_foot"


def _rehang(tops: tuple[str, ...]) -> Rig:
    rig, _ = build(FAMILIES["mixamo"], Body())
    for top in tops:
        rig.parents[rig.index[f"mixamorig:{top}"]] = -1
    return rig


def test_feet_that_are_roots_are_mapped_and_reported() -> None:
    bone_map = map_bones(_rehang(("LeftFoot", "RightFoot")))
    assert bone_map.bones["left_foot"] == ("mixamorig:LeftFoot",)
    assert set(bone_map.doubtful) == {"left_foot", "right_foot", "left_toe", "right_toe"} | {
        role for role in bone_map.doubtful if role in ("hips", "spine")
    }
    assert any("hang from no bone of the limb" in note for note in bone_map.notes)


def test_a_named_forearm_elsewhere_is_mapped_but_in_doubt() -> None:
    """Exported control rigs have such arms: the user can correct the map, which an error would not offer."""
    bone_map = map_bones(_rehang(("LeftForeArm", "RightForeArm")))
    assert bone_map.bones["left_forearm"] == ("mixamorig:LeftForeArm",)
    assert bone_map.confidence["left_forearm"] < DOUBTFUL


def test_a_named_animal_is_in_doubt() -> None:
    """Some horses have the bone names of a person."""
    rig, truth = build(FAMILIES["mixamo"], Body(arms_down=88.0))
    hips = rig.heads[rig.index[truth["hips"][0]]].copy()
    lying = hips + (rig.heads - hips)[:, [0, 2, 1]] * [1.0, -1.0, 1.0]
    shift = lying - rig.heads
    for side in ("left", "right"):
        arm = rig.descendants(rig.index[truth[f"{side}_upper_arm"][0]])
        shift[arm] = shift[arm[0]]
        shift[rig.descendants(rig.index[truth[f"{side}_thigh"][0]])] = 0.0
    rig.heads[:] += shift
    bone_map = map_bones(rig)
    assert max(bone_map.confidence[role] for role in REQUIRED_ROLES) < DOUBTFUL
    assert "it stands on arms and legs like an animal" in bone_map.notes


def test_legs_that_are_roots_are_reported() -> None:
    bone_map = map_bones(_rehang(("LeftUpLeg", "RightUpLeg")))
    assert bone_map.confidence["hips"] < DOUBTFUL
    assert "the legs hang from no bone of the trunk" in bone_map.notes


def test_a_second_head_is_reported() -> None:
    rig, _ = build(FAMILIES["mixamo"], Body())
    rig = add_chains(rig, "mixamorig:Spine2", [(0.03, 0.07, 0.0)], count=3)
    names = tuple("Head.001" if name.endswith("Spine2_0_2") else name for name in rig.names)
    bone_map = map_bones(Rig(names, rig.parents, rig.heads, rig.tails, rig.axes, rig.deform))
    assert bone_map.confidence["head"] < DOUBTFUL
    assert "there is more than one head" in bone_map.notes


def test_names_alone_suffice_if_the_rest_pose_is_uninformative() -> None:
    """Some BVH files put all joints on one line."""
    rig, truth = build(FAMILIES["bandai"], Body())
    lengths = np.linalg.norm(rig.heads - rig.heads[rig.parents], axis=1)
    line = np.zeros_like(rig.heads)
    for bone, parent in enumerate(rig.parents):
        if parent >= 0:
            line[bone] = line[parent] + [0.0, lengths[bone], 0.0]
    straight = Rig(rig.names, rig.parents, line, line + [0.0, 0.1, 0.0], rig.axes, rig.deform)
    bone_map = map_bones(straight)
    assert bone_map.bones == truth
    assert min(bone_map.confidence[role] for role in REQUIRED_ROLES) >= CERTAIN
    with pytest.raises(BoneMapError):
        map_bones(hide_names(straight))


def test_sides_are_those_of_the_names_even_if_the_feet_point_back() -> None:
    rig, _ = build(FAMILIES["mixamo"], Body())
    swapped = tuple(name.replace("Left", "#").replace("Right", "Left").replace("#", "Right") for name in rig.names)
    bone_map = map_bones(Rig(swapped, rig.parents, rig.heads, rig.tails, rig.axes, rig.deform))
    assert bone_map.bones["left_hand"] == ("mixamorig:LeftHand",)
    assert "left_hand" in bone_map.doubtful
    assert any("the feet point the other way" in note for note in bone_map.notes)


def test_a_control_rig_is_read_by_its_deforming_bones() -> None:
    """Deforming bones hang from control bones that stand in the same place, as Rigify generates them."""
    plain, truth = build(FAMILIES["eight_vertebrae"], Body())
    count = len(plain.names)
    parents = np.where(plain.parents >= 0, plain.parents, -1)
    names = (*(f"ORG-{name}" for name in plain.names), *(f"DEF-{name}" for name in plain.names))
    rig = Rig(
        names,
        np.concatenate((parents, np.arange(count))),
        np.tile(plain.heads, (2, 1)),
        np.tile(plain.tails, (2, 1)),
        np.tile(plain.axes, (2, 1, 1)),
        np.repeat([False, True], count),
    )
    expected = {role: tuple(f"DEF-{name}" for name in chain) for role, chain in truth.items()}
    assert map_bones(rig).bones == expected
    assert map_bones(rig).doubtful == ()


def _random_tree(count: int, seed: int) -> Rig:
    random = np.random.default_rng(seed)
    parents = np.array([-1, *(int(random.integers(-1 if seed % 2 else 0, bone)) for bone in range(1, count))])
    heads = random.normal(size=(count, 3)) if seed % 3 else np.zeros((count, 3))
    return _nameless(parents, heads)


def _nameless(parents: np.ndarray, heads: np.ndarray) -> Rig:
    count = len(parents)
    names = tuple(f"bone_{number}" for number in range(count))
    return Rig(names, parents, heads, heads + 0.1, np.tile(np.eye(3), (count, 1, 1)), np.ones(count, dtype=bool))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 30, 300])
@pytest.mark.parametrize("seed", range(6))
def test_any_tree_gives_a_map_or_our_error(count: int, seed: int) -> None:
    rig = _random_tree(count, seed)
    try:
        bone_map = map_bones(rig)
    except BoneMapError:
        return
    assert max(bone_map.confidence.values()) < CERTAIN


@pytest.mark.parametrize("shape", ["chain", "star", "chains", "roots"])
def test_the_largest_skeletons_are_looked_through(shape: str) -> None:
    numbers = np.arange(5_000)
    parents = {
        "chain": numbers - 1,
        "star": np.zeros_like(numbers),
        "chains": np.where(numbers % 8 == 1, 0, numbers - 1),
        "roots": np.full_like(numbers, -1),
    }[shape]
    parents[0] = -1
    with pytest.raises(BoneMapError):
        map_bones(_nameless(parents, np.random.default_rng(0).normal(size=(5_000, 3))))
