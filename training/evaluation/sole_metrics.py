"""Contact of the feet's skin with the floor: penetration, gap, slide and jumps. F frames, V vertices, C contacts.

The skin is linear blend skinning without pose correctives, which move soles by less than 2 mm. A foot's skin is the
vertices with the largest weight on its ankle or toe joint; those behind the midpoint of its rear end and the toe joint
are the heel, the others the ball.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.body.model import BodyModel
from core.cleanup import CleanupOptions, CleanupSource, Ground, clean_up
from core.motion import Motion
from core.smpl_skeleton import SIDES

UNDER_M = 0.003
"""A sole farther than this below the floor counts as under it."""
_TOUCH_M = 0.005
"""Skin within this height of a part's lowest vertex touches the floor."""
_NEAR_S = 0.1
_LEVEL = Ground(0.0, np.zeros(2))


@dataclass(frozen=True)
class SoleRow:
    """Effect of a clean-up on soles; each pair of values is before and after it.

    Attributes:
        name: the motions.
        clips: number of clips.
        contacts: number of contacts in all clips.
        under: fraction of the frames with a sole more than 3 mm below the floor.
        lowest_mm: height of a clip's lowest vertex of a foot in any frame, median over clips.
        lowest_worst_mm: the same, lowest of all clips.
        gap_mm: mean distance of the floor from the lowest vertex of a heel or ball in contact.
        slide_mm: mean slide of the touching skin over contacts.
        slide_95_mm: 95th percentile over contacts.
        slide_worst_mm: largest slide.
        sole_jump: largest vertical acceleration of the lowest vertex of a foot, mean over clips, m/s^2.
        sole_jump_worst: the same, largest of all clips.
        ankle_jump: largest acceleration of an ankle, mean over clips, m/s^2.
        ankle_jump_worst: the same, largest of all clips.
        jump_growth_worst: largest excess of either acceleration over the largest nearby before the clean-up, m/s^2.
        pve_mm: per-vertex error with the pelvis joints aligned.
    """

    name: str
    clips: int
    contacts: int
    under: tuple[float, float]
    lowest_mm: tuple[float, float]
    lowest_worst_mm: tuple[float, float]
    gap_mm: tuple[float, float]
    slide_mm: tuple[float, float]
    slide_95_mm: tuple[float, float]
    slide_worst_mm: tuple[float, float]
    sole_jump: tuple[float, float]
    sole_jump_worst: tuple[float, float]
    ankle_jump: tuple[float, float]
    ankle_jump_worst: tuple[float, float]
    jump_growth_worst: float
    pve_mm: tuple[float, float]


@dataclass(frozen=True, eq=False)
class SoleMetrics:
    """Metrics of one motion's soles.

    Attributes:
        lowest: (F, 2) height of each foot's lowest vertex above the floor, metres.
        gaps: (N,) distances between floor and touching skin in all frames of all contacts, metres.
        slides: (C,) slide of each contact, metres.
        ankles: (F, 2, 3) positions of the ankles, metres.
    """

    lowest: np.ndarray
    gaps: np.ndarray
    slides: np.ndarray
    ankles: np.ndarray

    def accelerations(self, fps: float) -> np.ndarray:
        """Return the accelerations (2, F - 2, 2) of the lowest vertices, vertical, and of the ankles, m/s^2."""
        soles, ankles = (np.diff(values, n=2, axis=0) * fps**2 for values in (self.lowest, self.ankles))
        return np.stack([np.abs(soles), np.linalg.norm(ankles, axis=-1)])


class FootSkin:
    """The skin of a shaped body's feet."""

    def __init__(self, model: BodyModel, betas: np.ndarray) -> None:
        """Select the skin of *model* with *betas* (B,)."""
        self._model = model
        shape = np.asarray(betas, dtype=np.float32)
        self._rest = np.asarray(model.rest_joints(shape), dtype=np.float64)
        vertices = np.asarray(model.rest_vertices(shape), dtype=np.float64)
        weights = np.asarray(model.data.weights, dtype=np.float64)
        main = weights.argmax(axis=1)
        self._vertices, self._weights, self.is_heel = [], [], []
        self._ankles = [model.skeleton.index(f"{side}_ankle") for side in SIDES]
        for side, ankle in zip(SIDES, self._ankles, strict=True):
            toe = model.skeleton.index(f"{side}_foot")
            own = np.isin(main, (ankle, toe))
            self._vertices.append(vertices[own])
            self._weights.append(weights[own])
            along = vertices[own, 2]
            self.is_heel.append(along < 0.5 * (along.min() + self._rest[toe, 2]))

    def posed(self, motion: Motion) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the skin of both feet (F, V, 3) and the ankles (F, 2, 3) of *motion*, metres."""
        world, positions = self._model.joint_transforms(motion.rotations(), motion.betas, motion.trans)
        world, positions = np.asarray(world, dtype=np.float64), np.asarray(positions, dtype=np.float64)
        skins = []
        for vertices, weights in zip(self._vertices, self._weights, strict=True):
            skin = np.zeros((len(world), len(vertices), 3))
            for joint in np.flatnonzero(weights.any(axis=0)):
                placed = (vertices - self._rest[joint]) @ world[:, joint].transpose(0, 2, 1) + positions[:, joint, None]
                skin += weights[:, joint, None] * placed
            skins.append(skin)
        return skins, positions[:, self._ankles]

    def measure(self, source: CleanupSource, motion: Motion, floor: Ground) -> SoleMetrics:
        """Return the metrics of *motion* on *floor*, in the contacts of *source*."""
        skins, ankles = self.posed(motion)
        heights = [skin[..., 1] - floor.heights_at(skin) for skin in skins]
        gaps, slides = [np.zeros(0)], []
        for contact in source.contacts:
            side, is_ball = divmod(contact.point, 2)
            part = self.is_heel[side] != bool(is_ball)
            height = heights[side][contact.frames][:, part]
            gaps.append(np.abs(height.min(axis=1)))
            slides.append(_slide(skins[side][contact.frames][:, part][..., [0, 2]], height))
        lowest = np.stack([height.min(axis=1) for height in heights], axis=1)
        return SoleMetrics(lowest, np.concatenate(gaps), np.array(slides), ankles)


def _slide(skin: np.ndarray, height: np.ndarray) -> float:
    """Return the slide on the floor, metres, of touching *skin* (F, V, 2), known by its *height* (F, V).

    The path sums the mean displacements of the vertices that touch in both of two successive frames, so rolling adds
    nothing; the slide is its extent.
    """
    bears = height < height.min(axis=1, keepdims=True) + _TOUCH_M
    both = bears[1:] & bears[:-1]
    both |= ~both.any(axis=1, keepdims=True) & (bears[1:] | bears[:-1])
    steps = (np.diff(skin, axis=0) * both[..., None]).sum(axis=1) / both.sum(axis=1)[:, None]
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    return float(np.linalg.norm(np.ptp(path, axis=0)))


def sole_row(
    sources: Sequence[tuple[CleanupSource, Motion]],
    name: str,
    options: CleanupOptions,
    pve_mm: Callable[[Motion, Motion], float],
) -> SoleRow:
    """Return the effect on soles of the clean-up with *options*, which must put the floor at height 0.

    Args:
        sources: analysed motions, each with its ground truth; those without contacts are left out.
        name: name of the row.
        options: the clean-up.
        pve_mm: returns the error of a motion against its ground truth.
    """
    measured: tuple[list[SoleMetrics], list[SoleMetrics]] = ([], [])
    jumps, growth, errors, weights = [], [], [], []
    for source, truth in sources:
        if not source.contacts or source.ground is None:
            continue
        motions = source.motion, clean_up(source, options)
        skin = FootSkin(source.model, source.motion.betas)
        for metrics, motion, floor in zip(measured, motions, (source.floor, _LEVEL), strict=True):
            metrics.append(skin.measure(source, motion, floor))
        before, after = (metrics[-1].accelerations(truth.fps) for metrics in measured)
        jumps.append(np.stack([before, after]).max(axis=(2, 3)))
        growth.append((after - _largest_near(before, max(1, round(_NEAR_S * truth.fps)))).max())
        errors.append([pve_mm(motion, truth) for motion in motions])
        weights.append(truth.num_frames)
    lowest = [[1000.0 * metrics.lowest.min(axis=1) for metrics in one] for one in measured]
    of_clips = [np.array([values.min() for values in one]) for one in lowest]
    gaps = [1000.0 * np.concatenate([metrics.gaps for metrics in one]) for one in measured]
    slides = [1000.0 * np.concatenate([metrics.slides for metrics in one]) for one in measured]
    soles, ankles = np.array(jumps).transpose(2, 1, 0)
    return SoleRow(
        name,
        len(growth),
        len(slides[0]),
        _pair(np.mean, [np.concatenate(one) < -1000.0 * UNDER_M for one in lowest]),
        _pair(np.median, of_clips),
        _pair(np.min, of_clips),
        _pair(np.mean, gaps),
        _pair(np.mean, slides),
        _pair(lambda values: np.quantile(values, 0.95), slides),
        _pair(np.max, slides),
        _pair(np.mean, soles),
        _pair(np.max, soles),
        _pair(np.mean, ankles),
        _pair(np.max, ankles),
        float(max(growth)),
        _pair(float, np.average(errors, axis=0, weights=weights)),
    )


def _pair(figure: Callable[[np.ndarray], float], values: Sequence[np.ndarray] | np.ndarray) -> tuple[float, float]:
    before, after = values
    return float(figure(before)), float(figure(after))


def _largest_near(values: np.ndarray, reach: int) -> np.ndarray:
    """Return the largest of *values* (2, F, 2) at most *reach* frames away from each frame."""
    padded = np.pad(values, ((0, 0), (reach, reach), (0, 0)), mode="edge")
    largest: np.ndarray = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1).max(axis=-1)
    return largest


def sole_lines(row: SoleRow) -> list[str]:
    """Return *row* as lines of a table, one per metric, before and after."""
    lines = [f"{row.name}: {row.clips} clips, {row.contacts} contacts"]
    for label, (before, after) in (
        (f"frames with a sole > {1000.0 * UNDER_M:g} mm under, %", tuple(100.0 * share for share in row.under)),
        ("lowest vertex of a clip, median, mm", row.lowest_mm),
        ("lowest vertex of all, mm", row.lowest_worst_mm),
        ("gap in contact, mean, mm", row.gap_mm),
        ("slide of the skin, mean, mm", row.slide_mm),
        ("slide of the skin, 95 %, mm", row.slide_95_mm),
        ("slide of the skin, worst, mm", row.slide_worst_mm),
        ("largest sole acceleration, mean, m/s2", row.sole_jump),
        ("largest sole acceleration, worst, m/s2", row.sole_jump_worst),
        ("largest ankle acceleration, mean, m/s2", row.ankle_jump),
        ("largest ankle acceleration, worst, m/s2", row.ankle_jump_worst),
        ("PVE, mm", row.pve_mm),
    ):
        lines.append(f"  {label:<44} {before:>8.2f} -> {after:>8.2f}")
    return [*lines, f"  {'largest growth of an acceleration, m/s2':<44} {'':>8}    {row.jump_growth_worst:>8.2f}"]
