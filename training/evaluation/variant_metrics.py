"""Metrics of variants: the network alone on test pairs, and in the fit on clips of held-out subjects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from core.body.data import BodyData
from core.body.free_body import load_free_body
from core.fit import FitOptions
from core.fit.observations import solver_points
from core.fit.priors.pose_predictor import WEIGHTS, PosePredictor
from core.fit.solver.gauss_newton import Targets
from core.fit.solver.initial_pose import analytic_start
from core.math.rotations import matrix_to_axis_angle
from core.motion import Motion
from core.network.weights import NetworkInfo, write_weights

from ..convert_checkpoint import fold_network
from ..data.body_perturbation import perturb_bones
from ..data.motion_folder import Clip
from ..network.checkpoints import load_checkpoint
from ..network.networks import network_of
from ..network.pose_mlp import PoseMlp
from ..run.validation import ANALYTIC, UNTOUCHED
from .fit_conditions import Condition
from .fit_metrics import Evaluation, Row, summarise
from .realistic_errors import ErrorModel
from .variants import Variant, read_metrics, write_metrics

OTHER_BODY = "another body"
CONDITIONS = (
    Condition("clean"),
    Condition("10 mm noise", errors=ErrorModel(white_m=0.01)),
    Condition("20 % missing", missing=0.2),
    Condition("17 points (COCO)", layout="coco17"),
    Condition(OTHER_BODY),
)
"""All with the true betas; they test training on noise, missing points, layouts and other bodies."""
USES = (("none", 1), ("all", 1), ("all", 2), ("all", 3), ("arms", 1), ("arms", 2), ("arms", 3))
"""Joints that a network predicts in the fit, and its number of passes."""
PASSES = (1, 2, 3)
_SIGMA_M = 1e-3
_OTHER_BODY_SEED = 7
_ARM_JOINTS = ("left_shoulder", "right_shoulder", "left_elbow", "right_elbow")

MetricRows = dict[str, dict[str, float]]
"""PVE (``pve_mm``) and the rotation error of upper arms and forearms (``arm_deg``), by row."""


@dataclass(frozen=True, eq=False)
class FitTest:
    """The test of networks in the fit.

    Attributes:
        clips: clips of held-out subjects.
        folder: cache of the results.
    """

    clips: Sequence[Clip]
    folder: Path

    def in_fit(self, options: FitOptions) -> MetricRows:
        """Return the metrics of the fit with *options*, a row for each of `CONDITIONS`."""
        options = replace(options, workers=1)
        usual, other = Evaluation(options), Evaluation(options, self._other_body())
        return {
            condition.name: self._row((other if condition.name == OTHER_BODY else usual).measure, condition)
            for condition in CONDITIONS
        }

    def alone(self, passes: int) -> MetricRows:
        """Return the metrics of the shipped network's prediction of all joints after *passes*, without refinement."""
        predictor = PosePredictor(joints="all", passes=passes)
        evaluation = Evaluation()
        return {CONDITIONS[0].name: self._row(partial(_measure_prediction, evaluation, predictor), CONDITIONS[0])}

    def _row(self, measure: Callable[[Clip, Condition], Row], condition: Condition) -> dict[str, float]:
        row = summarise([measure(clip, condition) for clip in self.clips])
        return {"pve_mm": row.pve_mm, "arm_deg": row.arm_deg}

    def _other_body(self) -> BodyData:
        """Return a body with other bones and another name, so that its betas are hidden from the network."""
        moved = perturb_bones(load_free_body(), np.random.default_rng(_OTHER_BODY_SEED))
        return replace(moved, name="other_bones")

    def cached_or_measured(self, name: str, weights: Path, measure: Callable[[], MetricRows]) -> MetricRows:
        """Return the cached metrics *name* if they belong to these weights and clips; otherwise measure them."""
        key = {
            "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
            "clips": [clip.name for clip in self.clips],
            "conditions": [str(condition) for condition in CONDITIONS],
        }
        path = self.folder / f"{name}.json"
        if path.is_file():
            cached = json.loads(path.read_text(encoding="utf-8"))
            if cached["asked"] == key:
                metrics: MetricRows = cached["figures"]
                return metrics
        metrics = measure()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_metrics(path, {"asked": key, "figures": metrics})
        return metrics


def _measure_prediction(evaluation: Evaluation, predictor: PosePredictor, clip: Clip, condition: Condition) -> Row:
    """Return the metrics of *predictor*'s expected poses for a clip, from the analytic start, without refinement."""
    track = evaluation.track(clip, condition)
    points = solver_points(track)
    keypoints = evaluation.solver_keypoints(clip, points.names)
    targets = Targets(points.positions.astype(np.float32), points.weights.astype(np.float32))
    start, trans = analytic_start(points.names, keypoints, targets)
    expected = predictor.predict(points.names, keypoints, start, targets, sigma_m=_SIGMA_M)
    poses = matrix_to_axis_angle(expected.rotations.astype(np.float64)).reshape(len(start), -1)
    return evaluation.compare(clip, condition, Motion(poses, clip.drawn_betas(), trans, clip.fps))


def measure_shipped(test: FitTest) -> dict[str, MetricRows]:
    """Measure the shipped network in each of `USES`, and alone."""
    rows = {
        f"{joints} {passes}": test.cached_or_measured(
            f"shipped_{joints}_{passes}",
            WEIGHTS,
            partial(test.in_fit, FitOptions(network_joints=joints, network_passes=passes)),
        )
        for joints, passes in USES
    }
    for passes in PASSES:
        rows[f"alone {passes}"] = test.cached_or_measured(
            f"shipped_alone_{passes}", WEIGHTS, partial(test.alone, passes)
        )
    return rows


def measure_variant(variant: Variant, test: FitTest) -> dict[str, Any]:
    """Measure a trained variant: number of training ``pairs``, ``alone`` on the test pairs, and in the ``fit``.

    Only pose networks are measured in the fit; for other architectures ``fit`` is empty.
    """
    checkpoint = load_checkpoint(variant.checkpoint)
    table = read_metrics(variant)
    network = network_of(checkpoint, variant.checkpoint)
    metrics: dict[str, Any] = {
        "pairs": checkpoint.training["step"] * variant.config.training.batch_size,
        "alone": {row: _alone(values) for row, values in table.items()},
        "fit": {},
    }
    if isinstance(network, PoseMlp):
        info = NetworkInfo("", checkpoint.body, "", architecture=checkpoint.architecture)
        weights = variant.config.run_folder / "weights.npz"
        write_weights(weights, fold_network(network, info))
        name = f"{variant.group}_{variant.name}"
        metrics["fit"] = test.cached_or_measured(name, weights, partial(test.in_fit, FitOptions(network=weights)))
    return metrics


def _alone(values: Mapping[str, float]) -> dict[str, float]:
    arms = [values[f"angle_deg/{name}"] for name in _ARM_JOINTS]
    return {"pve_mm": values["mpve_mm"], "arm_deg": float(np.mean(arms))}


def pairs_table(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table of variants alone on the test pairs; the first row is the untouched start."""
    first = next(iter(metrics.values()))["alone"]
    rows = [row for row in first if not row.endswith(UNTOUCHED)]
    lines = [_line("MPVE, mm", "pairs", *rows, "arms, deg"), _line(*["---"] * (len(rows) + 3))]
    for name, pairs, alone, suffix in (
        ("untouched start", "", first, UNTOUCHED),
        *((name, f"{one['pairs']:,}", one["alone"], "") for name, one in metrics.items()),
    ):
        cells = [f"{alone[row + suffix]['pve_mm']:.1f}" for row in rows]
        lines.append(_line(_words(name), pairs, *cells, f"{alone[ANALYTIC + suffix]['arm_deg']:.1f}"))
    return "\n".join(lines)


def fit_table(metrics: Mapping[str, MetricRows]) -> str:
    """Return a Markdown table of the fit, PVE and arm error by condition; cells not measured stay empty."""
    names = [condition.name for condition in CONDITIONS]
    lines = [_line("PVE, mm (arms, deg)", *names), _line(*["---"] * (len(names) + 1))]
    for name, rows in metrics.items():
        cells = [f"{rows[one]['pve_mm']:.2f} ({rows[one]['arm_deg']:.2f})" if one in rows else "" for one in names]
        lines.append(_line(_words(name), *cells))
    return "\n".join(lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
