"""Draw contact sheets of fits, the fitted body with its keypoints in every frame, and list implausible poses.

    python -m training.look_at_fit FILE... -o FOLDER [--show-fps RATE] [--frames FIRST LAST]

Each tile shows a frame from the front and the left, with its number and mean keypoint error in millimetres. Left
limbs are blue, right limbs orange. Dots joined by lines are the keypoints; a red line connects a keypoint to its fitted
position if that is far away. A red border marks an implausible pose, described in the list; a grey tile is a
frame without the person. The horizontal line is the 10 % quantile of the body's lowest point over the clip.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np

from core.body.catalog import resolve_body
from core.body.data import BodyData
from core.body.landmarks import landmark_regressor
from core.body.model import BodyModel
from core.cli.exit_codes import exit_code_of
from core.errors import CoreError
from core.fit import FitReport, fit_track
from core.fit.observations import solver_points
from core.io.own_files import OVERWRITE_HELP
from core.layouts.bones import bones_between
from core.motion import Motion
from core.person_labels import person_labels
from core.reading import add_reading_arguments, join_signed_axis, read_tracks, reading_options
from core.track import KeypointTrack

from .evaluation.pose_anomalies import Anomaly, find_anomalies
from .evaluation.rasterizer import draw_dot, draw_line, draw_mesh, draw_number, halved
from .outputs import check_files
from .pictures import write_png

_TILE_HEIGHT = 220
_COLUMNS_WIDTH = 1600
_ROWS = 7
_MARGIN_M = 0.08
_FAR_MM = 30.0
_FLOOR_QUANTILE = 0.1
_SIDE_COLOURS = {"left": (105, 150, 235), "right": (240, 160, 85), "": (190, 190, 190)}
_POINT_COLOURS = {"left": (0, 30, 130), "right": (130, 30, 0), "": (20, 20, 20)}
_RED, _GREY, _BLACK = (220, 0, 0), (150, 150, 150), (0, 0, 0)
_VIEWS = (np.eye(3), np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
"""By view, the axes pointing right, up and towards the viewer: from the front, and from the person's left."""


@dataclass(frozen=True, eq=False)
class FittedClip:
    """A track with its fit, ready to draw. F frames, V vertices, K keypoints.

    Attributes:
        names: (K,) names of the keypoints.
        seen: (F, K, 3) measured positions, NaN where missing.
        fitted: (F, K, 3) fitted positions.
        point_error_mm: (F, K) distance between measured and fitted position, NaN where missing.
        error_mm: (F,) mean keypoint error.
        vertices: (F, V, 3) vertices of the mesh.
        body: the body model.
        anomalies: the implausible poses.
        absent: (F,) bool, frames in which the person is missing.
    """

    names: tuple[str, ...]
    seen: np.ndarray
    fitted: np.ndarray
    point_error_mm: np.ndarray
    error_mm: np.ndarray
    vertices: np.ndarray
    body: BodyData
    anomalies: tuple[Anomaly, ...]
    absent: np.ndarray

    @property
    def lowest_m(self) -> np.ndarray:
        """Height of the lowest vertex (F,), metres."""
        lowest: np.ndarray = self.vertices[..., 1].min(axis=1)
        return lowest


def fitted_clip(track: KeypointTrack, motion: Motion, report: FitReport, body: BodyData) -> FittedClip:
    """Pose the mesh of a fit and rotate it so that the body faces +Z on average."""
    points = solver_points(track)
    model = BodyModel(body)
    pose = (motion.rotations().astype(np.float32), motion.betas.astype(np.float32), motion.trans.astype(np.float32))
    vertices = model.vertices(*pose)
    fitted = np.einsum("kv,fvc->fkc", landmark_regressor(body, points.names).astype(np.float32), vertices)
    facing = pose[0][:, 0, :, 2].mean(axis=0)
    length = float(np.hypot(facing[0], facing[2]))
    x, z = (facing[0] / length, facing[2] / length) if length > 0.3 else (0.0, 1.0)
    front = np.array([[z, 0.0, x], [0.0, 1.0, 0.0], [-x, 0.0, z]], dtype=np.float32)
    absent = np.zeros(track.num_frames, dtype=bool)
    for flag in report.flags:
        if flag.kind == "missing":
            absent[flag.first : flag.last + 1] = True
    return FittedClip(
        points.names,
        points.positions @ front,
        fitted @ front,
        report.point_error_mm,
        report.keypoint_error_mm,
        vertices @ front,
        body,
        tuple(find_anomalies(motion.rotations(), motion.fps)),
        absent,
    )


class TileRenderer:
    """Draws the tiles of a clip, centred on the person, with the same scale and size in all frames."""

    def __init__(self, clip: FittedClip) -> None:
        floor = float(np.quantile(clip.lowest_m, _FLOOR_QUANTILE))
        self._clip = clip
        self._middle = clip.vertices[..., [0, 2]].mean(axis=1)
        sideways = np.abs(clip.vertices[..., [0, 2]] - self._middle[:, None]).max(axis=(0, 1)) + _MARGIN_M
        low = min(floor, float(clip.vertices[..., 1].min())) - _MARGIN_M
        self._top = float(clip.vertices[..., 1].max()) + _MARGIN_M
        self._pixels_per_m = 2.0 * _TILE_HEIGHT / (self._top - low)
        self._half_widths = [int(np.ceil(reach * self._pixels_per_m)) for reach in sideways]
        self._floor = floor
        joint = clip.body.weights.argmax(axis=1)
        sides = [_side_of(clip.body.skeleton.names[index]) for index in joint]
        by_vertex = np.array([_SIDE_COLOURS[side] for side in sides], dtype=np.float64)
        self._colours = by_vertex[clip.body.faces[:, 0]]
        self._bones = bones_between({name: index for index, name in enumerate(clip.names)})
        self._is_anomalous = np.zeros(len(clip.vertices), dtype=bool)
        for anomaly in clip.anomalies:
            self._is_anomalous[anomaly.first : anomaly.last + 1] = True

    def tile(self, frame: int) -> np.ndarray:
        """Draw one frame, both views side by side."""
        views = [self._view(frame, axes, half) for axes, half in zip(_VIEWS, self._half_widths, strict=True)]
        picture = halved(np.concatenate(views, axis=1))
        draw_number(picture, str(frame), (4, 4), _BLACK)
        error = self._clip.error_mm[frame]
        if np.isfinite(error):
            draw_number(picture, f"{error:.0f}", (4, 18), _RED)
        edge = _RED if self._is_anomalous[frame] else (215, 215, 215)
        picture[[0, -1]] = picture[:, [0, -1]] = edge
        return picture

    def _view(self, frame: int, axes: np.ndarray, half_width: int) -> np.ndarray:
        picture = np.full((2 * _TILE_HEIGHT, 2 * half_width, 3), 255, dtype=np.uint8)
        if self._clip.absent[frame]:
            picture[:] = 225
        centre = np.array([self._middle[frame, 0], 0.0, self._middle[frame, 1]])

        def on_screen(points: np.ndarray) -> np.ndarray:
            right, up, near = ((points - centre) @ axis for axis in axes)
            columns = half_width + right * self._pixels_per_m
            return np.stack([columns, (self._top - up) * self._pixels_per_m, near * self._pixels_per_m], axis=-1)

        floor = (self._top - self._floor) * self._pixels_per_m
        draw_line(picture, np.array([0.0, floor]), np.array([2.0 * half_width, floor]), _GREY)
        draw_mesh(picture, on_screen(self._clip.vertices[frame]), self._clip.body.faces, self._colours)
        seen, fitted = on_screen(self._clip.seen[frame]), on_screen(self._clip.fitted[frame])
        is_seen = np.isfinite(seen).all(axis=-1)
        far = self._clip.point_error_mm[frame] > _FAR_MM
        for first, second in self._bones:
            if is_seen[first] and is_seen[second]:
                draw_line(picture, seen[first], seen[second], _POINT_COLOURS[_side_of(self._clip.names[second])])
        for index in np.flatnonzero(is_seen):
            if far[index]:
                draw_line(picture, seen[index], fitted[index], _RED)
            draw_dot(picture, seen[index], 3, _POINT_COLOURS[_side_of(self._clip.names[index])])
        return picture


def _side_of(name: str) -> str:
    side = name.partition("_")[0]
    return side if side in ("left", "right") else ""


def write_sheets(clip: FittedClip, frames: Sequence[int], stem: Path) -> list[Path]:
    """Write the tiles of *frames* as sheets STEM_01.png and so on; return their paths."""
    renderer = TileRenderer(clip)
    width = renderer.tile(frames[0]).shape[1]
    columns = max(1, _COLUMNS_WIDTH // width)
    paths: list[Path] = []
    for start in range(0, len(frames), columns * _ROWS):
        block = frames[start : start + columns * _ROWS]
        sheet = np.full((-(-len(block) // columns) * _TILE_HEIGHT, columns * width, 3), 255, dtype=np.uint8)
        for index, frame in enumerate(block):
            row, column = divmod(index, columns)
            sheet[row * _TILE_HEIGHT : (row + 1) * _TILE_HEIGHT, column * width : (column + 1) * width] = renderer.tile(
                frame
            )
        paths.append(stem.with_name(f"{stem.name}_{len(paths) + 1:02d}.png"))
        write_png(paths[-1], sheet)
    return paths


def _shown_frames(num_frames: int, fps: float, options: argparse.Namespace) -> list[int]:
    """Return the frames selected by the options; by default all."""
    step = max(1.0, fps / options.show_fps) if options.show_fps else 1.0
    frames = [round(index * step) for index in range(int((num_frames - 1) / step) + 1)]
    first, last = options.frames or (0, num_frames - 1)
    return [frame for frame in frames if first <= frame <= last]


def _draw_file(path: Path, body: BodyData, options: argparse.Namespace) -> None:
    tracks = read_tracks(path, reading_options(options))
    for track, label in zip(tracks, person_labels(tracks), strict=True):
        motion, report = fit_track(track, body)
        clip = fitted_clip(track, motion, report, body)
        frames = _shown_frames(track.num_frames, track.fps, options)
        if not frames:
            raise CoreError(f"expected --frames between 0 and {track.num_frames - 1}, which {path} contains")
        stem = options.output / (f"{path.name}_{label}" if label else path.name)
        sheets = write_sheets(clip, frames, stem)
        print(f"{stem.name}: {len(frames)} of {track.num_frames} frames on {len(sheets)} sheets")
        print(f"  {_summary(clip, report)}")
        for flag in report.flags:
            print(f"  {flag.kind}: {flag.what}, frames {flag.first} to {flag.last}")
        for one in clip.anomalies:
            print(f"  anomaly: {one.joint} {one.what} in frames {one.first} to {one.last}, up to {one.worst:.0f}")


def _summary(clip: FittedClip, report: FitReport) -> str:
    low, high = 1000.0 * np.quantile(clip.lowest_m, [0.0, 0.9]) - 1000.0 * np.quantile(clip.lowest_m, _FLOOR_QUANTILE)
    return (
        f"keypoint error {report.mean_error_mm:.1f} mm, worst {np.nanmax(report.keypoint_error_mm):.1f} mm in frame "
        f"{report.worst_frame}; lowest vertex from {low:.0f} to {high:+.0f} mm about the floor"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.look_at_fit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", help="keypoint files")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder for the sheets")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    parser.add_argument("--body", metavar="FILE", help="licensed SMPL file (default: the free body)")
    parser.add_argument("--show-fps", type=float, metavar="RATE", help="frames per second to show (default: all)")
    parser.add_argument("--frames", type=int, nargs=2, metavar=("FIRST", "LAST"), help="show only these frames, from 0")
    add_reading_arguments(parser)
    options = parser.parse_args(join_signed_axis(sys.argv[1:] if arguments is None else arguments))
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    sheets = [sheet for path in options.files for sheet in options.output.glob(f"{escape(path.name)}_*.png")]
    body_file = None if options.body is None else Path(options.body)
    check_files(
        {"a sheet": sheets}, {"the keypoints": options.files, "the body": body_file}, overwrite=options.overwrite
    )
    body = resolve_body(options.body)
    for path in options.files:
        _draw_file(path, body, options)


if __name__ == "__main__":
    sys.exit(main())
