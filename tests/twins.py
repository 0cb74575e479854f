"""Write twins of recordings that may not be carried: their producers' layout, filled with the samples' motion.

    python -m tests.twins OUTPUT

A twin has the name, columns, labels, units, axes, rate, number format and gaps of its original, and the faults for
which the original is read in a test; its person is the free body, so its true joints are known
(`tests.simulated_markers`). Twins of motions are in `tests.motion_twins`. F frames, K markers.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from core.layouts import H36M17
from tests.core.formats.track_writers import c3d_bytes
from tests.motion_twins import MOTIONS, write_motion_twin
from tests.simulated_markers import simulated
from training.make_samples import POSE2SIM_MARKERS

_SIDES = {"l": "left", "r": "right"}

OPENCAP = {
    "ASIS": "asis", "PSIS": "psis", "5meta": "fifth metatarsal", "HJC": "hip", "HJC_reg": "hip", "Shoulder": "shoulder",
    "Sternum": "chest", "ankle": "ankle outside", "calc": "heel", "elbow_lat": "elbow outside",
    "elbow_med": "elbow inside", "forearm": "forearm", "humerus": "upper arm", "knee": "knee outside",
    "sh2": "shank front", "sh3": "shank front below", "sh4": "shank outside", "shank_antsup": "shank front",
    "thigh1": "thigh outside", "thigh2": "thigh front", "thigh3": "thigh front above", "thigh4": "thigh outside above",
    "thigh5": "thigh oblique", "toe": "toe", "wrist_radius": "wrist thumb side",
    "wrist_ulna": "wrist little finger side", "C7": "c7",
}  # fmt: skip
OPENCAP_LABELS = """
C7 L.ASIS L.PSIS L_5meta L_HJC L_HJC_reg L_Shoulder L_Sternum L_ankle L_calc L_elbow_lat L_elbow_med L_forearm
L_humerus L_knee L_sh2 L_sh3 L_shank_antsup L_thigh1 L_thigh2 L_thigh3 L_thigh4 L_toe L_wrist_radius L_wrist_ulna R_HJC
R_HJC_reg R_Shoulder R_Sternum R_elbow_lat R_elbow_med R_forearm R_humerus R_wrist_radius R_wrist_ulna r.ASIS r.PSIS
r_5meta r_ankle r_calc r_knee r_sh2 r_sh3 r_sh4 r_shank_antsup r_thigh1 r_thigh2 r_thigh3 r_thigh4 r_thigh5 r_toe
""".split()

SPRINT = {
    "ARM": "upper arm", "ASI": "asis", "ELB": "elbow outside", "FOREARM": "forearm", "HEEL": "heel",
    "LEPI": "knee outside", "LMAL": "ankle outside", "MFL": "instep outside", "MFS": "instep inside",
    "P1MT": "first metatarsal", "P5MT": "fifth metatarsal", "PAT": "kneecap", "SH": "shoulder",
    "THAD": "thigh front", "THAP": "thigh front above", "THLD": "thigh outside", "THLP": "thigh outside above",
    "TIAD": "shank front below", "TIAP": "shank front", "TILAT": "shank outside", "TOE": "toe tip", "WR": "wrist",
    "C7": "c7", "MAN": "manubrium", "SACR": "sacrum", "T7": "t7", "P1": "left waist", "P2": "left psis",
    "P3": "right psis", "x52": "left chest", "x53": "right chest", "*52": "left chest", "*53": "right chest",
}  # fmt: skip
SPRINT_LABELS = """
C7 LARM LASI LELB LFOREARM LHEEL LLEPI LLMAL LMFL LMFS LP1MT LP5MT LPAT LSH LTHAD LTHAP LTHLD LTHLP LTIAD LTIAP LTILAT
LTOE LWR MAN P1 P2 P3 RARM RASI RELB RFOREARM RHEEL RLEPI RLMAL RMFL RMFS RP1MT RP5MT RPAT RSH RTHAD RTHAP RTHLD RTHLP
RTIAD RTIAP RTILAT RTOE RWR SACR T7 x52 x53
""".split()
SPRINT_C3D_LABELS = """
C7 RSH LSH MAN T7 LARM LELB LFOREARM LWR RARM RELB RFOREARM RWR RASI LASI SACR P1 P2 P3 LTHLP LTHLD LTHAP LTHAD LLEPI
LPAT LTIAP LTIAD LTILAT LLMAL LHEEL LMFS LMFL LP1MT LTOE LP5MT RTHLP RTHLD RTHAP RTHAD RLEPI RPAT RTIAP RTIAD RTILAT
RLMAL RHEEL RMFS RMFL RP1MT RTOE RP5MT *52 *53
""".split()
SPRINT_GAPS = {
    "LARM": (5, 6, 7, 121, 122, 123, 232, 233, 234), "LELB": (8, 124, 233, 234, 235, 237), "LLMAL": (14, 15),
    "LMFL": (13, 98), "LMFS": (12, 13, 128, 129), "LTOE": (11, 102, 127), "RLEPI": (9, 10, 11, 12),
    "RMFS": (10, 39, 72, 73, 118), "RP5MT": (320,), "RTIAD": (37, 38, 159, 160), "RTIAP": (125,), "RTILAT": (13,),
    "RTOE": (11, 71, 120, 321),
}  # fmt: skip
"""Frames in which the sprint's TRC file has no value."""
SPRINT_STRAYS = {"RTOE": (10, 72), "LTOE": (12, 128), "LELB": (232,), "RLEPI": (13,)}
"""Frames beside a gap in which a marker is 100 mm from its place."""

ADDBIOMECHANICS = {
    "Shoulder": "shoulder", "Clavicle": "clavicle", "Biceps": "upper arm", "Elbow": "elbow outside",
    "Forearm": "forearm", "Wrist": "wrist", "ASIS": "asis", "PSIS": "psis", "TH1": "thigh front above",
    "TH2": "thigh outside", "TH3": "thigh front", "TH4": "thigh outside above", "Knee": "knee outside",
    "SH1": "shank front", "SH2": "shank outside", "SH3": "shank front below", "SH4": "shank outside",
    "Ankle": "ankle outside", "Heel": "heel", "MT5": "fifth metatarsal", "Toe": "toe tip", "S2": "sacrum",
}  # fmt: skip
ADDBIOMECHANICS_LABELS = """
R.Shoulder L.Shoulder R.Clavicle L.Clavicle R.Biceps R.Elbow R.Forearm R.Wrist L.Biceps L.Elbow L.Forearm L.Wrist R.ASIS
L.ASIS R.PSIS S2 L.PSIS R.TH1 R.TH2 R.TH3 R.Knee R.SH1 R.SH2 R.SH3 R.SH4 R.Ankle R.Heel R.MT5 R.Toe L.TH1 L.TH2 L.TH3
L.TH4 L.Knee L.SH1 L.SH2 L.SH3 L.Ankle L.Heel L.MT5 L.Toe
""".split()

SQUAT = {
    "ARIEL": "head top", "FHD": "head front", "BHD": "head back", "C7": "c7", "T10": "t10", "CLAV": "manubrium",
    "STRN": "sternum", "FSH": "shoulder front", "BSH": "shoulder back", "UPA": "upper arm", "ELB": "elbow outside",
    "IEL": "elbow inside", "OWR": "wrist little finger side", "IWR": "wrist thumb side", "WRE": "forearm",
    "IHAND": "index knuckle", "OHAND": "little finger knuckle", "FWT": "asis", "MWT": "waist", "BWT": "psis",
    "HIP": "thigh outside above", "KNE": "knee outside", "KNI": "knee inside", "SHN": "shank outside",
    "ANK": "ankle outside", "HEL": "heel", "MT5": "first metatarsal", "MT1": "fifth metatarsal", "TOE": "toe tip",
}  # fmt: skip
"""MT1 and MT5 are exchanged, as in the original."""
SQUAT_LABELS = """
ARIEL LFHD LBHD RFHD RBHD C7 T10 CLAV STRN LFSH LBSH LUPA LELB LIEL LOWR LIWR LWRE LIHAND LOHAND RFSH RBSH RUPA RELB
RIEL ROWR RIWR RWRE RIHAND ROHAND LFWT LMWT LBWT RFWT RMWT RBWT LHIP LKNE LKNI LSHN LANK LHEL LMT5 LMT1 LTOE RHIP RKNE
RKNI RSHN RANK RHEL RMT5 RMT1 RTOE
""".split()
SQUAT_GAPS = {
    "LFWT": slice(680, 840), "RFWT": slice(700, 830), "CLAV": slice(690, 790), "STRN": slice(690, 820),
    "RFSH": slice(100, 160), "LKNI": slice(700, 760), "RKNI": slice(720, 790), "LSHN": slice(300, 340),
    "ROHAND": slice(500, 560), "LFHD": slice(10, 38),
}  # fmt: skip
"""Frames in which the bent body hides a marker from the cameras, and others."""

CMU = {
    "FHD": "head front", "BHD": "head back", "C7": "c7", "T10": "t10", "CLAV": "manubrium", "STRN": "sternum",
    "BAC": "shoulder back", "SHO": "shoulder", "UPA": "upper arm", "ELB": "elbow outside", "FRM": "forearm",
    "WRA": "wrist thumb side", "WRB": "wrist little finger side", "FIN": "index knuckle", "FWT": "asis", "BWT": "psis",
    "THI": "thigh outside", "KNE": "knee outside", "SHN": "shank outside", "ANK": "ankle outside", "HEE": "heel",
    "TOE": "toe", "MT5": "fifth metatarsal",
}  # fmt: skip
CMU_LABELS = """
RBWT LBWT RFWT LFWT RTHI LWRB LFRM LTHI RWRA LFIN RWRB RFRM LWRA RFIN LELB RELB RKNE LKNE STRN T10 LUPA RUPA RBAC CLAV
RSHO LSHO C7 LSHN RBHD LBHD RANK LANK LHEE LFHD RHEE RTOE RMT5 RFHD LMT5 LTOE RSHN
""".split()

PLUG_IN_GAIT = CMU | {"ASI": "asis", "PSI": "psis", "TIB": "shank outside", "BAK": "shoulder back"}
SEGMENTS = {
    "PEL": "pelvis", "HED": "head", "TRX": "manubrium", "FE": "knee", "TI": "ankle", "FO": "ankle", "TO": "foot",
    "CL": "shoulder", "HU": "elbow", "RA": "wrist", "HN": "hand",
}  # fmt: skip
"""Where the origin (O) of a segment that Plug-in Gait writes is; A, L and P are the ends of its axes."""
STATIC_LABELS = """
LFHD RFHD LBHD RBHD C7 T10 CLAV STRN RBAK LSHO LELB LWRA LWRB LFIN RSHO RELB RWRA RWRB RFIN LASI RASI LPSI RPSI LTHI
LKNE LTIB LANK LHEE LTOE RTHI RKNE RTIB RANK RHEE RTOE
HED* LCL* LFE* LFO* LHN* LHU* LRA* LTI* LTO* PEL* RCL* RFE* RFO* RHN* RHU* RRA* RTI* RTO* TRX*
""".split()
MOVEMENT_LABELS = """
LBHD T10 CLAV STRN RBAK LSHO LUPA LELB LFRM LWRA LWRB LFIN RSHO RUPA RELB RFRM RWRA RWRB RFIN LASI RASI LPSI RPSI LTHI
LKNE LTIB LANK LTOE RTHI RKNE RTIB RANK RHEE RTOE
PEL* LFE* LTI* LFO* LTO* RFE* RTI* RFO* RTO* HED* LCL* RCL* TRX* LHU* LRA* LHN* RHU* RRA* RHN*
RBHD LFHD RFHD C7 LHEE CentreOfMass CentreOfMassFloor
""".split()
NO_MARKERS = {"ANGLES": ("LKneeAngles", "RKneeAngles"), "POWERS": ("LKneePower",)}
"""Points of the same two files that are no positions."""

STUDY = OPENCAP | {
    "mknee": "knee inside", "mankle": "ankle inside", "shoulder": "shoulder", "sh1": "shank outside", "HJC": "hip",
    "lelbow": "elbow outside", "melbow": "elbow inside", "lwrist": "wrist thumb side",
    "mwrist": "wrist little finger side",
}  # fmt: skip
STUDY_LABELS = """
r.ASIS L.ASIS r.PSIS L.PSIS r_knee r_mknee r_ankle r_mankle r_toe r_5meta r_calc L_knee L_mknee L_ankle L_mankle L_toe
L_calc L_5meta r_shoulder L_shoulder C7 r_thigh1 r_thigh2 r_thigh3 L_thigh1 L_thigh2 L_thigh3 r_sh1 r_sh2 r_sh3 L_sh1
L_sh2 L_sh3 RHJC LHJC r_lelbow r_melbow r_lwrist r_mwrist L_lelbow L_melbow L_lwrist L_mwrist
""".split()
BALANCING_STRAYS = {"LHeel": (94, 0.10), "LBigToe": (94, -0.08), "LElbow": (slice(87, 89), 0.14)}
"""Frames in which the balancing person's points are off, and how far, metres."""


def markers_of(labels: Sequence[str], places: dict[str, str]) -> list[str]:
    """Return the simulated marker of each label: its own place, or its side's ("L.ASIS", "LASI", "r_knee")."""

    def marker(label: str) -> str:
        if label in places:
            return places[label]
        side, stem = re.fullmatch(r"([LRr])[._]?(.+)", label).groups()  # type: ignore[union-attr]
        return f"{_SIDES[side.lower()]} {places[stem]}"

    return [marker(label) for label in labels]


def _trc(
    path: str, labels: Sequence[str], rows: Sequence[str], *, values: str, first_line: str = "", ends: str = ""
) -> str:
    lines = [
        first_line or f"PathFileType\t4\t(X/Y/Z)\tresults/MarkerData/{path}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        values,
        "Frame#\tTime\t" + "\t\t\t".join(labels) + "\t\t" + ends,
        "\t\t" + "\t".join(f"{axis}{number}" for number in range(1, len(labels) + 1) for axis in "XYZ") + ends,
        "",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def opensim_trc(path: str, points: np.ndarray, labels: Sequence[str], fps: int) -> str:
    """Return a TRC file as OpenCap and nimblephysics write it: metres, six digits, "nan" in a gap."""
    rows = []
    for frame, row in enumerate(points.reshape(len(points), -1)):
        rows.append("\t".join((str(frame + 1), f"{frame / fps:.6g}", *(f"{value:.6g}" for value in row))))
    values = f"{fps}\t{fps}\t{len(points)}\t{len(labels)}\tm\t{fps}\t0\t{len(points)}"
    return _trc(path, labels, rows, values=values)


def addbiomechanics_trc(points: np.ndarray, labels: Sequence[str], fps: float) -> str:
    """Return a TRC file as motion analysis software writes it: padded header, millimetres, no name of the file."""
    rows = []
    for frame, row in enumerate(1000.0 * points.reshape(len(points), -1)):
        rows.append("\t".join((str(frame + 1), f"{frame / fps:.5f}", *(f"{value:.3f}" for value in row))))
    count, number = f"{len(points):7d}", f"{len(labels):7d}"
    values = f"  {fps:.1f}\t\t  {fps:.1f}\t\t{count}\t\t{number}\t\t mm\t  {fps:.1f}\t      1\t{count}"
    first_line = "PathFileType  4\t(X/Y/Z) C:\\Walks\\Files_W_HJCs\\"
    return _trc("", labels, rows, values=values, first_line=first_line, ends="\t")


def _sprint(labels: Sequence[str], num_frames: int) -> np.ndarray:
    """Return the sprint (F, K, 3), metres, Y up: the walk, 2.5 times as fast."""
    return simulated(markers_of(labels, SPRINT), 250.0, num_frames, start_s=0.6, speed=2.5, seed=3)


def _sprint_trc(path: Path) -> None:
    points = _sprint(SPRINT_LABELS, 322)
    for label, frames in SPRINT_GAPS.items():
        points[list(frames), SPRINT_LABELS.index(label)] = np.nan
    for label, frames in SPRINT_STRAYS.items():
        points[list(frames), SPRINT_LABELS.index(label)] += [0.06, -0.08, 0.0]
    path.write_text(opensim_trc(path.name, points, SPRINT_LABELS, 250), encoding="utf-8", newline="\n")


def _z_up_mm(points: np.ndarray) -> np.ndarray:
    return 1000.0 * np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def _sprint_c3d(path: Path) -> None:
    points = _z_up_mm(_sprint(SPRINT_C3D_LABELS, 324))
    path.write_bytes(c3d_bytes(points, SPRINT_C3D_LABELS, fps=250.0, scale=-0.1, first=833, num_analog=360))


def _squat_c3d(path: Path) -> None:
    points = 1000.0 * simulated(markers_of(SQUAT_LABELS, SQUAT), 120.0, 860, seed=4)
    for label, frames in SQUAT_GAPS.items():
        points[frames, SQUAT_LABELS.index(label)] = np.nan
    labels = [f"Sample35:{label}" for label in SQUAT_LABELS]
    path.write_bytes(c3d_bytes(points, labels, fps=120.0, screen=None))


def _cmu_c3d(path: Path) -> None:
    points = _z_up_mm(simulated(markers_of(CMU_LABELS, CMU), 120.0, 480, seed=7))
    labels = [f"TakeoMonday:{label}" for label in CMU_LABELS]
    path.write_bytes(c3d_bytes(points, labels, fps=120.0, scale=-0.05))


def _with_axes(label: str) -> list[str]:
    return [label[:-1] + end for end in "OALP"] if label.endswith("*") else [label]


def _plug_in_gait(labels: Sequence[str], fps: float, num_frames: int, first: int) -> Callable[[Path], None]:
    """Return a writer of a file with markers, segments as Plug-in Gait computes them, angles and powers."""

    def place(label: str) -> str:
        if label.startswith("CentreOfMass"):
            return "pelvis"
        if label in ("PEL*", "HED*", "TRX*"):
            return SEGMENTS[label[:-1]]
        if label.endswith("*"):
            return f"{_SIDES[label[0].lower()]}_{SEGMENTS[label[1:-1]]}"
        return markers_of([label], PLUG_IN_GAIT)[0]

    def write(path: Path) -> None:
        points = _z_up_mm(simulated([place(label) for label in labels], fps, num_frames, start_s=0.6, seed=8))
        columns = []
        for column, label in enumerate(labels):
            axes = np.eye(3) if label.endswith("*") else np.zeros((0, 3))
            columns += [points[:, column], *(points[:, column] + 100.0 * axis for axis in axes)]
        others = [name for names in NO_MARKERS.values() for name in names]
        columns += [np.full((num_frames, 3), 9000.0)] * (len(others) + 1)
        names = [name for label in labels for name in _with_axes(label)] + [*others, "*110"]
        stacked = np.stack(columns, axis=1)
        path.write_bytes(c3d_bytes(stacked, names, fps=fps, scale=-0.01, first=first, lists=NO_MARKERS, num_analog=10))

    return write


def pose2sim_trc(path: str, points: np.ndarray, labels: Sequence[str]) -> str:
    """Return a TRC file as Pose2Sim writes it at 60 fps: metres, all digits, no empty line after the header."""
    values = f"60\t60\t{len(points)}\t{len(labels)}\tm\t60\t0\t{len(points)}"
    rows = ["\t".join((str(frame + 1), str((frame + 1) / 60), *(repr(float(value)) for value in row)))
            for frame, row in enumerate(points.reshape(len(points), -1))]  # fmt: skip
    text = _trc(path, labels, rows, values=values, first_line=f"PathFileType\t4\t(X/Y/Z)\t{path}")
    return text.replace("\n\n", "\n")


def _pose2sim(start_s: float, seed: int, strays: dict[str, tuple[int | slice, float]]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        points = simulated(list(POSE2SIM_MARKERS.values()), 60.0, 100, start_s=start_s, seed=seed)
        for label, (frames, off_m) in strays.items():
            points[frames, list(POSE2SIM_MARKERS).index(label)] += [off_m, 0.0, 0.0]
        text = pose2sim_trc(path.name, points, list(POSE2SIM_MARKERS))
        path.write_text(text, encoding="utf-8", newline="\n")

    return write


def _augmented(path: Path) -> None:
    """Write keypoints and the markers that Pose2Sim's marker augmentation estimates from them."""
    places = [*POSE2SIM_MARKERS.values(), *markers_of(STUDY_LABELS, STUDY)]
    labels = [*POSE2SIM_MARKERS, *(f"{label}_study" for label in STUDY_LABELS)]
    points = simulated(places, 60.0, 100, start_s=0.5, seed=10)
    rows = ["\t".join((str(frame + 1), f"{(frame + 1) / 60:.7f}", *(f"{value:.7f}" for value in row)))
            for frame, row in enumerate(points.reshape(len(points), -1))]  # fmt: skip
    values = f"60.0\t60.0\t100\t{len(labels)}\tm\t60.0\t0\t100"
    first_line = "PathFileType  4\t(X/Y/Z) C:\\Session\\Trial\\pose-3d"
    text = _trc("", labels, rows, values=values, first_line=first_line, ends="\t")
    path.write_text(text, encoding="utf-8", newline="\n")


def _opencap(num_frames: int, start_s: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        points = simulated(markers_of(OPENCAP_LABELS, OPENCAP), 100.0, num_frames, start_s=start_s, seed=5)
        text = opensim_trc(path.name.removeprefix("OpenCap_"), points, OPENCAP_LABELS, 100)
        path.write_text(text, encoding="utf-8", newline="\n")

    return write


def _addbiomechanics(path: Path) -> None:
    places = markers_of(ADDBIOMECHANICS_LABELS, ADDBIOMECHANICS)
    points = simulated(places, 100.0, 238, start_s=0.5, seed=6)
    path.write_text(addbiomechanics_trc(points, ADDBIOMECHANICS_LABELS, 100.0), encoding="utf-8", newline="\n")


def _lifted(seed: int) -> Callable[[Path], None]:
    """Return a writer of what a video lifter saves: the root at 0, Y down, tilted as the camera was, no rate."""

    def write(path: Path) -> None:
        names = [str(point.solver) for point in H36M17.points]
        points = simulated(names, 50.0, 291, start_s=0.3, seed=seed)
        camera = Rotation.from_euler("xy", [180.0 + 12.0, 30.0 * seed], degrees=True).as_matrix()
        local = (points - points[:, :1]) @ camera.T
        np.savez_compressed(path, reconstruction=local.astype(np.float32))

    return write


TRACKS: dict[str, Callable[[Path], None]] = {
    "c3d/JA1Gait35.c3d": _sprint_c3d,
    "c3d/cmu_02_05.c3d": _cmu_c3d,
    "c3d/pycgm_Movement_trial.c3d": _plug_in_gait(MOVEMENT_LABELS, 120.0, 90, 695),
    "c3d/pycgm_Sample_Static.c3d": _plug_in_gait(STATIC_LABELS, 100.0, 60, 1),
    "c3d/squat.c3d": _squat_c3d,
    "h36m17/Alter_output_keypoints_3d.npz": _lifted(1),
    "h36m17/AutoDance_output_keypoints_3d.npz": _lifted(2),
    "trc/AddBiomechanics_motion_capture_walk.trc": _addbiomechanics,
    "trc/JA1Gait35.trc": _sprint_trc,
    "trc/OpenCap_DJ1.trc": _opencap(245, 4.7),
    "trc/OpenCap_walking2.trc": _opencap(136, 1.0),
    "trc/Pose2Sim_markers.trc": _pose2sim(0.5, 9, {}),
    "trc/S00_P00_T01_BalancingTrial_0-100.trc": _pose2sim(0.5, 9, BALANCING_STRAYS),
    "trc/S00_P00_T01_BalancingTrial_0-100_filt_butterworth_LSTM.trc": _augmented,
    "trc/S00_P01_T02_Participants1-2_P1_0-100.trc": _pose2sim(2.0, 11, {}),
}
"""The twin of each keypoint file."""


def write_twins(output: Path) -> list[Path]:
    """Write every twin into the folders ``keypoints`` and ``cmu_smpl`` of *output*; return their paths."""
    paths = {output / "keypoints" / name: write for name, write in TRACKS.items()}
    paths |= {output / "cmu_smpl" / f"CMU_{name}_poses.npz": write_motion_twin for name in MOTIONS}
    for path, write in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    return list(paths)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description="Write twins of recordings that may not be carried.")
    parser.add_argument("output", type=Path, help="folder to write to")
    for path in write_twins(parser.parse_args(arguments).output):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
