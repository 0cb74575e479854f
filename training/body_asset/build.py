"""Build the free body step by step. N people, V vertices."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.body.data import BodyData
from core.body.free_body import NAME, decode_free_body

from .compact import encode
from .fingers import Fingers, finger_centres, finger_regressor, finger_shares
from .joint_regressor import fit_joint_regressor
from .joints import JOINT_MIRROR, anatomical_heads, smpl_joint_centres, smpl_joint_of_bone
from .knuckles import knuckle_centres
from .makehuman import MakeHuman
from .population import Population
from .pose_correctives import SkinnedBody, fit_pose_correctives
from .poses import random_poses
from .shape_space import ShapeSpace, fit_shape_space
from .skinning import merge_bones, prune
from .surface import NUM_BODY_VERTICES, Surface, build_surface, symmetrise
from .target_skin import TargetSkin
from .texture import texture_coordinates
from .tpose import bone_ends, pose, tpose_rotations

_logger = logging.getLogger(__name__)

NUM_PEOPLE = 1500
NUM_REGRESSOR_PEOPLE = 500
_NUM_SURFACE_PEOPLE = 200
_NUM_POSES = 700
_BATCH = 250
_PELVIS = np.array([0.0, -0.22, 0.03])
"""Pelvis joint of all bodies, metres: it does not move with betas."""


@dataclass(frozen=True)
class People:
    """The population in the T-pose.

    Attributes:
        vertices: (N, V, 3) float32.
        joints: (N, 24, 3) joint centres in SMPL's order.
        knuckles: (N, 5, 3) knuckles of the left hand, thumb to pinky.
        fingers: (N, 15, 3) joint centres of the left hand's fingers in SMPL-H's order.
        traits: (N,) values by phenotype axis.
    """

    vertices: np.ndarray
    joints: np.ndarray
    knuckles: np.ndarray
    fingers: np.ndarray
    traits: dict[str, np.ndarray]


@dataclass(frozen=True)
class Build:
    """Result of a build.

    Attributes:
        arrays: arrays of the compact file.
        exact: the body with SMPL's 24 joints before compression, float64.
        fingers: its finger joints before compression.
        decoded: the body decoded from the compact file.
        surface: the mesh.
        people: the population.
        space: the shape space.
        skin: the target skin of the pose correctives.
    """

    arrays: dict[str, np.ndarray]
    exact: BodyData
    fingers: Fingers
    decoded: BodyData
    surface: Surface
    people: People
    space: ShapeSpace
    skin: TargetSkin


def _mean_tpose(human: MakeHuman, population: Population) -> np.ndarray:
    """Return the symmetric full-resolution mean body (13380, 3) in the T-pose."""
    people = _tpose(human, population, np.arange(NUM_BODY_VERTICES), 0, _NUM_SURFACE_PEOPLE)[0]
    return symmetrise(people.mean(0, dtype=np.float64), human.mirror[:NUM_BODY_VERTICES])


def _tpose(
    human: MakeHuman, population: Population, source: np.ndarray, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices *source*, joints, left knuckles and left finger joints of a batch of people in the T-pose."""
    standing = population.vertices(start, stop)
    heads, tails = bone_ends(human.rig, standing)
    heads = anatomical_heads(heads)
    tpose = tpose_rotations(human.rig, heads, tails)
    vertices, posed = pose(human.rig, standing[:, source], heads, tpose, human.rig.weights[source])
    joints = smpl_joint_centres(posed)
    shift = (_PELVIS - joints[:, 0])[:, None]
    knuckles, fingers = knuckle_centres(posed) + shift, finger_centres(posed) + shift
    return vertices + shift.astype(np.float32), joints + shift, knuckles, fingers


def _tpose_everyone(human: MakeHuman, population: Population, surface: Surface) -> People:
    batches = [
        _tpose(human, population, surface.source, start, min(start + _BATCH, len(population)))
        for start in range(0, len(population), _BATCH)
    ]
    vertices, joints, knuckles, fingers = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    joints = (joints + joints[:, JOINT_MIRROR] * np.array([-1, 1, 1])) / 2
    return People(symmetrise(vertices, surface.mirror), joints, knuckles, fingers, population.traits)


def build_free_body(wheel: Path) -> Build:
    """Build the free body from the CC0 data in *wheel*, deterministically; this takes one to two minutes on a core."""
    rng = np.random.default_rng(0)
    human = MakeHuman(wheel)
    population = Population(human, NUM_PEOPLE, rng)
    _logger.info("population of %d drawn", len(population))

    bone_weights = merge_bones(human.rig.weights, smpl_joint_of_bone(human.rig))[:NUM_BODY_VERTICES]
    surface = build_surface(human, _mean_tpose(human, population), bone_weights)
    _logger.info("surface: %d vertices, %d faces", len(surface.source), len(surface.faces))

    people = _tpose_everyone(human, population, surface)
    space = fit_shape_space(people.vertices, surface.faces, surface.mirror, people.traits["weight"])
    _logger.info("shape space explains %.1f %%", 100 * space.explained.sum())

    subset = slice(0, NUM_REGRESSOR_PEOPLE)
    regressor = fit_joint_regressor(
        people.vertices[subset], people.joints[subset], bone_weights[surface.source], surface.mirror
    )
    weights = prune(bone_weights[surface.source], surface.mirror)
    shares = finger_shares(human.rig, human.rig.weights[surface.source], weights, surface.mirror)
    fingers = Fingers(finger_regressor(people.vertices[subset], people.fingers[subset], shares, surface.mirror), shares)
    _logger.info("joint regressors and weights done")

    skin = TargetSkin(human.rig, surface.source)
    plain = SkinnedBody(space.mean, space.directions, regressor, weights, surface.mirror)
    pose_rng = np.random.default_rng(1)
    poses = random_poses(_NUM_POSES, pose_rng)
    betas = pose_rng.normal(size=(_NUM_POSES, space.betas.shape[1]))
    posedirs = fit_pose_correctives(plain, skin, poses, betas, pose_rng)
    _logger.info("pose correctives done")

    exact = BodyData(
        name=NAME,
        gender="neutral",
        v_template=space.mean,
        faces=surface.faces.astype(np.int32),
        shapedirs=space.directions,
        posedirs=posedirs,
        joint_regressor=regressor,
        weights=weights,
        texture=texture_coordinates(human, surface, space.mean),
    )
    arrays = encode(exact, fingers, surface)
    return Build(arrays, exact, fingers, decode_free_body(arrays), surface, people, space, skin)
