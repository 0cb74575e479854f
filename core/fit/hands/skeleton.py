"""The hands of a body as five chains of three joints each. H hands, L fingers, F frames.

Each finger has its own axes at rest: x along its first bone, y to the palm, z the axis about which its joints bend.
Both hands are solved as left hands: the right one is mirrored in the plane x = 0.

Convention: SMPL's axes in the wrist's frame, in which the left hand points to +X with its palm down (-Y). Arrays have
the fingers and hands before the frames, so that sums over all frames are sums of long rows: (..., L, H, F). Fingers are
in the order of `core.layouts.FINGERS`, hands are left and right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...body.data import BodyData
from ...body.topology import VERTEX_IDS_BY_COUNT
from ...layouts import FINGERS
from ...smpl_skeleton import FINGERS as SMPLH_FINGERS
from ...smpl_skeleton import SIDES

NUM_ANGLES = 5
"""Angles of a finger: flexion, abduction and twist of its first joint, then flexion of the second and the third."""
FLEXION, ABDUCTION, TWIST, MIDDLE, END = range(NUM_ANGLES)
_THUMB = FINGERS.index("thumb")
_THUMB_AXIS = np.array([0.494, 0.832, -0.254])
"""The axis about which a left thumb bends: normal to its bone and to the narrow side of its end on the free body."""
_SMPLH_ORDER = [FINGERS.index(finger) for finger in SMPLH_FINGERS]
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Hands:
    """Both hands of a shaped body, mirrored into left hands.

    Attributes:
        palm: (3, L, H) the fingers' first joints, relative to the wrist, metres.
        axes: (3, 3, L, H) columns are the finger's own axes at rest.
        bones: (3, 3, L, H) first axis the bone, second its vector in the finger's axes at rest, metres.
    """

    palm: np.ndarray
    axes: np.ndarray
    bones: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Lengths (3, L, H) of the bones, metres."""
        lengths: np.ndarray = np.sqrt((self.bones**2).sum(axis=1))
        return lengths

    @property
    def rest_bends(self) -> np.ndarray:
        """Angles (2, L, H) by which the second and third joint are bent at rest."""
        slopes = np.arctan2(self.bones[:, 1], self.bones[:, 0])
        return np.diff(slopes, axis=0)


def rest_joints(body: BodyData, betas: np.ndarray) -> np.ndarray:
    """Return the rest joints (J, 3) of *body* with *betas* (B,), metres."""
    joints: np.ndarray = body.joint_regressor.astype(np.float64) @ (body.v_template + body.shapedirs @ betas)
    return joints


def hands_of_body(body: BodyData, betas: np.ndarray) -> Hands:
    """Return the hands of *body*, which has SMPL-H's joints, with *betas* (B,)."""
    vertices, joints = body.v_template + body.shapedirs @ betas, rest_joints(body, betas)
    tips = VERTEX_IDS_BY_COUNT[len(vertices)]
    chains = np.empty((len(SIDES), len(FINGERS), 4, 3))
    for hand, side in enumerate(SIDES):
        wrist = joints[body.skeleton.index(f"{side}_wrist")]
        for number, finger in enumerate(FINGERS):
            rows = [joints[body.skeleton.index(f"{side}_{finger}{joint}")] for joint in (1, 2, 3)]
            chains[hand, number] = np.stack([*rows, vertices[tips[f"{side}_{finger}_tip"]]]) - wrist
    chains[1] *= MIRROR
    return hands_of_chains(chains)


def hands_of_chains(chains: np.ndarray) -> Hands:
    """Return the hands with the joints and tips *chains* (H, L, 4, 3), both as left hands, relative to the wrist."""
    bones = np.diff(chains, axis=2)
    dorsal = np.cross(_knuckle(chains, "index"), _knuckle(chains, "pinky"))
    dorsal *= np.sign(dorsal[:, 1:2])
    bend = np.cross(dorsal[:, None], bones[:, :, 0])
    bend[:, _THUMB] = _THUMB_AXIS
    bend[:, _THUMB] = _normal_part(bend[:, _THUMB], _unit(bones[:, _THUMB, 1] + bones[:, _THUMB, 2]))
    along = _unit(_normal_part(bones[:, :, 0], _unit(bend)))
    bend = _unit(bend)
    axes = np.stack([along, np.cross(bend, along), bend], axis=-1)
    local = np.einsum("hfja,hfac->jchf", bones, axes)
    return Hands(chains[:, :, 0].transpose(2, 1, 0), axes.transpose(2, 3, 1, 0), local.transpose(0, 1, 3, 2))


def _knuckle(chains: np.ndarray, finger: str) -> np.ndarray:
    return chains[:, FINGERS.index(finger), 0]


def _unit(vectors: np.ndarray) -> np.ndarray:
    normalised: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return normalised


def _normal_part(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the part of *vectors* (..., 3) normal to the unit vectors *direction* (..., 3)."""
    along = (vectors * direction).sum(axis=-1, keepdims=True)
    part: np.ndarray = vectors - along * direction
    return part


@dataclass(frozen=True, eq=False)
class Chain:
    """Bones of all fingers in one pose, in the finger's axes, relative to its first joint.

    Attributes:
        points: three arrays (3, L, H, F): the second and third joint and the tip.
        frame: three arrays (3, L, H, F): the first bone's axes; the last one is the axis of the second and third joint.
    """

    points: tuple[np.ndarray, np.ndarray, np.ndarray]
    frame: tuple[np.ndarray, np.ndarray, np.ndarray]


def first_frame(flexion: np.ndarray, abduction: np.ndarray, twist: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the axes of the first bone: rotated about z by *flexion*, about y by *abduction*, about x by *twist*."""
    cf, sf, ca, sa, ct, st = (function(angle) for angle in (flexion, abduction, twist) for function in (np.cos, np.sin))
    x = np.stack([cf * ca, sf * ca, -sa])
    y = np.stack([cf * sa * st - sf * ct, sf * sa * st + cf * ct, ca * st])
    z = np.stack([cf * sa * ct + sf * st, sf * sa * ct - cf * st, ca * ct])
    return x, y, z


def pose_chain(angles: np.ndarray, bones: np.ndarray) -> Chain:
    """Return the fingers with *angles* (5, L, H, F) and *bones* (3, 3, L, H, 1 or F)."""
    x, y, z = first_frame(*angles[:3])
    points: list[np.ndarray] = []
    for bone, bend in zip(bones, (None, angles[MIDDLE], angles[MIDDLE] + angles[END]), strict=True):
        along, across, aside = bone
        if bend is not None:
            cosine, sine = np.cos(bend), np.sin(bend)
            along, across = along * cosine - across * sine, along * sine + across * cosine
        vector = along * x + across * y + aside * z
        points.append(vector if not points else points[-1] + vector)
    return Chain((points[0], points[1], points[2]), (x, y, z))


def joint_rotations(angles: np.ndarray, hands: Hands) -> np.ndarray:
    """Return the local rotations (F, H, 15, 3, 3) of SMPL-H's finger joints, of a left and a right hand."""
    num_frames = angles.shape[-1]
    first = np.stack(first_frame(*angles[:3]), axis=1)
    zero = np.zeros_like(angles[0])
    hinges = [np.stack(first_frame(angles[joint], zero, zero), axis=1) for joint in (MIDDLE, END)]
    local = np.stack([first, *hinges])
    rotations = np.einsum("ablh,jbclhf,dclh->fhljad", hands.axes, local, hands.axes, optimize=True)
    rotations = rotations[:, :, _SMPLH_ORDER].reshape(num_frames, len(SIDES), -1, 3, 3)
    mirrored: np.ndarray = rotations * np.stack([np.ones((3, 3)), np.outer(MIRROR, MIRROR)])[:, None]
    return mirrored


def hand_points(angles: np.ndarray, hands: Hands) -> np.ndarray:
    """Return the points (F, H, 20, 3) of hands with *angles*: four joints per finger from root to tip.

    Both are left hands, relative to the wrist.
    """
    chain = pose_chain(angles, hands.bones[..., None])
    roots = np.broadcast_to(hands.palm[..., None], chain.points[0].shape)
    turned = [np.einsum("ablh,blhf->alhf", hands.axes, point) + roots for point in chain.points]
    points = np.stack([roots, *turned])
    ordered: np.ndarray = points.transpose(4, 3, 2, 0, 1).reshape(points.shape[-1], len(SIDES), -1, 3)
    return ordered


def angles_of(rotations: np.ndarray, hands: Hands) -> np.ndarray:
    """Return the angles (5, L, H, F) of SMPL-H's finger joints, the inverse of `joint_rotations`.

    What the angles cannot express, such as a twist of an end joint, is dropped.

    Args:
        rotations: (F, H, 15, 3, 3) local rotations of a left and a right hand.
        hands: the hands whose axes the angles have.
    """
    mirrored = rotations.copy()
    mirrored[:, 1] *= np.outer(MIRROR, MIRROR)
    chains = mirrored.reshape(len(rotations), len(SIDES), len(FINGERS), 3, 3, 3)[:, :, np.argsort(_SMPLH_ORDER)]
    local = np.einsum("ablh,fhljac,cdlh->jbdlhf", hands.axes, chains, hands.axes, optimize=True)
    first, hinges = local[0], local[1:]
    flexion = np.arctan2(first[1, 0], first[0, 0])
    abduction = -np.arcsin(np.clip(first[2, 0], -1.0, 1.0))
    twist = np.arctan2(first[2, 1], first[2, 2])
    bends = [np.arctan2(hinge[1, 0] - hinge[0, 1], hinge[0, 0] + hinge[1, 1]) for hinge in hinges]
    return np.stack([flexion, abduction, twist, *bends])
