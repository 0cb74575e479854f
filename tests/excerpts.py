"""Cut the excerpts of real recordings that lie in ``tests/data`` from the original files.

    python -m tests.excerpts ORIGINALS [--output tests/data]

ORIGINALS is the folder with ``cmu_smpl``, ``cmu_bvh`` and ``keypoints``. An excerpt keeps the bytes of its original:
header, names, parameters and the frames it names; only the numbers of frames are those of the excerpt. Where the
originals come from, and under which terms, is in ``tests/data/README.md``.
"""

from __future__ import annotations

import argparse
import re
import struct
import sys
from pathlib import Path

import numpy as np

ALL = slice(None)
DATA = Path(__file__).resolve().parent / "data"

MOTIONS = {
    "02_01": ALL, "02_05": slice(150, 160), "05_02": slice(100, 190), "05_03": ALL, "05_13": slice(120, 130),
    "07_01": ALL, "07_10": ALL, "08_01": ALL, "09_11": ALL, "16_15": ALL, "16_31": ALL, "26_01": slice(0, 120),
    "27_01": ALL, "29_01": ALL, "35_01": ALL, "35_03": slice(0, 80), "35_28": ALL, "131_01": slice(0, 90),
}  # fmt: skip
"""Frames of each clip ``cmu_smpl/CMU_*_poses.npz``: walks, a fast dance, a jump, a run, a cautious start."""
ACTORS = {"02_05": slice(600, 640), "05_13": slice(480, 520)}
"""Frames of each clip ``cmu_bvh/*.bvh``, counted after its T-pose: those of the C3D file of the same name."""
TRACKS = {
    "c3d/cmu_02_05.c3d": slice(600, 640),
    "c3d/cmu_05_13.c3d": slice(480, 520),
    "c3d/pycgm_Movement_trial.c3d": slice(132, 152),
    "c3d/pycgm_Sample_Static.c3d": slice(150, 170),
    "trc/Pose2Sim_markers.trc": ALL,
    "trc/S00_P00_T01_BalancingTrial_0-100.trc": ALL,
    "trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc": slice(0, 40),
    "trc/S00_P01_T02_Participants1-2_P1_0-100.trc": slice(0, 30),
}
"""Frames of each file in ``keypoints``."""
_TRC_HEADER_LINES = 5


def cut_npz(data: Path, frames: slice, output: Path) -> None:
    """Write the *frames* of a motion in AMASS layout."""
    with np.load(data, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name in ("poses", "trans"):
        arrays[name] = arrays[name][frames]
    np.savez_compressed(output, **arrays)


def cut_trc(data: bytes, frames: slice) -> bytes:
    """Return a TRC file with some of its *frames*; the header's two numbers of frames follow."""
    lines = data.splitlines(keepends=True)
    rows = [line for line in lines[_TRC_HEADER_LINES:] if line.strip()][frames]
    values = lines[2].split(b"\t")
    values[2] = b"%d" % len(rows)
    return b"".join([*lines[:2], b"\t".join(values), *lines[3:_TRC_HEADER_LINES], *rows])


def cut_bvh(data: bytes, frames: slice) -> bytes:
    """Return a BVH file with its first frame, the T-pose, and some of the *frames* after it."""
    head, _, rest = data.partition(b"Frames:")
    _, time, first, *others = rest.splitlines(keepends=True)
    kept = [first, *others[frames]]
    return b"".join([head, b"Frames: %d\n" % len(kept), time, *kept])


def _put_parameter(section: bytearray, name: bytes, words: tuple[int, ...]) -> None:
    """Write 16-bit *words* into the parameter *name* of a C3D file's parameter section, if it is there."""
    found = re.search(re.escape(struct.pack("b", len(name))) + b"." + name, bytes(section), re.DOTALL)
    if found is None:
        return
    num_dimensions = section[found.end() + 3]
    start = found.end() + 4 + num_dimensions
    section[start : start + 2 * len(words)] = struct.pack(f"<{len(words)}H", *words)


def cut_c3d(data: bytes, frames: slice) -> bytes:
    """Return a C3D file of an Intel or DEC machine with some of its *frames*, consecutive and numbered as before."""
    num_points, num_analog, first, last, _ = struct.unpack("<5H", data[2:12])
    (scale,) = struct.unpack("<f", data[12:16])
    is_dec = data[512 * (data[0] - 1) + 3] == 85
    is_float = bool(data[13] & 0x80) if is_dec else scale < 0.0
    size = (4 if is_float else 2) * (4 * num_points + num_analog)
    start = 512 * (struct.unpack("<H", data[16:18])[0] - 1)
    kept = range(last - first + 1)[frames]
    head = bytearray(data[:start])
    head[6:10] = struct.pack("<2H", first + kept.start, first + kept.stop - 1)
    section = head[512:]
    _put_parameter(section, b"ACTUAL_START_FIELD", (first + kept.start, 0))
    _put_parameter(section, b"ACTUAL_END_FIELD", (first + kept.stop - 1, 0))
    _put_parameter(section, b"FRAMES", (len(kept),))
    return bytes(head[:512] + section + data[start + size * kept.start : start + size * kept.stop])


def write_excerpts(originals: Path, output: Path) -> list[Path]:
    """Write every excerpt into *output*; return their paths."""
    written = []
    for name, frames in MOTIONS.items():
        path = output / "cmu_smpl" / f"CMU_{name}_poses.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_npz(originals / "cmu_smpl" / path.name, frames, path)
        written.append(path)
    for name, frames in ACTORS.items():
        path = output / "cmu_bvh" / f"{name}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cut_bvh((originals / "cmu_bvh" / path.name).read_bytes(), frames))
        written.append(path)
    for name, frames in TRACKS.items():
        path = output / "keypoints" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = (originals / "keypoints" / name).read_bytes()
        cut = cut_c3d if path.suffix == ".c3d" else cut_trc
        path.write_bytes(data if frames == ALL else cut(data, frames))
        written.append(path)
    return written


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description="Cut the excerpts of real recordings.")
    parser.add_argument("originals", type=Path, help="folder of the original recordings")
    parser.add_argument("--output", type=Path, default=DATA, help="folder to write to (default: tests/data)")
    options = parser.parse_args(arguments)
    for path in write_excerpts(options.originals, options.output):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
