"""Files of the builder: the pinned wheel, the compact file, the SMPL export and the command; and the rebuild."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from core.body.free_body import FREE_BODY_PATH, decode_free_body, load_free_body
from training.body_asset import wheel
from training.body_asset.__main__ import main
from training.body_asset.compact import encode, with_kept_arrays, write_npz
from training.body_asset.compare import differences
from training.body_asset.fingers import Fingers
from training.body_asset.report import as_lines
from training.body_asset.smpl_export import smpl_arrays
from training.body_asset.surface import Surface


@pytest.fixture(scope="module")
def stored() -> dict[str, np.ndarray]:
    with np.load(FREE_BODY_PATH, allow_pickle=False) as arrays:
        return dict(arrays)


def surface_of(arrays: dict[str, np.ndarray]) -> Surface:
    return Surface(arrays["source_vertex"], arrays["faces"], arrays["mirror"])


def fingers_of(arrays: dict[str, np.ndarray]) -> Fingers:
    """Return the finger joints that the arrays of a compact file encode."""
    regressor, shares = np.zeros((30, 6890), dtype=np.float32), np.zeros((6890, 30))
    joint, vertex = (arrays[f"finger_regressor_{name}"] for name in ("joint", "vertex"))
    regressor[joint - 22, vertex] = arrays["finger_regressor_value"]
    joint, vertex = (arrays[f"finger_share_{name}"] for name in ("joint", "vertex"))
    shares[vertex, joint - 22] = arrays["finger_share_value"] / 65535
    return Fingers(regressor, shares)


def test_encoding_a_decoded_body_changes_nothing(stored: dict[str, np.ndarray]) -> None:
    again = encode(decode_free_body(stored), fingers_of(stored), surface_of(stored))
    assert again.keys() == stored.keys()
    assert differences(again, stored) == []
    fingers = [name for name in stored if name.startswith("finger_")]
    for name in ("shapedirs", "posedirs", "v_template", "regressor_value", *fingers):
        np.testing.assert_array_equal(again[name], stored[name])


def test_offsets_too_large_for_the_format_are_refused(stored: dict[str, np.ndarray]) -> None:
    body = decode_free_body(stored)
    body.shapedirs[0, 0, 0] = 1.0
    with pytest.raises(ValueError, match="expected offsets below"):
        encode(body, fingers_of(stored), surface_of(stored))


def test_equal_arrays_give_equal_bytes_and_no_other_files(tmp_path: Path, stored: dict[str, np.ndarray]) -> None:
    for name in ("a.npz", "b.npz"):
        write_npz(tmp_path / name, stored)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_differences_name_the_arrays(stored: dict[str, np.ndarray]) -> None:
    moved = stored["v_template"].copy()
    moved[7, 1] += 0.002
    changed = stored | {"v_template": moved, "mirror": stored["mirror"][::-1]}
    assert differences(changed, stored) == ["mirror differs", "v_template differs by 0.002, more than 1e-05"]


def test_differences_see_the_fingers(stored: dict[str, np.ndarray]) -> None:
    values = stored["finger_share_value"].copy()
    values[: len(values) // 2] //= 2
    assert differences(stored | {"finger_share_value": values}, stored)[0].startswith("weights differs by 0.")


def test_the_kept_body_gets_new_fingers_only(tmp_path: Path, stored: dict[str, np.ndarray]) -> None:
    old = {name: array for name, array in stored.items() if not name.startswith("finger_")}
    write_npz(tmp_path / "old.npz", old | {"format_version": np.array(1)})
    built = stored | {"v_template": stored["v_template"] + 1e-6}
    result = with_kept_arrays(built, tmp_path / "old.npz")
    assert result.keys() == stored.keys()
    for name, array in stored.items():
        assert array.tobytes() == result[name].tobytes(), name


def test_smpl_export_has_the_keys_and_tree_of_an_smpl_file() -> None:
    arrays = smpl_arrays(load_free_body())
    assert {"v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "J"} <= arrays.keys()
    assert arrays["kintree_table"][:, :5].tolist() == [[4294967295, 0, 0, 0, 1], [0, 1, 2, 3, 4]]
    assert all(array.dtype != object for array in arrays.values())
    pickle.dumps(arrays)


def test_absent_wheel_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--wheel", str(tmp_path / "absent.whl"), "--output", str(tmp_path / "body.npz")])
    assert code == 2
    assert "found no file at" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / wheel.FILE_NAME
    path.write_bytes(b"something else")
    with pytest.raises(wheel.WheelError, match="expected SHA-256 bad70bdc.*e27b8d2"):
        wheel.check(path)


def test_report_lines_are_a_readable_table() -> None:
    lines = as_lines({"mesh": {"vertices": 6890, "volume": 62.12345}, "joints": {"knee": {"mean": 1.5, "list": [1.0]}}})
    assert lines[0].split() == ["mesh", "vertices", "6890", "volume", "62.12"]
    assert [line.strip() for line in lines[1:]] == ["joints", "knee                      mean 1.5  list [1]"]


@pytest.mark.slow
def test_rebuilt_body_is_the_shipped_one(stored: dict[str, np.ndarray]) -> None:
    """The same check by hand: ``python -m training.body_asset --check core/body/assets/free_body.npz``."""
    if "FREE_BODY_WHEEL" not in os.environ:
        pytest.skip(f"set FREE_BODY_WHEEL to {wheel.FILE_NAME} (pip download --no-deps {wheel.REQUIREMENT}) to rebuild")
    from training.body_asset.build import build_free_body
    from training.body_asset.report import report

    build = build_free_body(wheel.check(Path(os.environ["FREE_BODY_WHEEL"])))
    assert differences(build.arrays, stored) == []
    numbers = report(build)
    assert numbers["mesh"]["watertight"] and numbers["mesh"]["euler"] == 2
    assert numbers["symmetry"] == {"v_template_mm": 0, "shapedirs_mm": 0, "posedirs_mm": 0}
    assert numbers["shape"]["variance_explained_sum"] > 0.99
    assert numbers["compact"]["vertex_error_mm"]["max"] < 0.1
    assert numbers["pose_correctives_mm"]["full range"]["with correctives"]["mean"] < 0.75
