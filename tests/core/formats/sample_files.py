"""One small file of every format and producer, for tests that change them."""

from __future__ import annotations

import gzip
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.motion import Motion
from tests import other_solvers, solved_motions

from .track_writers import (
    MEDIAPIPE,
    anipose_csv,
    c3d_bytes,
    clip,
    mmpose_document,
    names_of,
    openpose_document,
    segments,
    theia_bytes,
    tidy_v1,
    tidy_v2,
    trc_text,
    vicon_csv,
    wide_csv,
    world_dump,
)


def sample_files() -> dict[str, Callable[[Path], None]]:
    """Return one small file of every format: name -> function that writes it."""
    body = clip(4, 5, missing=True)
    names = names_of(5)
    h36m, whole = clip(4, 17), clip(4, 33)
    ones = np.ones((4, 17))
    sided = [("mediapipe_body", name) for name in MEDIAPIPE]
    return {
        "tab.trc": lambda path: path.write_text(trc_text(body, names)) and None,
        "comma.trc": lambda path: path.write_text(trc_text(body, names, delimiter=",")) and None,
        "utf16.trc": lambda path: path.write_text(trc_text(body, names), encoding="utf-16") and None,
        "segments.c3d": lambda path: path.write_bytes(theia_bytes(segments(body), names)) and None,
        "float.c3d": lambda path: path.write_bytes(c3d_bytes(body, names)) and None,
        "integer.c3d": lambda path: path.write_bytes(c3d_bytes(body, names, scale=0.01, processor=85)) and None,
        "wide.csv": lambda path: path.write_text(wide_csv(body, names, lead={"frame": range(4)})) and None,
        "vicon.csv": lambda path: path.write_text(vicon_csv(body, [f"S:{name}" for name in names])) and None,
        "v1.csv": lambda path: path.write_text(tidy_v1(whole, sided)) and None,
        "v2.csv": lambda path: path.write_text(tidy_v2(body, names)) and None,
        "world.csv": lambda path: path.write_text(world_dump(whole, np.ones((4, 33)), [0, 1, 2, 3])) and None,
        "anipose.csv": lambda path: path.write_text(anipose_csv(body, names, np.ones((4, 5)))) and None,
        "array.npy": lambda path: _save_array(path, h36m),
        "array.npz": lambda path: np.savez(path, positions=h36m, confidence=ones, fps=30.0, layout="h36m17"),
        "mmpose.json": lambda path: _write_json(path, mmpose_document(h36m, ones)),
        "openpose.json": lambda path: _write_json(path, openpose_document(whole[0], np.ones(33))),
        "easymocap.json": lambda path: _write_json(path, [{"id": 0, "keypoints3d": whole[0].tolist()}]),
        "aist.pkl": lambda path: _write_pickle(path, h36m),
        **producer_files(),
        **solved_files(),
    }


def named_document(points: np.ndarray) -> dict[str, object]:
    """Return a JSON document with points by name in each frame."""
    names = names_of(points.shape[1])
    frames = [
        dict(zip(names, (dict(zip("xyz", point, strict=True)) for point in row), strict=True))
        for row in points.tolist()
    ]
    return {"fps": 30, "frames": [{"frame": number, "keypoints": frame} for number, frame in enumerate(frames)]}


def solved_files() -> dict[str, Callable[[Path], None]]:
    """Return one small file of each form of `tests.solved_motions`."""
    poses = np.zeros((4, 72))
    poses[:, 3:] = 0.1
    motion = Motion(poses, np.zeros(10), np.tile([0.0, 1.0, 0.0], (4, 1)), 30.0)
    results = solved_motions.gvhmr(motion)
    people = solved_motions.wham({0: (motion, np.arange(4)), 1: (motion, np.array([0, 1, 3, 5]))})
    arrays = {"poses": poses, "trans": motion.trans, "betas": np.zeros(16), "mocap_framerate": 30.0}
    tram = {"pred_rotmat": motion.rotations(), "pred_trans": motion.trans, "frame": np.arange(4)}
    return {
        "gvhmr.pt": lambda path: _write_bytes(path, solved_motions.torch_bytes(results)),
        "legacy.pt": lambda path: _write_bytes(path, solved_motions.legacy_torch_bytes(results)),
        "wham.pkl": lambda path: _write_bytes(path, solved_motions.joblib_bytes(people)),
        "phalp.pkl": lambda path: _write_bytes(
            path, solved_motions.joblib_bytes(solved_motions.phalp(motion, poses[0, :3]))
        ),
        "tram.npy": lambda path: _write_bytes(path, solved_motions.pickled_tensors(tram)),
        "amass.npz": lambda path: np.savez(path, **arrays),
        **other_solved_files(motion),
    }


def other_solved_files(motion: Motion) -> dict[str, Callable[[Path], None]]:
    """Return one small file of each form of `tests.other_solvers`."""
    rest = np.zeros(3)
    people = {f"person{number}": other_solvers.separate(motion) for number in (1, 2)}
    return {
        "smpl.json": lambda path: _write_json(path, other_solvers.easymocap(motion, rest)),
        "parameters.json": lambda path: _write_json(
            path, {key: value.tolist() for key, value in other_solvers.separate(motion).items()}
        ),
        "romp.pkl": lambda path: _write_bytes(path, pickle.dumps(other_solvers.romp(motion, rest))),
        "hybrik.pkl": lambda path: _write_bytes(path, pickle.dumps(other_solvers.hybrik(motion, rest))),
        "nested.pkl": lambda path: _write_bytes(path, pickle.dumps(people)),
        "motion_x.npy": lambda path: np.save(path, other_solvers.motion_x(motion)),
        "finedance.npy": lambda path: np.save(path, other_solvers.finedance(motion, 315)),
        "glamr.pkl": lambda path: _write_bytes(
            path, pickle.dumps({"person_data": {0: other_solvers.glamr(motion, rest)}})
        ),
        "interhuman.npy": lambda path: np.save(path, np.full((4, 492), 0.1, np.float32)),
    }


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def producer_files() -> dict[str, Callable[[Path], None]]:
    """Return one small file of each producer of `tests.producers`."""
    from tests import producers as write
    from tests.bvh_files import bvh_text

    def text(content: str) -> Callable[[Path], None]:
        return lambda path: path.write_text(content) and None

    body, mhr, kinect = clip(4, 5), clip(4, 70), clip(4, 25)
    people = [[write.sam_person(row, row[9])] for row in mhr]
    stack = {key: np.stack([frame[0][key] for frame in people]) for key in ("pred_keypoints_3d", "pred_cam_t")}
    landmarks = [dict(zip("xyz", point, strict=True)) for point in clip(1, 33)[0].tolist()]
    joints = np.column_stack([clip(1, 19)[0], np.ones(19)]).reshape(-1).tolist()
    rows = solved_motions.bedlam(Motion(np.full((4, 72), 0.1), np.zeros(10), np.zeros((4, 3)), 30.0), np.zeros(3))
    motion = {"motion": clip(2, 22).transpose(1, 2, 0)[None], "lengths": np.array([2])}
    return {
        "sam.pkl": lambda path: write.write_pickle(path, people),
        "sam.npz": lambda path: np.savez(path, **stack),
        "objects.npz": lambda path: np.savez(path, outputs=np.array(people, dtype=object)),
        "mdm.npy": lambda path: np.save(path, motion),
        "motive.csv": text(write.motive_csv(body, names_of(5), kind="Bone", fps=60.0, parents=True)),
        "dlc.csv": text(write.deeplabcut_csv(body, names_of(5))),
        "people.csv": text("person,A_x,A_y,A_z,B_x,B_y,B_z\n0,1,2,3,4,5,6\n1,2,3,4,5,6,7\n"),
        "ntu.skeleton": text(write.ntu_skeleton([kinect])),
        "walk.bvh": text(bvh_text(Motion(np.zeros((4, 72)), np.zeros(10), np.zeros((4, 3)), 30.0))),
        "xsens.mvnx": text(write.mvnx(body, names_of(5), 60)),
        "panoptic.json": lambda path: _write_json(path, {"univTime": 1.0, "bodies": [{"id": 0, "joints19": joints}]}),
        "landmarks.json": lambda path: _write_json(path, {"fps": 30, "frames": [{"landmarks": landmarks}] * 3}),
        "named.json": lambda path: _write_json(path, named_document(body)),
        "named_tracks.json": lambda path: _write_json(
            path, dict(zip(names_of(5), body.swapaxes(0, 1).tolist(), strict=True))
        ),
        "totalcapture.txt": text(write.totalcapture(clip(4, 21), names_of(21))),
        "neuron.calc": text(write.neuron_calc(clip(4, 21), newline="\n")),
        "numbers.txt": text("\n".join(" ".join(f"{x:.3f}" for x in row) for row in clip(4, 17).reshape(4, -1)) + "\n"),
        "words.csv": text(wide_csv(clip(4, 9), [f"{name}_pos" for name in names_of(9)])),
        "tidy_people.csv": text("time,person,joint,x,y,z\n0.0,a,RHip,1,2,3\n0.1,a,RHip,1,2,4\n0.1,b,RHip,2,2,3\n"),
        "people.pkl": lambda path: write.write_pickle(path, {label: {"joints": clip(4, 22)} for label in "ab"}),
        "frames.pkl": lambda path: write.write_pickle(
            path, [{"frame": number, "keypoints3d": row} for number, row in enumerate(clip(4, 17))]
        ),
        "bedlam.npz": lambda path: np.savez(path, **rows),
        "wide.csv.gz": lambda path: path.write_bytes(gzip.compress(wide_csv(body, names_of(5)).encode())) and None,
        "kinect.json": lambda path: _write_json(
            path,
            {"frames": [{"timestamp_usec": 0, "bodies": [{"body_id": 1, "joint_positions": clip(1, 32)[0].tolist()}]}]},
        ),
        "fit3d.json": lambda path: _write_json(path, {"joints3d_25": clip(4, 25).tolist()}),
        "3dpw.pkl": lambda path: write.write_pickle(path, {"jointPositions": [clip(4, 24).reshape(4, -1)]}),
        "vibe.pkl": lambda path: write.write_pickle(path, {1: {"joints3d": clip(4, 49), "frame_ids": np.arange(4)}}),
        "h36m.npz": lambda path: np.savez(path, positions_3d=np.array({"S1": {"Walk": clip(4, 17)}}, dtype=object)),
        "humanml3d.npy": lambda path: np.save(path, np.full((4, 263), 0.1)),
        "kit.npy": lambda path: np.save(path, np.full((4, 251), 0.1)),
        "qualisys.json": lambda path: _write_json(
            path,
            {
                "Timebase": {"Frequency": 60},
                "Markers": [
                    {"Name": name, "Parts": [{"Range": {"Start": 1, "End": 3}, "Values": clip(3, 1)[:, 0].tolist()}]}
                    for name in names_of(3)
                ],
            },
        ),
        "sam.csv": text(write.sam_csv(clip(4, 70))),
        "captury.csv": text(write.captury_csv(clip(4, 14))),
        "zed.json": lambda path: _write_json(
            path, {"33": {"body_list": [{"id": 0, "keypoint": clip(1, 18)[0].tolist()}], "timestamp": 33_000_000}}
        ),
        "opencap.json": lambda path: _write_json(
            path,
            {"time": [0.0, 0.1], "bodies": {"femur_r": {"translation": clip(2, 1)[:, 0].tolist(), "rotation": []}}},
        ),
        "landmarks.jsonl": text((json.dumps({"landmarks": landmarks}) + "\n") * 3),
        "qualisys.tsv": text(
            "NO_OF_FRAMES\t2\nFREQUENCY\t60\nMARKER_NAMES\tA\tB\n1\t2\t3\t4\t5\t6\n2\t3\t4\t5\t6\t7\n"
        ),
    }


def _save_array(path: Path, array: np.ndarray) -> None:
    np.save(path, array, allow_pickle=False)


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document))


def _write_pickle(path: Path, points: np.ndarray) -> None:
    path.write_bytes(pickle.dumps({"keypoints3d": points, "keypoints3d_optim": points}, protocol=4))
