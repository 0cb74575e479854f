"""Each row of the tables of files in docs/formats.md has a test that reads such a file, or is refused one."""

from __future__ import annotations

import re

import pytest

from tests.conftest import REPOSITORY

READING, FORMATS, WINDOW = "tests/core/reading/test_", "tests/core/formats/test_", "tests/blender_addon/tracks/test_"
TESTS = {
    "SAM 3D Body and its derivatives": READING + "producers.py::test_lists_and_dictionaries_of_its_users",
    "FreeMoCap": FORMATS + "csv_file.py::test_freemocap_tidy_v1",
    "MediaPipe": READING + "producer_tables.py::test_mediapipe_landmarks",
    "Azure Kinect": READING + "producer_tables.py::test_azure_kinect_bodies",
    "Kinect v2, NTU RGB+D": READING + "producer_tables.py::test_ntu_skeletons_of_two_people",
    "ZED (Stereolabs)": READING + "more_producers.py::test_zed",
    "OpenPose, EasyMocap, MMPose": FORMATS + "array_and_json.py::test_easymocap_folder",
    "AlphaPose": READING + "producers.py::test_unnamed_point_orders_are_distinguished",
    "Anipose, DeepLabCut 3D": FORMATS + "csv_file.py::test_anipose",
    "VideoPose3D, MotionBERT, MHFormer": READING + "real_files.py::test_lifted_video_only_needs_its_frame_rate",
    "VIBE, its first versions": READING + "producers.py::test_3dpw_and_vibe",
    "Pose2Sim, OpenCap": READING + "real_files.py::test_a_real_file_is_interpreted_correctly",
    "OpenCap's visualizer": READING + "more_producers.py::test_bodies_of_opencaps_visualizer",
    "AMASS (SMPL-H, SMPL-X), SMPL-X tools, our own":
        READING + "solved_motions.py::test_amass_of_every_generation_comes_in_as_it_was",
    "GVHMR": READING + "solved_motions.py::test_gvhmr_comes_in_as_it_was",
    "WHAM": READING + "solved_motions.py::test_wham_comes_in_as_it_was_with_people_on_the_frames_of_the_video",
    "TRAM": READING + "solved_motions.py::test_tram_comes_in_by_its_camera",
    "4D-Humans, PHALP":
        READING + "solved_motions.py::test_4d_humans_comes_in_without_its_ghosts_at_a_plausible_distance",
    "PromptHMR, EMDB, GRAB, InterHuman, OMOMO and others":
        READING + "other_solvers.py::test_parameters_deeper_in_a_file_are_found",
    "SLAHMR, WorldPose": READING + "other_solvers.py::test_an_axis_of_people_before_that_of_frames",
    "EasyMocap, ZJU-MoCap": READING + "other_solvers.py::test_easymocap_turns_the_body_about_the_origin",
    "ROMP, BEV": READING + "other_solvers.py::test_romp_and_hybrik_come_in_before_a_level_camera",
    "HybrIK": READING + "other_solvers.py::test_romp_and_hybrik_come_in_before_a_level_camera",
    "Motion-X": READING + "other_solvers.py::test_rows_of_motion_x",
    "FineDance": READING + "other_solvers.py::test_rows_of_finedance",
    "GLAMR": READING + "other_solvers.py::test_glamrs_places_are_those_of_the_pelvis",
    "Meshcapade": READING + "other_solvers.py::test_meshcapades_own_keys",
    "VIBE, HMR-like": READING + "solved_motions.py::test_vibe_comes_in_without_a_place",
    "BEDLAM": READING + "image_rows.py::test_a_clip_of_bedlam_stands_upright_in_the_world",
    "other training sets (3DPW, AGORA, SPIN's files)":
        READING + "image_rows.py::test_training_sets_of_poses_alone_are_split_by_their_images",
    "CLIFF": READING + "image_rows.py::test_cliff_has_a_place",
    "AIST++ motions": READING + "solved_motions.py::test_aist_motions_are_scaled_to_metres",
    "OptiTrack Motive": READING + "producer_tables.py::test_motive_bones",
    "Qualisys": READING + "shared_cases.py::test_the_walk_is_read_from_every_form",
    "Vicon": FORMATS + "csv_file.py::test_vicon_nexus_subjects",
    "Captury Live": READING + "more_producers.py::test_captury_without_its_angles_and_cameras",
    "Perception Neuron": READING + "capture_tables.py::test_calculation_files_of_perception_neuron",
    "TotalCapture": READING + "capture_tables.py::test_totalcapture",
    "Xsens MVN": READING + "producer_tables.py::test_xsens_segments",
    "Theia3D": READING + "producer_tables.py::test_the_segments_of_theia",
    "any": READING + "producer_tables.py::test_joint_names_of_animation_tools",
    "any animated armature of a person":
        WINDOW + "armatures.py::test_an_armature_in_a_file_is_read_at_its_own_frame_rate",
    "any skeleton of a person": READING + "bvh.py::test_joints_are_where_they_were",
    "AIST++": FORMATS + "array_and_json.py::test_aist_pickle",
    "CMU Panoptic": READING + "producer_tables.py::test_panoptic_folders",
    "Human3.6M": READING + "producers.py::test_human36m_archives_of_one_clip_and_of_many",
    "HumanEva": READING + "more_producers.py::test_humaneva_of_videopose3d",
    "Fit3D, CHI3D": READING + "producer_tables.py::test_fit3d_of_one_person_and_chi3d_of_two",
    "3DPW": READING + "producers.py::test_3dpw_and_vibe",
    "MDM": READING + "producers.py::test_mdm_results",
    "Kimodo, SOMA": READING + "producers.py::test_kimodo_archives",
    "InterHuman": READING + "other_solvers.py::test_rows_of_interhuman",
    "HumanML3D": READING + "producers.py::test_humanml3d_features_of_a_person_who_walks_in_a_curve",
    "KIT-ML": READING + "producers.py::test_kit_ml_of_mdm_and_as_features",
    "MPI-INF-3DHP": READING + "producers.py::test_unnamed_point_orders_are_distinguished",
    "others": READING + "producers.py::test_unnamed_point_orders_are_distinguished",
    "FBX, glTF, VRM, .blend": READING + "other_files.py::test_a_known_kind_without_points_says_what_it_is",
    "Acclaim's ASF and AMC, HTR, VMD, USD, Alembic":
        READING + "other_files.py::test_a_known_kind_without_points_says_what_it_is",
    "Excel, Parquet, HDF5, MATLAB, CDF, B3D (AddBiomechanics), archives of files, videos, images":
        READING + "more_producers.py::test_files_of_known_kinds_say_what_they_are",
    "PyTorch files with anything but tensors and plain data":
        READING + "solved_motions.py::test_a_torch_file_that_would_run_code_is_refused",
    "forces, joint angles (`.mot`, `.sto`, Devices of Nexus), OpenSim's models":
        READING + "other_files.py::test_other_texts_say_what_they_are",
    "2D points, image fractions, points that all lie in one plane":
        READING + "producer_tables.py::test_flat_points_are_named",
}  # fmt: skip
_TABLES = ("tool", "source", "file")
"""First headings of the tables; that of markers on fingers, "set", is tested by `test_finger_markers`."""


def rows() -> list[str]:
    """Return the first cells of the tables' rows."""
    found, heading = [], ""
    for line in (REPOSITORY / "docs/formats.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            heading = ""
        elif not heading:
            heading = cells[0].split("|")[0].strip()
        elif heading in _TABLES and not cells[0].startswith("---"):
            found.append(cells[0])
    return found


def test_each_row_names_its_test():
    assert sorted(rows()) == sorted(TESTS)


@pytest.mark.parametrize("test", sorted(set(TESTS.values())))
def test_the_test_of_a_row_exists(test):
    file, name = test.split("::")
    assert re.search(rf"^def {name}\(", (REPOSITORY / file).read_text("utf-8"), re.MULTILINE)
