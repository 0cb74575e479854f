"""Write files as producers write them, filled with a known motion of the free body. F frames, K points, P people.

The points that the free body has no mark for (the face, second joints of fingers) are put where nothing uses them: at
the wrist of their side, or at the neck.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.layouts import LAYOUTS, Layout
from tests.core.fit.scenes import Scene

CAMERA = np.diag([1.0, -1.0, -1.0])
"""From Y up to a camera's axes: x right, y down, z away."""
Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""From Y up to Z up."""


def filled(scene: Scene, layout: Layout) -> np.ndarray:
    """Return all points (F, K, 3) of a layout, Y up, metres."""
    points = scene.points(layout)
    index = layout.solver_index
    for number, point in enumerate(layout.points):
        if point.solver is None:
            side = next((side for side in ("left", "right") if side in point.name), "")
            near = index.get(f"{side}_wrist") if side and "eye" not in point.name else index.get("mid_shoulder")
            near = next(iter(index.values())) if near is None else near
            points[:, number] = points[:, near] + 0.01
    return points


def in_camera(points: np.ndarray, distance: float = 3.0) -> np.ndarray:
    """Return points in the axes of a camera that stands 1 m above the floor at *distance*."""
    return points @ CAMERA.T + [0.0, 1.0, distance]


def sam_person(points: np.ndarray, place: np.ndarray) -> dict[str, Any]:
    """Return what SAM 3D Body says about a person whose points (70, 3) are in the camera's axes."""
    generator = np.random.default_rng(0)
    return {
        "bbox": np.zeros(4, np.float32),
        "focal_length": np.float32(1000.0),
        "pred_keypoints_3d": (points - place).astype(np.float32),
        "pred_keypoints_2d": np.zeros((70, 2), np.float32),
        "pred_vertices": np.zeros((8, 3), np.float32),
        "pred_cam_t": place.astype(np.float32),
        "pred_joint_coords": generator.normal(size=(127, 3)).astype(np.float32),
        "pred_global_rots": generator.normal(size=(127, 3, 3)).astype(np.float32),
        "mask": None,
    }


def write_pickle(path: Path, data: Any) -> None:
    """Write a pickle as its users do."""
    path.write_bytes(pickle.dumps(data, protocol=4))


def sam_csv(points: np.ndarray) -> str:
    """Return the table that SAM3DBody-cpp writes: name_3DX, name_3DY, name_3DZ in its own names."""
    parts = {"4": "tip", "3": "first_joint", "2": "second_joint", "third_joint": "third_joint"}
    names = []
    for name in LAYOUTS["mhr70"].names:
        for finger, plain in (
            ("thumb", "thumb"), ("forefinger", "index"), ("middle_finger", "middle"), ("ring_finger", "ring"),
            ("pinky_finger", "pinky"),
        ):  # fmt: skip
            side, _, rest = name.partition("_")
            part = rest.removeprefix(finger).removeprefix("_")
            if rest.startswith(finger) and part in parts:
                name = f"{side}_{plain}_{parts[part]}"
        names.append(f"{name}_tip" if name.endswith("_toe") else name)
    lines = [",".join(f"{name}_3DX,{name}_3DY,{name}_3DZ" for name in names)]
    lines += [",".join(f"{value:f}" for value in row) for row in points.reshape(len(points), -1)]
    return "\n".join(lines) + "\n"


def motive_csv(points: np.ndarray, names: Sequence[str], *, kind: str, fps: float, parents: bool) -> str:
    """Return a Motive export of points (F, K, 3) in metres, Y up; with rotations if they are bones."""
    is_bone = kind == "Bone"
    per_point = (["Rotation"] * 4 if is_bone else []) + ["Position"] * 3
    axes = (["X", "Y", "Z", "W"] if is_bone else []) + ["X", "Y", "Z"]
    width = len(per_point)
    settings = {
        "Format Version": "1.24", "Take Name": "Take", "Capture Frame Rate": f"{fps:f}",
        "Export Frame Rate": f"{fps:f}", "Total Frames in Take": str(len(points)), "Rotation Type": "Quaternion",
        "Length Units": "Meters", "Coordinate Space": "Global",
    }  # fmt: skip

    def row(head: Sequence[str], cells: Sequence[str]) -> str:
        return ",".join([*head, *cells])

    lines = [",".join(f"{key},{value}" for key, value in settings.items()), ""]
    lines.append(row(["", "Type"], [kind] * width * len(names)))
    lines.append(row(["", "Name"], [f'"{name}"' for name in names for _ in range(width)]))
    lines.append(row(["", "ID"], [f'"{number}"' for number in range(len(names)) for _ in range(width)]))
    if parents:
        lines.append(row(["", "Parent"], ["" for _ in range(width * len(names))]))
    lines.append(row(["", ""], per_point * len(names)))
    lines.append(row(["Frame", "Time (Seconds)"], axes * len(names)))
    for frame, people in enumerate(points):
        cells = [
            cell
            for point in people
            for cell in ((["0", "0", "0", "1"] if is_bone else []) + [f"{value:.6f}" for value in point])
        ]
        lines.append(row([str(frame), f"{frame / fps:.6f}"], cells))
    return "\n".join(lines) + "\n"


def deeplabcut_csv(points: np.ndarray, names: Sequence[str], individuals: Sequence[str] = ()) -> str:
    """Return DeepLabCut's 3D table: rows scorer, individuals if there are several, bodyparts, coords."""
    people = list(individuals) or [""]
    lines = [",".join(["scorer", *["DLC_3D"] * (3 * len(names) * len(people))])]
    if individuals:
        lines.append(",".join(["individuals", *(person for person in people for _ in range(3 * len(names)))]))
    lines.append(",".join(["bodyparts", *(name for _ in people for name in names for _ in range(3))]))
    lines.append(",".join(["coords", *(["x", "y", "z"] * len(names) * len(people))]))
    for frame, row in enumerate(points.reshape(len(points), -1)):
        lines.append(",".join([str(frame), *("" if np.isnan(value) else f"{value:.5f}" for value in row)]))
    return "\n".join(lines) + "\n"


def ntu_skeleton(people: Sequence[np.ndarray]) -> str:
    """Return an NTU RGB+D skeleton file of people (F, 25, 3) in metres, camera axes, Y up."""
    lines = [str(len(people[0]))]
    for frame in range(len(people[0])):
        lines.append(str(len(people)))
        for number, person in enumerate(people):
            lines += [f"7205759403793{number} 0 1 1 1 1 0 0.03 -0.2 2", "25"]
            for x, y, z in person[frame]:
                lines.append(f"{x:.6f} {y:.6f} {z:.6f} 250.1 200.2 960.3 540.4 0.1 0.2 0.3 0.9 2")
    return "\n".join(lines) + "\n"


def panoptic_folder(folder: Path, people: Sequence[np.ndarray]) -> None:
    """Write a folder of CMU Panoptic frames of people (F, 19, 3) in centimetres, Y down."""
    folder.mkdir()
    for frame in range(len(people[0])):
        bodies = [
            {"id": number, "joints19": np.column_stack([person[frame], np.full(19, 0.7)]).reshape(-1).tolist()}
            for number, person in enumerate(people)
        ]
        document = {"version": 0.7, "univTime": 4.0, "fpsType": "hd_29_97", "bodies": bodies}
        (folder / f"body3DScene_{frame + 139:08d}.json").write_text(json.dumps(document))


def mvnx(points: np.ndarray, labels: Sequence[str], fps: int) -> str:
    """Return an MVNX file of segment origins (F, K, 3) in metres, Z up, with a calibration pose first."""
    segments = "\n".join(f'<segment id="{number}" label="{label}"/>' for number, label in enumerate(labels, 1))
    frames = [f'<frame time="0" index="" type="tpose"><position>{"0 " * (3 * len(labels))}</position></frame>']
    for frame, row in enumerate(points.reshape(len(points), -1)):
        values = " ".join(f"{value:.6f}" for value in row)
        frames.append(f'<frame time="{frame}" index="{frame}" type="normal"><position>{values}</position></frame>')
    return (
        f'<?xml version="1.0"?>\n<mvnx version="4"><subject label="S" frameRate="{fps}">\n<segments>{segments}'
        f"</segments>\n<frames>{''.join(frames)}</frames></subject></mvnx>\n"
    )


SKELETON_BONES = {"Hips": "hips", "Spine": "spine", "Spine1": "spine1", "Spine2": "spine2", "Neck": "neck",
                  "Head": "head"}  # fmt: skip
SKELETON_BONES |= {
    f"{side}{theirs}": f"{side.lower()}_{ours}"
    for side in ("Right", "Left")
    for theirs, ours in (
        ("Shoulder", "clavicle"), ("Arm", "arm"), ("ForeArm", "forearm"), ("Hand", "hand"), ("UpLeg", "upleg"),
        ("Leg", "leg"), ("Foot", "foot"),
    )
}  # fmt: skip
"""Bones of TotalCapture and Perception Neuron, and their points in the layout "skeleton"."""


def bone_points(scene: Scene, bones: Sequence[str]) -> np.ndarray:
    """Return the points (F, K, 3) of bones, Y up, metres; those that the layout has not are beside the hand or neck."""
    layout = LAYOUTS["skeleton"]
    points, index = filled(scene, layout), {name: number for number, name in enumerate(layout.names)}

    def near(bone: str) -> str:
        side = next((side for side in ("left", "right") if bone.lower().startswith(side)), "")
        return f"{side}_hand" if side else "spine2"

    return points[:, [index[SKELETON_BONES.get(bone, near(bone))] for bone in bones]]


def totalcapture(points: np.ndarray, names: Sequence[str]) -> str:
    """Return TotalCapture's text of points (F, K, 3) in metres: a point in each cell, in inches."""
    lines = ["\t".join(names) + "\t"]
    lines += ["\t".join(" ".join(f"{x / 0.0254:.4f}" for x in point) for point in row) + "\t" for row in points]
    return "\n".join(lines) + "\n"


def neuron_calc(points: np.ndarray, *, preamble: int = 5, newline: str = "\r\n") -> str:
    """Return Perception Neuron's calculation file of the places (F, 21 or 59, 3) of its bones, metres, Z up."""
    bones = points.shape[1]
    head = ["Zero direction:\t0.0\t1.0\t0.0", f"Bone Count:\t{bones}", "Avatar Name:\tann", "Frames:\t36", "Port:\t1"]
    columns = [
        [f"{number:02d}-{what}-{axis}" for what in "XVQAW" for axis in ("sxyz" if what == "Q" else "xyz")]
        for number in range(1, bones + 1)
    ]
    columns.insert(21, ["contactL", "contactR"])
    lines = [*head[:preamble], "\t".join(cell for group in columns for cell in group)]
    for row in points:
        cells = [[*(f"{x:.4f}" for x in point), "0.1", "0.2", "0.3", "1", *["0"] * 9] for point in row]
        cells.insert(21, ["1", "0"])
        lines.append("\t".join(cell for group in cells for cell in group))
    return newline.join(lines) + newline


CAPTURY_JOINTS = {
    f"{side}{theirs}": f"{name}_{ours}"
    for side, name in (("L", "left"), ("R", "right"))
    for theirs, ours in (
        ("Wrist", "hand"), ("Elbow", "forearm"), ("Shoulder", "arm"), ("Toe", "toebase"), ("Ankle", "foot"),
        ("Knee", "leg"), ("Hip", "upleg"),
    )
}  # fmt: skip
"""Joints of Captury, and their points in the layout "skeleton"."""


def captury_csv(points: np.ndarray, names: Sequence[str] = tuple(CAPTURY_JOINTS)) -> str:
    """Return Captury's export of points (F, K, 3) in metres, Y up: angles between them, cameras at the end."""
    names = [*names, "Spine1", "Neck"]  # both are zeros where the skeleton has them not
    points = np.pad(points, ((0, 0), (0, 2), (0, 0)))
    groups = ["CenterOfGravity", *(f"{name}{what}" for name in names for what in ("Positions", "Angles"))]
    lines = [
        "Recorded at;2019-03-28 11:03:53", f"Frames;{len(points)}", ";;;" + "".join(f"{name};;;" for name in groups),
        "Frame;Sub Frame;Annotations;" + "X;Y;Z;" * len(groups) + "Left;",
        ";;;mm;mm;mm;" + "mm;mm;mm;deg;deg;deg;" * len(names) + "deg;",
    ]  # fmt: skip
    for frame, row in enumerate(points * 1000.0):
        cells = [f"{x: f};{y: f};{z: f}; 10.5;-3.25; 0.0;" for x, y, z in row]
        lines.append(f"{frame};0;; 1.0; 2.0; 3.0;{''.join(cells)} 7.5;")
    lines += ["", "Camera Calibration;Origin;;;Forward;;;Right;;;Up", ";X;Y;Z;X;Y;Z;X;Y;Z;X;Y;Z"]
    lines += [
        f"Camera {number}; 2478.7; 588.8;-4.7;-0.99; 0.05;-0.05;-0.05;-0.9; 0.1; 0.5;-0.01;-0.9;" for number in "12"
    ]
    return "\n".join(lines) + "\n"


def humanml3d(joints: np.ndarray, left_hip: int = 1, right_hip: int = 2) -> np.ndarray:
    """Return HumanML3D's features (F - 1, 263) of joints (F, 22, 3), Y up; the data set starts at the origin.

    Of KIT-ML's joints (F, 21, 3) they are (F - 1, 251).
    """
    ahead = np.cross(joints[:, left_hip] - joints[:, right_hip], [0.0, 1.0, 0.0])
    heading = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
    half = -(heading - heading[0]) / 2.0

    def into_root(vectors: np.ndarray, angles: np.ndarray) -> np.ndarray:
        cosine, sine = (function(2.0 * angles).reshape(-1, *[1] * (vectors.ndim - 2)) for function in (np.cos, np.sin))
        x, z = vectors[..., 0], vectors[..., 2]
        return np.stack([cosine * x + sine * z, vectors[..., 1], cosine * z - sine * x], axis=-1)

    others = joints.shape[1] - 1
    features = np.zeros((len(joints) - 1, 12 * others + 11))
    features[:, 0] = np.diff(half)
    features[:, 1:3] = into_root(np.diff(joints[:, 0], axis=0), half[1:])[:, [0, 2]]
    features[:, 3] = joints[:-1, 0, 1]
    local = joints[:, 1:] - joints[:, :1] * [1.0, 0.0, 1.0]
    features[:, 4 : 4 + 3 * others] = into_root(local, half)[:-1].reshape(len(features), -1)
    return features


def assert_is(track, scene: Scene, *, moved: bool = False, within_m: float = 0.002) -> None:
    """Compare the points that the fit uses with the truth, in place, or apart from one shift if they were *moved*."""
    truth = scene.points(track.layout)
    used = [number for number, point in enumerate(track.layout.points) if point.solver]
    seen = np.isfinite(track.positions[:, used]).all(-1) & (track.confidence[:, used] > 0.0)
    assert seen.mean() > 0.5
    off = (track.positions - truth)[:, used][seen]
    if moved:
        off = off - np.median(off, axis=0)
    assert np.abs(off).max() < within_m


def other_person(scene: Scene) -> Scene:
    return replace(scene, trans=scene.trans + np.float32([0.9, 0.0, 0.3]))
