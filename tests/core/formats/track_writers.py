"""Writers of keypoint files for tests, from the formats' schemas. F frames, K points; missing points are NaN."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.layouts import LAYOUTS

MEDIAPIPE = LAYOUTS["mediapipe33"].names


def clip(num_frames: int = 12, num_points: int = 5, seed: int = 0, *, missing: bool = False) -> np.ndarray:
    """Return random points (F, K, 3); with *missing*, about a fifth of them are NaN."""
    random = np.random.default_rng(seed)
    points = random.normal(size=(num_frames, num_points, 3))
    if missing:
        points[random.random((num_frames, num_points)) < 0.2] = np.nan
    return points


def names_of(num_points: int) -> tuple[str, ...]:
    return tuple(f"Point.{chr(65 + index)}" for index in range(num_points))


def _cell(value: float, blank: str) -> str:
    return blank if np.isnan(value) else repr(float(value))


def trc_text(
    points: np.ndarray,
    names: Sequence[str],
    *,
    fps: float = 50.0,
    rate: str | None = None,
    units: str = "m",
    delimiter: str = "\t",
    blank: str = "",
    blank_line: bool = True,
    first_time: float = 0.0,
    end: str = "\n",
    numbers: Sequence[int] | None = None,
) -> str:
    rate = f"{fps:g}" if rate is None else rate
    numbers = range(1, len(points) + 1) if numbers is None else numbers
    count = len(points)
    d = delimiter
    lines = [
        d.join(["PathFileType", "4", "(X/Y/Z)", "C:\\lab\\walk.trc"]),
        d.join("DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames".split()),
        d.join([rate, rate, str(count), str(len(names)), units, rate, "1", str(count)]),
        d.join(["Frame#", "Time"] + [cell for name in names for cell in ([name] if d == " " else [name, "", ""])]),
        d.join(([] if d == " " else ["", ""]) + [f"{axis}{k + 1}" for k in range(len(names)) for axis in "XYZ"]),
    ]
    if blank_line:
        lines.append("" if d != "," else "," * (1 + 3 * len(names)))
    for row, number in zip(points, numbers, strict=True):
        time = first_time + (number - numbers[0]) / fps
        lines.append(d.join([str(number), f"{time:.6f}"] + [_cell(value, blank) for value in row.reshape(-1)]))
    return end.join(lines) + end


def c3d_parameter(group: int, name: str, kind: int, dimensions: Sequence[int], data: bytes, order: str = "<") -> bytes:
    body = struct.pack("bB", kind, len(dimensions)) + bytes(dimensions) + data + b"\0"
    return struct.pack("bb", len(name), group) + name.encode() + struct.pack(f"{order}h", len(body) + 2) + body


def _texts(group: int, name: str, texts: Sequence[str], order: str) -> bytes:
    width = max(len(text) for text in texts)
    data = "".join(text.ljust(width) for text in texts).encode("latin-1")
    return c3d_parameter(group, name, -1, [width, len(texts)], data, order)


def _vax(values: np.ndarray) -> np.ndarray:
    """Convert IEEE floats to VAX floats: exponent 2 higher, halves swapped."""
    words = (values.astype("<f4") * np.float32(4.0)).view("<u2").reshape(*values.shape, 2)
    return np.ascontiguousarray(words[..., ::-1]).reshape(*values.shape[:-1], -1)


def c3d_bytes(
    points: np.ndarray,
    labels: Sequence[str],
    *,
    fps: float = 100.0,
    scale: float = -1.0,
    processor: int = 84,
    first: int = 1,
    screen: str | None = "+Z",
    units: str = "mm",
    lists: dict[str, Sequence[str]] | None = None,
    num_analog: int = 0,
) -> bytes:
    """Return a C3D file of float (scale < 0) or integer points for Intel (84), DEC (85) or MIPS (86) processors."""
    order = ">" if processor == 86 else "<"
    num_frames, num_points = points.shape[:2]

    def real(value: float) -> bytes:
        return _vax(np.array([value])).tobytes() if processor == 85 else struct.pack(f"{order}f", value)

    parameters = struct.pack("bb", -5, -1)[:0] + b""
    group = struct.pack("bb", 5, -1) + b"POINT" + struct.pack(f"{order}h", 3) + b"\0"
    parameters += group
    parameters += c3d_parameter(1, "USED", 2, [], struct.pack(f"{order}H", num_points), order)
    parameters += c3d_parameter(1, "SCALE", 4, [], real(scale), order)
    parameters += c3d_parameter(1, "RATE", 4, [], real(fps), order)
    for number, start in enumerate(range(0, len(labels), 255)):
        name = "LABELS" if number == 0 else f"LABELS{number + 1}"
        parameters += _texts(1, name, labels[start : start + 255], order)
    parameters += c3d_parameter(1, "UNITS", -1, [len(units)], units.encode(), order)
    if screen:
        parameters += c3d_parameter(1, "Y_SCREEN", -1, [len(screen)], screen.encode(), order)
    for name, entries in (lists or {}).items():
        parameters += _texts(1, name, entries, order)
    parameters += b"\0\0"
    blocks = -(-(len(parameters) + 4) // 512)
    section = (struct.pack("BBBB", 1, 0x50, blocks, processor) + parameters).ljust(512 * blocks, b"\0")
    header = struct.pack("BB", 2, 0x50) + struct.pack(
        f"{order}HHHHH", num_points, num_analog, first, first + num_frames - 1, 0
    )
    header += real(scale) + struct.pack(f"{order}HH", 2 + blocks, 1 if num_analog else 0) + real(fps)
    present = np.isfinite(points).all(-1)
    words = np.zeros((num_frames, num_points, 4))
    words[..., :3] = np.where(present[..., None], points, 0.0) / (1.0 if scale < 0 else scale)
    words[..., 3] = np.where(present, 0.0, -1.0)
    words = np.concatenate([words.reshape(num_frames, -1), np.full((num_frames, num_analog), 7.0)], axis=1)
    if scale >= 0:
        data = np.round(words).astype(f"{order}i2")
    else:
        data = _vax(words) if processor == 85 else words.astype(f"{order}f4")
    return header.ljust(512, b"\0") + section + data.tobytes()


def theia_bytes(
    matrices: np.ndarray, labels: Sequence[str], *, fps: float = 85.0, processor: int = 84, first: int = 1
) -> bytes:
    """Return a C3D file without points whose segments have *matrices* (F, S, 4, 4), as Theia3D writes it."""
    order = ">" if processor == 86 else "<"
    num_frames, count = matrices.shape[:2]

    def real(value: float) -> bytes:
        return _vax(np.array([value])).tobytes() if processor == 85 else struct.pack(f"{order}f", value)

    def parameters(blocks: int) -> bytes:
        found = struct.pack("bb", 5, -1) + b"POINT" + struct.pack(f"{order}h", 3) + b"\0"
        for name, kind, data in (
            ("USED", 2, struct.pack(f"{order}H", 0)), ("SCALE", 4, real(-1.0)), ("RATE", 4, real(fps)),
        ):  # fmt: skip
            found += c3d_parameter(1, name, kind, [], data, order)
        found += struct.pack("bb", 8, -2) + b"ROTATION" + struct.pack(f"{order}h", 3) + b"\0"
        for name, kind, data in (
            ("USED", 2, struct.pack(f"{order}H", count)), ("RATE", 4, real(fps)),
            ("DATA_START", 2, struct.pack(f"{order}H", 2 + blocks)),
        ):  # fmt: skip
            found += c3d_parameter(2, name, kind, [], data, order)
        return found + _texts(2, "LABELS", labels, order) + b"\0\0"

    blocks = -(-(len(parameters(1)) + 4) // 512)
    section = (struct.pack("BBBB", 1, 0x50, blocks, processor) + parameters(blocks)).ljust(512 * blocks, b"\0")
    header = struct.pack("BB", 2, 0x50) + struct.pack(f"{order}HHHHH", 0, 0, first, first + num_frames - 1, 0)
    header += real(-1.0) + struct.pack(f"{order}HH", 2 + blocks, 0) + real(fps)
    columns = matrices.swapaxes(2, 3).reshape(num_frames, count, 16)
    words = np.concatenate([columns, np.zeros((num_frames, count, 1))], axis=2)
    data = _vax(words) if processor == 85 else words.astype(f"{order}f4")
    return header.ljust(512, b"\0") + section + data.tobytes()


def wide_csv(
    points: np.ndarray,
    names: Sequence[str],
    *,
    pattern: str = "{name}_{axis}",
    delimiter: str = ",",
    lead: dict[str, Sequence[object]] | None = None,
    trust: tuple[str, np.ndarray] | None = None,
    blank: str = "",
) -> str:
    lead = lead or {}
    header = list(lead)
    for name in names:
        header += [pattern.format(name=name, axis=axis) for axis in "xyz"]
        header += [trust[0].format(name=name)] if trust else []
    lines = [delimiter.join(header)]
    for index, row in enumerate(points):
        cells = [str(values[index]) for values in lead.values()]
        for place, point in enumerate(row):
            cells += [_cell(value, blank) for value in point]
            cells += [repr(float(trust[1][index, place]))] if trust else []
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def vicon_csv(points: np.ndarray, labels: Sequence[str], *, fps: int = 100, first: int = 1) -> str:
    names = ",,".join(f",{label}" for label in labels)
    lines = [
        "Trajectories",
        str(fps),
        f",{names},,",
        "Frame,Sub Frame" + ",X,Y,Z" * len(labels),
        ",,mm" + ",mm" * (3 * len(labels) - 1),
    ]
    for index, row in enumerate(points):
        lines.append(",".join([str(first + index), "0"] + [_cell(value, "") for value in row.reshape(-1)]))
    return "\n".join(lines) + "\n"


def tidy_v1(points: np.ndarray, keypoints: Sequence[tuple[str, str]]) -> str:
    lines = ["frame,timestamp,timestamp_by_camera,model,keypoint,x,y,z,reprojection_error"]
    for frame, row in enumerate(points):
        for (model, name), point in zip(keypoints, row, strict=True):
            x, y, z = (_cell(value, "") for value in point)
            lines.append(f"{frame},,{{}},{model},{name},{x},{y},{z},0.5")
    return "\n".join(lines) + "\n"


def tidy_v2(points: np.ndarray, names: Sequence[str]) -> str:
    lines = ["frame,keypoint,x,y,z,model,trajectory,reprojection_error"]
    for frame, row in enumerate(points):
        for trajectory, shift in (("rigid_3d_xyz", 100.0), ("3d_xyz", 0.0), ("segment_center_of_mass", 50.0)):
            for name, point in zip(names, row, strict=True):
                x, y, z = (_cell(value + shift, "") for value in point)
                lines.append(f"{frame},{name},{x},{y},{z},rtmpose.body,{trajectory},")
    return "\n".join(lines) + "\n"


def world_dump(points: np.ndarray, visibility: np.ndarray, frames: Sequence[int]) -> str:
    lines = ["frame,ms,index,x,y,z,visibility"]
    for frame, row, trust in zip(frames, points, visibility, strict=True):
        cells = [str(frame), str(frame * 40)]
        for index, (point, confidence) in enumerate(zip(row, trust, strict=True)):
            cells += [str(index), *(repr(float(value)) for value in point), repr(float(confidence))]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def anipose_csv(points: np.ndarray, names: Sequence[str], score: np.ndarray) -> str:
    header = [f"{name}_{word}" for name in names for word in ("x", "y", "z", "error", "ncams", "score")]
    header += [f"M_{row}{column}" for row in range(3) for column in range(3)] + [
        "center_0",
        "center_1",
        "center_2",
        "fnum",
    ]
    lines = [",".join(header)]
    for frame, row in enumerate(points):
        cells = []
        for place, point in enumerate(row):
            cells += [_cell(value, "") for value in point] + ["0.1", "3", repr(float(score[frame, place]))]
        cells += ["1", "0", "0", "0", "1", "0", "0", "0", "1", "0", "0", "0", str(frame)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def easymocap_folder(folder: Path, people: dict[int, np.ndarray], frames: Sequence[int], *, columns: int = 4) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row, frame in enumerate(frames):
        document = []
        for identity, points in people.items():
            seen = np.isfinite(points[row]).all(-1)
            cells = np.column_stack([np.where(seen[:, None], points[row], 0.0), seen])[:, :columns]
            document.append({"id": identity, "keypoints3d": cells.tolist()})
        (folder / f"{frame:06d}.json").write_text(json.dumps(document))


def mmpose_document(points: np.ndarray, scores: np.ndarray, *, dataset: str = "h36m") -> dict:
    frames = [
        {
            "frame_id": frame,
            "instances": [
                {
                    "keypoints": points[frame].tolist(),
                    "keypoint_scores": scores[frame].tolist(),
                    "bbox": [[0.0, 0.0, 9.0, 9.0]],
                    "bbox_score": 0.9,
                }
            ],
        }
        for frame in range(len(points))
    ]
    count = points.shape[1]
    meta = {"dataset_name": dataset, "keypoint_id2name": {str(index): f"kp_{index}" for index in range(count)}}
    return {"meta_info": meta, "instance_info": frames}


def openpose_document(points: np.ndarray, trust: np.ndarray) -> dict:
    flat = np.column_stack([np.nan_to_num(points), trust]).reshape(-1).tolist()
    return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [], "pose_keypoints_3d": flat}]}


def segments(origins: np.ndarray) -> np.ndarray:
    """Return matrices (F, S, 4, 4) of segments that begin at *origins* (F, S, 3), all turned a little."""
    matrices = np.tile(np.eye(4), (*origins.shape[:2], 1, 1))
    matrices[..., :2, :2] = [[0.6, -0.8], [0.8, 0.6]]
    matrices[..., :3, 3] = origins
    matrices[np.isnan(origins).any(-1)] = np.nan
    return matrices
