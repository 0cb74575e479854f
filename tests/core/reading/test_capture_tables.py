"""TotalCapture's and Perception Neuron's texts, and tables of their kind, are read as the motion they hold."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import TrackFileError
from core.formats.position_columns import NEURON_BONES
from core.formats.triple_cells import TOTALCAPTURE_JOINTS
from core.layouts import LAYOUTS
from core.reading import ReadOptions, read_all
from tests import producers as write
from tests.core.fit.scenes import Scene, walking
from tests.producers import assert_is

FPS = 60.0
GIVEN = ReadOptions(fps=FPS)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return walking()[150:186]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\t\n", "\n").replace("\n", "\r\n"),
        lambda text: text.partition("\n")[2],
        lambda text: "# from the Vicon suite\n" + text,
        lambda text: text.replace("\t\n", "\n").replace(" ", "\t"),
    ],
    ids=["as published", "no last tab, CRLF", "no names", "a comment", "a number a cell"],
)
def test_totalcapture(tmp_path, scene, change):
    text = write.totalcapture(write.bone_points(scene, TOTALCAPTURE_JOINTS), TOTALCAPTURE_JOINTS)
    (tmp_path / "gt_skel_gbl_pos.txt").write_bytes(change(text).encode())
    (reading,) = read_all(tmp_path / "gt_skel_gbl_pos.txt")
    assert (reading.kind, reading.track.fps, reading.track.layout.name) == ("TotalCapture", 60.0, "skeleton")
    assert reading.finding("units").value == "in"
    assert_is(reading.track, scene)


def test_orientations_of_totalcapture_are_refused(tmp_path):
    row = "\t".join(["0.5 0.5 0.5 0.5"] * 21)
    (tmp_path / "gt_skel_gbl_ori.txt").write_text("\t".join(TOTALCAPTURE_JOINTS) + "\n" + f"{row}\n" * 9)
    with pytest.raises(TrackFileError, match=r"found orientations \(quaternions\) .*gt_skel_gbl_pos"):
        read_all(tmp_path / "gt_skel_gbl_ori.txt")


@pytest.mark.parametrize(
    "form", ["[{:.4f} {:.4f} {:.4f}]", '"({:.4f}, {:.4f}, {:.4f})"', '"[{:.4f}, {:.4f}, {:.4f}, 0.8]"']
)
def test_a_point_in_each_cell(tmp_path, scene, form):
    layout = LAYOUTS["halpe26"]
    lines = [",".join(["frame", *layout.names])]
    for frame, row in enumerate(write.filled(scene, layout)):
        cells = ["" if (frame, number) == (3, 5) else form.format(*point) for number, point in enumerate(row)]
        lines.append(",".join([str(frame + 10), *cells]))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert reading.track.confidence[3, 5] == 0.0
    assert reading.track.confidence[4, 5] == (0.8 if "0.8" in form else 1.0)
    assert_is(reading.track, scene)


@pytest.mark.parametrize("bones", [21, 59], ids=["without gloves", "with gloves"])
@pytest.mark.parametrize("preamble", [0, 5], ids=["no lines above", "five lines above"])
def test_calculation_files_of_perception_neuron(tmp_path, scene, bones, preamble):
    points = write.bone_points(scene, NEURON_BONES[:bones]) @ write.Z_UP.T
    (tmp_path / "take.calc").write_text(write.neuron_calc(points, preamble=preamble), newline="")
    (reading,) = read_all(tmp_path / "take.calc", GIVEN)
    assert (reading.kind, reading.track.layout.name) == ("Perception Neuron", "skeleton")
    assert_is(reading.track, scene)


def test_tables_of_axis_studio_hold_more_than_positions(tmp_path, scene):
    bones = tuple(write.SKELETON_BONES)
    points = write.bone_points(scene, bones)
    parts = [(what, axes) for what, axes in (("Joint-Velo", "xyz"), ("Joint-Posi", "xyz"), ("Bone-Quat", "wxyz"))]
    lines = [",".join(f"{bone}-{what}-{axis}" for bone in bones for what, axes in parts for axis in axes)]
    for row in points:
        lines.append(",".join(f"9,9,9,{x:.5f},{y:.5f},{z:.5f},1,0,0,0" for x, y, z in row))
    (tmp_path / "take.csv").write_text("\n".join(lines) + "\n")
    (reading,) = read_all(tmp_path / "take.csv", GIVEN)
    assert reading.kind == "Perception Neuron" and reading.track.layout.name == "skeleton"
    assert_is(reading.track, scene)


@pytest.mark.parametrize(
    "cell",
    [
        "{name}_pos_{axis}", "{name}.position.{axis}", "pos_{name}_{axis}", "Position_{name}_{axis}",
        "p3d_{name}_{axis}", "{name}_world_{axis}", "{name}_T{axis}", "{name}.t{axis}", "{name}_{axis}_m",
        "{name}_{axis}_3d",
    ],
)  # fmt: skip
def test_columns_that_say_what_they_hold(tmp_path, scene, cell):
    layout = LAYOUTS["halpe26"]
    lines = ["|".join(cell.format(name=name, axis=axis) for name in layout.names for axis in "xyz")]
    lines += ["|".join(f"{x:.5f}" for x in row) for row in write.filled(scene, layout).reshape(len(scene), -1)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert_is(reading.track, scene)


@pytest.mark.parametrize("counter", ["none", "frames", "seconds"])
@pytest.mark.parametrize("delimiter", [",", " "])
def test_tables_of_numbers_alone(tmp_path, scene, counter, delimiter):
    values = write.filled(scene, LAYOUTS["coco17"]).reshape(len(scene), -1)
    if counter != "none":
        values = np.column_stack([np.arange(len(values)) / (1.0 if counter == "frames" else FPS), values])
    np.savetxt(tmp_path / "a.txt", values, delimiter=delimiter)
    (reading,) = read_all(tmp_path / "a.txt", ReadOptions() if counter == "seconds" else GIVEN)
    assert (reading.track.layout.name, reading.track.fps) == ("coco17", pytest.approx(FPS))
    assert_is(reading.track, scene)


def test_the_names_that_savetxt_writes_as_a_comment(tmp_path, scene):
    layout = LAYOUTS["halpe26"]
    header = ",".join(f"{name}_{axis}" for name in layout.names for axis in "xyz")
    values = write.filled(scene, layout).reshape(len(scene), -1)
    np.savetxt(tmp_path / "a.csv", values, delimiter=",", header=header)
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert len(reading.matched) == 26
    assert_is(reading.track, scene)


def test_a_row_without_values_is_a_frame_where_nothing_counts_the_frames(tmp_path, scene):
    layout = LAYOUTS["halpe26"]
    rows = [",".join(f"{x:.5f}" for x in row) for row in write.filled(scene, layout).reshape(len(scene), -1)]
    rows[9] = "," * rows[9].count(",")
    lines = [",".join(f"{name}_{axis}" for name in layout.names for axis in "xyz"), *rows, rows[9]]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert np.flatnonzero((reading.track.confidence == 0.0).all(axis=1)).tolist() == [9]
    assert_is(reading.track, scene)


@pytest.mark.parametrize(
    ("header", "person"),
    [
        ("time,joint_name,x,y,z", False),
        ("frame_idx,person_id,keypoint_name,x,y,z,confidence", True),
        ("Frame,Person,Joint,Pos X,Pos Y,Pos Z", True),
        ("timestamp,body_part,X (m),Y (m),Z (m)", False),
    ],
)
def test_tables_with_a_row_for_each_point(tmp_path, scene, header, person):
    layout = LAYOUTS["halpe26"]
    lines = [header]
    for frame, row in enumerate(write.filled(scene, layout)):
        for label in ("ann", "bob") if person else ("",):
            for name, (x, y, z) in zip(layout.names, row, strict=True):
                first = f"{frame / FPS:.5f}" if header[:4] == "time" else str(frame)
                middle = [label, name] if person else [name]
                trust = ["0.9"] if "confidence" in header else []
                cells = [first, *middle, *(f"{v:.5f}" for v in (x + (label == "bob"), y, z)), *trust]
                lines.append(",".join(cells))
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    readings = read_all(tmp_path / "a.csv", ReadOptions() if header[:4] == "time" else GIVEN)
    assert [reading.track.person for reading in readings] == (["ann", "bob"] if person else [""])
    for reading in readings:
        assert reading.track.fps == pytest.approx(FPS, rel=1e-3)
        assert_is(reading.track, scene, moved=True)


@pytest.mark.parametrize(("place", "turn"), [("P", "Q"), ("p", "r"), ("T", "R")])
def test_letters_tell_positions_from_rotations(tmp_path, scene, place, turn):
    layout = LAYOUTS["halpe26"]
    header = [f"{name}_{kind}{axis}" for name in layout.names for kind in (place, turn) for axis in "xyz"]
    points = write.filled(scene, layout)
    cells = np.concatenate([points, np.full_like(points, 0.5)], axis=-1).reshape(len(scene), -1)
    np.savetxt(tmp_path / "a.csv", cells, delimiter=",", header=",".join(header), comments="")
    (reading,) = read_all(tmp_path / "a.csv", GIVEN)
    assert len(reading.matched) == 26
    assert_is(reading.track, scene)
