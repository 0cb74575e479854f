"""Files without 3D keypoints: the error says what they are."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from core.errors import CoreError, TrackFileError
from core.reading import read_all, read_tracks
from tests import producers as write


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"smpl_params_global": {"body_pose": np.zeros((4, 63))}}, "root_orient as numbers"),
        ({0: {"pose_world": np.zeros((4, 72)), "trans_world": np.zeros((3, 3))}}, "for each of 4 frames in a solved"),
        ({"colours": np.zeros(3)}, r"found keys \['colours'\]"),
        ([1, 2], "found a list of 2"),
        ({}, "found an empty dictionary"),
    ],
)
def test_other_pickles_say_what_they_are(tmp_path, data, message):
    write.write_pickle(tmp_path / "a.pkl", data)
    with pytest.raises(TrackFileError, match=message):
        read_tracks(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    ("members", "message"),
    [(["archive/data.pkl", "archive/version"], "a PyTorch file"), (["xl/workbook.xml"], "an Excel table.*CSV")],
)
def test_other_archives_say_what_they_are(tmp_path, members, message):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for member in members:
            archive.writestr(member, b"x")
    with pytest.raises(TrackFileError, match=message):
        read_tracks(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Coordinates\nversion=1\nnRows=2\nendheader\ntime\tpelvis_tilt\n", "joint angles or forces"),
        ("Devices\n1000\n,Force\nFrame,Sub Frame,Fx,Fy,Fz\n,,N,N,N\n1,0,1,2,3\n", "forces and other devices alone"),
        ("<?xml version='1.0'?><COLLADA/>\n", "found XML"),
    ],
)
def test_other_texts_say_what_they_are(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(CoreError, match=message):
        read_tracks(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("a.fbx", b"Kaydara FBX Binary  \0\x1a\0", "an FBX scene.*smplify FILE -o OUT"),
        ("a.fbx", b"; FBX 7.4.0 project file\n", "an FBX scene in text.*binary FBX"),
        ("a.glb", b"glTF\2\0\0\0", "a glTF scene.*the box Track"),
        ("a.vrm", b"glTF\2\0\0\0", "a glTF scene"),
        ("a.gltf", b'{"accessors": [], "asset": {"version": "2.0"}}', "a glTF scene.*the box Track"),
        ("a.blend", b"BLENDER17-01v0500", "a Blender file.*the box Track"),
        ("a.blend", b"\x28\xb5\x2f\xfd\0\0", "a Blender file"),
        ("a.zst", b"\x28\xb5\x2f\xfd\0\0", "an archive.*unpack"),
        ("a.usdc", b"PXR-USDC\0\0", "a USD scene.*armature"),
        ("a.vmd", b"Vocaloid Motion Data 0002\0", "an MMD motion.*armature"),
        ("a.amc", b"#!OML:ASF H:\n:FULLY-SPECIFIED\n", "an Acclaim motion.*BVH"),
        ("a.amc", b":FULLY-SPECIFIED\n:DEGREES\n1\n", "an Acclaim motion.*BVH"),
        ("a.asf", b"# AST/ASF file generated using VICON BodyLanguage\n", "an Acclaim skeleton.*AMC"),
        ("a.htr", b"[Header]\nFileType htr\n", "an HTR motion.*BVH"),
        ("a.mp4", b"\0\0\0\x1cftypisom\0\0\2\0", "a video.*tracker"),
        ("a.mkv", b"\x1aE\xdf\xa3\1\0", "a video"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file.*NPZ"),
        ("a.parquet", b"PAR1\x15\0", "a Parquet table.*CSV"),
        ("a.abc", b"Ogawa\xff\0\1", "an Alembic file"),
        ("a.ply", b"ply\nformat ascii 1.0\n", "a mesh or point cloud"),
    ],
)
def test_a_known_kind_without_points_says_what_it_is(tmp_path, name, head, message):
    (tmp_path / name).write_bytes(head + b"\0" * 600 if b"\0" in head else head)
    with pytest.raises(TrackFileError, match=f"expected 3D keypoints, found {message}"):
        read_all(tmp_path / name)
