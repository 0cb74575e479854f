"""Finding the files of a body for each gender by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.body.genders import gender_files, gender_of_name


@pytest.mark.parametrize(
    ("name", "gender"),
    [
        ("SMPL_FEMALE.pkl", "female"),
        ("basicmodel_m_lbs_10_207_0_v1.1.0.pkl", "male"),
        ("male/model.npz", "male"),
        ("SMPLX_NEUTRAL.npz", "neutral"),
        ("mymodel.npz", None),
        ("formal.npz", None),
    ],
)
def test_gender_by_name(name, gender):
    assert gender_of_name(Path("/bodies") / name) == gender


def made(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_files_side_by_side(tmp_path):
    made(tmp_path, "SMPL_FEMALE.pkl", "SMPL_MALE.pkl", "SMPLX_NEUTRAL.pkl", "SMPL_NEUTRAL.npz", "notes.txt")
    found = gender_files(tmp_path / "SMPL_FEMALE.pkl")
    assert found == {"female": tmp_path / "SMPL_FEMALE.pkl", "male": tmp_path / "SMPL_MALE.pkl"}


def test_names_may_differ_in_case(tmp_path):
    names = ("basicModel_f_lbs_10_207_0_v1.0.0.pkl", "basicmodel_m_lbs_10_207_0_v1.0.0.pkl")
    made(tmp_path, *names, "basicModel_neutral_lbs_10_207_0_v1.0.0.pkl")
    assert set(gender_files(tmp_path / names[1])) == {"female", "male", "neutral"}


def test_one_folder_per_gender(tmp_path):
    made(tmp_path, "female/model.npz", "male/model.npz", "neutral/info.txt", "model.npz")
    found = gender_files(tmp_path / "female" / "model.npz")
    assert found == {"female": tmp_path / "female/model.npz", "male": tmp_path / "male/model.npz"}


def test_name_without_a_gender_has_no_variants(tmp_path):
    made(tmp_path, "body.npz", "SMPL_MALE.npz")
    assert gender_files(tmp_path / "body.npz") == {}
    assert gender_files(tmp_path / "gone" / "SMPL_MALE.npz") == {"male": tmp_path / "gone" / "SMPL_MALE.npz"}
