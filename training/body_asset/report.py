"""Report on a build: mesh, shape space, joints, correctives, compression, knuckles. Lengths in millimetres."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.body.data import BodyData
from core.body.free_body import decode_fingers
from core.skeleton import LEFT_HAND
from core.smpl_skeleton import JOINT_NAMES, SMPLH

from .build import NUM_REGRESSOR_PEOPLE, Build
from .knuckles import FINGERS, fit_rules
from .pose_correctives import Sample, SkinnedBody, mirror_correctives, pose_sample
from .poses import random_poses
from .skinning import linear_blend
from .surface import boundary_loops

_NUM_HELD_OUT = 100
_MILLIMETRES = 1e3
_BATCH = 100


def mesh_report(faces: np.ndarray, vertices: np.ndarray) -> dict[str, Any]:
    """Return counts, Euler characteristic, watertightness and volume of a triangle mesh."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    directed = edges[:, 0] * len(vertices) + edges[:, 1]
    undirected, uses = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    double_area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return {
        "vertices": len(vertices),
        "faces": len(faces),
        "euler": len(np.unique(faces)) - len(undirected) + len(faces),
        "watertight": bool((uses == 2).all() and len(np.unique(directed)) == len(directed)),
        "holes": len(boundary_loops(faces)),
        "volume_litres": float(np.einsum("fc,fc->", a, np.cross(b, c)) / 6 * 1e3),
        "smallest_face_mm2": float(double_area.min() / 2 * 1e6),
        "stature_m": float(np.ptp(vertices[:, 1])),
    }


def _symmetry(body: BodyData, mirror: np.ndarray) -> dict[str, float]:
    flip = np.array([-1.0, 1.0, 1.0])
    return {
        "v_template_mm": float(_MILLIMETRES * np.abs(body.v_template[mirror] * flip - body.v_template).max()),
        "shapedirs_mm": float(_MILLIMETRES * np.abs(body.shapedirs[mirror] * flip[:, None] - body.shapedirs).max()),
        "posedirs_mm": float(_MILLIMETRES * np.abs(mirror_correctives(body.posedirs, mirror) - body.posedirs).max()),
    }


def _shape(build: Build) -> dict[str, Any]:
    errors = []
    for start in range(0, len(build.people.vertices), _BATCH):
        part = slice(start, start + _BATCH)
        rebuilt = plain_body(build.exact, build.surface.mirror).shaped(build.space.betas[part])
        errors.append(np.linalg.norm(rebuilt - build.people.vertices[part], axis=-1).mean(1))
    mean_error = _MILLIMETRES * np.concatenate(errors)
    stature = {}
    for beta in (-2.0, 2.0):
        shaped = build.exact.v_template + beta * build.exact.shapedirs[:, :, 0]
        stature[f"{beta:+.0f}"] = float(np.ptp(shaped[:, 1]))
    return {
        "variance_explained": build.space.explained.tolist(),
        "variance_explained_sum": float(build.space.explained.sum()),
        "reconstruction_mean_mm": float(mean_error.mean()),
        "reconstruction_worst_person_mm": float(mean_error.max()),
        "stature_by_beta0_m": stature,
    }


def _joints(build: Build) -> dict[str, dict[str, float]]:
    held_out = slice(NUM_REGRESSOR_PEOPLE, None)
    regressor = build.exact.joint_regressor
    regressed = np.einsum("jv,nvc->njc", regressor, build.people.vertices[held_out], optimize=True)
    error = _MILLIMETRES * np.linalg.norm(regressed - build.people.joints[held_out], axis=-1)
    return {
        name: {
            "vertices": int((regressor[joint] > 0).sum()),
            "mean_mm": float(error[:, joint].mean()),
            "max_mm": float(error[:, joint].max()),
        }
        for joint, name in enumerate(JOINT_NAMES)
        if not name.startswith("right_")
    }


def _fingers(build: Build) -> dict[str, dict[str, float]]:
    """Return the errors of the left hand's regressed finger joints on held-out people, and their skinning shares."""
    held_out = slice(NUM_REGRESSOR_PEOPLE, None)
    joints, body = SMPLH.joints_of(LEFT_HAND), decode_fingers(build.arrays, build.decoded)
    regressed = np.einsum("jv,nvc->njc", build.fingers.regressor[: len(joints)], build.people.vertices[held_out])
    error = _MILLIMETRES * np.linalg.norm(regressed - build.people.fingers[held_out], axis=-1)
    return {
        SMPLH.names[joint]: {
            "mean_mm": float(error[:, row].mean()),
            "max_mm": float(error[:, row].max()),
            "vertices_of_its_own": int((body.weights[:, joint] > 0.5).sum()),
        }
        for row, joint in enumerate(joints)
    }


def plain_body(body: BodyData, mirror: np.ndarray) -> SkinnedBody:
    """Return *body* as a `SkinnedBody`, without its correctives."""
    return SkinnedBody(body.v_template, body.shapedirs, body.joint_regressor, body.weights, mirror)


def _posed(body: BodyData, sample: Sample, correct: bool) -> np.ndarray:
    rest = sample.rest
    if correct:
        features = sample.features.reshape(len(sample.features), -1)
        rest = rest + (features @ body.posedirs.reshape(-1, features.shape[1]).T).reshape(rest.shape)
    return linear_blend(rest, body.weights, sample.transforms)


def _error_statistics(error: np.ndarray) -> dict[str, float]:
    error = _MILLIMETRES * error
    return {"mean": float(error.mean()), "p99": float(np.percentile(error, 99)), "max": float(error.max())}


def _correctives(build: Build) -> dict[str, Any]:
    rng = np.random.default_rng(99)
    poses = random_poses(_NUM_HELD_OUT, rng)
    betas = rng.normal(size=(_NUM_HELD_OUT, build.exact.shapedirs.shape[-1]))
    cases = {
        "full range": (poses, 0 * betas),
        "half amplitude": (poses / 2, 0 * betas),
        "full range, random shapes": (poses, betas),
    }
    body = plain_body(build.exact, build.surface.mirror)
    table: dict[str, Any] = {"density": float((build.exact.posedirs != 0).mean())}
    for name, (case_poses, case_betas) in cases.items():
        sample = pose_sample(body, build.skin, case_poses, case_betas)
        table[name] = {
            kind: _error_statistics(np.linalg.norm(_posed(build.exact, sample, correct) - sample.target, axis=-1))
            for kind, correct in (("linear blending", False), ("with correctives", True))
        }
    return table


def _compactness(build: Build) -> dict[str, Any]:
    """Return the vertex error of the compact body over random poses and shapes."""
    rng = np.random.default_rng(7)
    poses, betas = random_poses(_NUM_HELD_OUT, rng), rng.normal(size=(_NUM_HELD_OUT, 10)).clip(-3, 3)
    posed = []
    for body in (build.exact, build.decoded):
        sample = pose_sample(plain_body(body, build.surface.mirror), build.skin, poses, betas)
        posed.append(_posed(body, sample, True))
    return {"vertex_error_mm": _error_statistics(np.linalg.norm(posed[0] - posed[1], axis=-1))}


def _knuckles(build: Build) -> dict[str, Any]:
    joints = np.einsum("jv,nvc->njc", build.exact.joint_regressor, build.people.vertices, optimize=True)
    rules = fit_rules(build.people.vertices, joints, build.people.knuckles)
    positions = zip(FINGERS, build.people.knuckles.mean(0).round(4).tolist(), strict=True)
    return {
        "mean position, m": dict(positions),
        "rules": {
            name: {
                "shares": list(rule.shares),
                "mean_mm": _MILLIMETRES * rule.mean_error,
                "max_mm": _MILLIMETRES * rule.worst_error,
            }
            for name, rule in rules.items()
        },
    }


def report(build: Build) -> dict[str, Any]:
    """Return the report on *build*, ready for JSON."""
    body = build.exact
    weights = body.weights > 0
    return {
        "mesh": mesh_report(build.surface.faces, body.v_template),
        "symmetry": _symmetry(build.decoded, build.surface.mirror),
        "weights": {
            "max_influences": int(weights.sum(1).max()),
            "mean_influences": float(weights.sum(1).mean()),
        },
        "shape": _shape(build),
        "joint_regressor": _joints(build),
        "fingers": _fingers(build),
        "pose_correctives_mm": _correctives(build),
        "compact": _compactness(build),
        "left_knuckles": _knuckles(build),
    }


def as_lines(results: dict[str, Any], indent: str = "") -> list[str]:
    """Format *results* as lines of text; nested tables are indented."""
    lines = []
    for name, value in results.items():
        if isinstance(value, dict) and any(isinstance(item, dict) for item in value.values()):
            lines += [f"{indent}{name}", *as_lines(value, indent + "  ")]
        elif isinstance(value, dict):
            lines.append(f"{indent}{name:<26}" + "  ".join(f"{key} {_short(item)}" for key, item in value.items()))
        else:
            lines.append(f"{indent}{name:<26}{_short(value)}")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + " ".join(_short(item) for item in value) + "]"
    return str(value)
