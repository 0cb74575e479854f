"""Nothing that the add-on writes replaces the open project or a file that it or any figure was made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

from blender_addon.batch import blender_command, cli  # noqa: E402
from blender_addon.character.operators import SMPLIFY_OT_export_character, SMPLIFY_OT_save_bones  # noqa: E402
from blender_addon.core_access import FitOptions  # noqa: E402
from blender_addon.export.operators import SMPLIFY_OT_export  # noqa: E402
from blender_addon.export.writers import export_figures, save_session, write_amass  # noqa: E402
from blender_addon.figure.create import add_figures  # noqa: E402
from blender_addon.figure.record import FigureRecord, load, store  # noqa: E402
from blender_addon.project_files import project_files  # noqa: E402
from blender_addon.registration import MODULES  # noqa: E402
from blender_addon.track.point_operators import SMPLIFY_OT_save_points  # noqa: E402
from core.convert_options import plain_options  # noqa: E402
from core.errors import OutputError  # noqa: E402
from core.motion import Motion  # noqa: E402
from core.pipeline import FitSource  # noqa: E402
from core.placement import Person  # noqa: E402
from tests.blender_addon.character.rigs import make_character, write_character  # noqa: E402
from tests.conftest import REPOSITORY  # noqa: E402
from tests.disguises import IN_EVERY_BLENDER, disguise  # noqa: E402

WRITING_OPERATORS = {SMPLIFY_OT_export, SMPLIFY_OT_export_character, SMPLIFY_OT_save_bones, SMPLIFY_OT_save_points}
OTHER_OPERATORS = {
    "smplify.announce", "smplify.apply_all_characters", "smplify.apply_character", "smplify.cancel_fit",
    "smplify.cancel_torch", "smplify.check_python", "smplify.choose_person", "smplify.choose_take",
    "smplify.copy_settings",
    "smplify.detect_bones", "smplify.detect_points", "smplify.fit", "smplify.fit_again",
    "smplify.go_out_of_reach", "smplify.go_to_flag", "smplify.go_to_worst", "smplify.import_motion",
    "smplify.install_torch", "smplify.join_people", "smplify.keep_edits", "smplify.load_bones", "smplify.load_points",
    "smplify.move_bones",
    "smplify.open_character", "smplify.open_track", "smplify.overwrite_edits", "smplify.pick_character",
    "smplify.read_track", "smplify.record_live", "smplify.start_live", "smplify.stop_live",
    "smplify.remove_character", "smplify.remove_torch", "smplify.restore_motion", "smplify.take_range",
    "smplify.track_armature", "smplify.view_track",
}  # fmt: skip
"""These change the scene only; the private environment of the GPU is in a folder that the user cannot choose."""


@pytest.fixture(scope="module")
def two_figures(body, make_motion, tmp_path_factory) -> tuple[Path, list[Motion]]:
    """A .blend of the figures "fit" and "walk", and their motions."""
    bpy.ops.wm.read_homefile(use_empty=True)
    motions = []
    for number, name in enumerate(("fit", "walk")):
        people = [Person(name, make_motion(4, seed=number), body)]
        motions += [figure.motion for figure in add_figures(people, bpy.context.scene, name=name)]
    path = tmp_path_factory.mktemp("figures") / "two.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path, motions


@pytest.fixture
def project(two_figures, addon, tmp_path) -> dict[str, Path]:
    """A saved project of two figures; returns its files, each by what it is.

    The first figure was fitted, the second imported; a library is linked; the boxes are set to other files.
    """
    files = {
        role: tmp_path / f"{role.replace(' ', '_')}{'.blend' if role in ('project', 'library') else '.npz'}"
        for role in (
            "project", "library", "keypoints", "body", "betas", "network", "prior", "motion", "next keypoints",
            "next body", "next betas",
        )
    }  # fmt: skip
    path, motions = two_figures
    bpy.ops.wm.open_mainfile(filepath=str(path))
    bpy.data.libraries.write(str(files["library"]), {bpy.data.texts.new("linked")})
    with bpy.data.libraries.load(str(files["library"]), link=True) as (inside, linked):
        linked.texts = inside.texts
    for role, path in files.items():
        if role not in ("project", "library"):
            path.write_text(role)
    fitted, imported = (bpy.data.objects[name] for name in ("fit", "walk"))
    where = {"file": "keypoints", "body": "body", "betas_file": "betas"}
    source = FitSource(
        **{name: str(files[role]) for name, role in where.items()},
        fit=plain_options(FitOptions(network=files["network"], prior=files["prior"])),
    )
    record = FigureRecord(motions[0], 1, source, None, 30.0, np.zeros(3))
    store(fitted, record)
    store(imported, replace(record, motion=motions[1], source=FitSource(file=str(files["motion"]))))
    settings = bpy.context.scene.smplify
    settings.track.filepath = str(files["next keypoints"])
    settings.body.file, settings.body.betas_file = str(files["next body"]), str(files["next betas"])
    bpy.ops.wm.save_as_mainfile(filepath=str(files["project"]))
    bpy.context.view_layer.objects.active = imported
    return files


def contents(files):
    return {role: path.read_bytes() for role, path in files.items()}


def test_every_operator_is_classified_as_writing_or_not():
    """A new one that writes files is to be tried on all that a project reads, as the others are."""
    operators = {cls for module in MODULES for cls in module.CLASSES if issubclass(cls, bpy.types.Operator)}
    assert operators >= WRITING_OPERATORS
    assert {cls.bl_idname for cls in operators - WRITING_OPERATORS} == OTHER_OPERATORS


def test_every_operator_that_writes_lets_blender_ask_before_a_file_is_replaced(addon):
    for operator in WRITING_OPERATORS:
        properties = getattr(bpy.ops.smplify, operator.bl_idname.partition(".")[2]).get_rna_type().properties
        assert properties["check_existing"].default is True, operator


@pytest.mark.parametrize("kind", [*IN_EVERY_BLENDER, "beside the project"])
def test_export_never_replaces_a_file_of_the_project(project, monkeypatch, tmp_path, kind):
    monkeypatch.chdir(tmp_path)
    before = contents(project)
    for path in project.values():
        given = f"//{path.name}" if kind == "beside the project" else str(disguise(path, kind))
        with pytest.raises(RuntimeError, match="expected the output to be another file than"):
            bpy.ops.smplify.export(filepath=given)
        assert contents(project) == before


@pytest.mark.parametrize("kind", IN_EVERY_BLENDER)
def test_the_character_box_never_replaces_a_file_of_the_project(project, tmp_path, kind):
    character = make_character("hero")
    character.animation_data_create().action = bpy.data.actions.new("own")
    bpy.context.scene.smplify_character.armature = character
    before = contents(project)
    for path in project.values():
        given = str(disguise(path, kind))
        with pytest.raises(RuntimeError, match="expected the output to be another file than"):
            bpy.ops.smplify.save_bones(filepath=given)
        with pytest.raises(RuntimeError, match="another file than|file name ending in"):
            bpy.ops.smplify.export_character(filepath=given)
        assert contents(project) == before


@pytest.mark.parametrize("kind", IN_EVERY_BLENDER)
def test_saving_point_names_never_replaces_a_file_of_the_project(project, kind):
    bpy.ops.smplify.open_track(filepath=str(REPOSITORY / "samples" / "walk.trc"))
    files = {role: path for role, path in project.items() if role != "next keypoints"}  # another file is chosen now
    before = contents(files)
    for path in files.values():
        with pytest.raises(RuntimeError, match="expected the output to be another file than"):
            bpy.ops.smplify.save_points(filepath=str(disguise(path, kind)))
        assert contents(files) == before


@pytest.mark.parametrize("kind", IN_EVERY_BLENDER)
def test_export_never_replaces_the_file_of_a_character(project, tmp_path, kind):
    source = tmp_path / "character.glb"
    write_character(source)
    bpy.ops.smplify.open_character(filepath=str(source))
    armature = bpy.context.scene.smplify_character.armature
    armature.animation_data_create().action = bpy.data.actions.new("own")
    before = source.read_bytes()
    given = str(disguise(source, kind))
    bpy.context.view_layer.objects.active = bpy.data.objects["walk"]
    for write in (bpy.ops.smplify.export_character, bpy.ops.smplify.export):
        with pytest.raises(RuntimeError, match="another file than the file of"):
            write(filepath=given)
    assert source.read_bytes() == before
    assert bpy.ops.smplify.export_character(filepath=str(tmp_path / "new.blend")) == {"FINISHED"}
    with bpy.data.libraries.load(str(tmp_path / "new.blend")) as (_, loaded):
        loaded.objects = [armature.name]
    assert "smplify_file" in armature and "smplify_file" not in loaded.objects[0]


def test_no_file_is_written_if_one_of_several_would_replace_an_input(project, tmp_path):
    for item in bpy.context.scene.objects:
        item.select_set(True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a_walk.npz").symlink_to(project["betas"])
    before = contents(project)
    with pytest.raises(RuntimeError, match="another file than the betas of fit, got .*a_walk.npz"):
        bpy.ops.smplify.export(filepath=str(tmp_path / "out" / "a.npz"), figures="SELECTED")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_walk.npz"]
    assert contents(project) == before


def test_no_writing_function_replaces_a_file_of_the_project(project):
    figure, before = bpy.data.objects["walk"], contents(project)
    writers = (
        lambda path: export_figures([figure], path),
        lambda path: write_amass(figure, path, scene=bpy.context.scene),
        save_session,
    )
    for write in writers:
        for path in project.values():
            with pytest.raises(OutputError, match="expected the output to be another file than"):
                write(path)
    assert contents(project) == before


def test_export_refuses_the_path_of_an_open_project_deleted_on_disk(project):
    project["project"].unlink()
    with pytest.raises(RuntimeError, match="another file than the open project"):
        bpy.ops.smplify.export(filepath="//project.blend")
    assert not project["project"].exists()


def test_a_damaged_record_does_not_prevent_export(project, tmp_path):
    bpy.data.objects["fit"]["smplify_record"] = b"damaged"
    bpy.data.objects["fit"]["smplify_record_mark"] = "none"
    assert bpy.ops.smplify.export(filepath=str(tmp_path / "new.npz")) == {"FINISHED"}


@pytest.mark.parametrize("name", ["project", "Project"])
def test_the_default_name_differs_from_the_project(project, tmp_path, name):
    bpy.data.objects["walk"].name = name
    assert opened() == tmp_path / f"{name}_1.blend"


def test_the_default_name_differs_from_a_project_deleted_on_disk(project, tmp_path):
    project["project"].unlink()
    bpy.data.objects["walk"].name = "project"
    assert opened() == tmp_path / "project_1.blend"


def test_exporting_by_default_name_replaces_nothing(project, tmp_path):
    bpy.data.objects["walk"].name = "keypoints"
    before = contents(project)
    for expected in ("keypoints_1.npz", "keypoints_2.npz"):
        bpy.context.scene.smplify_export.file_format = "npz"
        path = opened()
        assert path == tmp_path / expected
        bpy.ops.smplify.export(filepath=str(path))
        assert path.is_file()
    assert contents(project) == before


def test_the_default_name_is_free_with_one_file_per_figure(project, tmp_path):
    bpy.context.scene.smplify_export.figures = "SELECTED"
    for item in bpy.context.scene.objects:
        item.select_set(item.type == "ARMATURE")
    assert opened() == tmp_path / "fit.blend"
    (tmp_path / "fit_walk.blend").touch()
    assert opened() == tmp_path / "fit_1.blend"


def opened() -> Path:
    """Return the name that the file browser opens with."""
    browser = SimpleNamespace(
        properties=SimpleNamespace(is_property_set=lambda name: False), figures="ACTIVE", filepath=""
    )
    browser._chosen = lambda context: SMPLIFY_OT_export._chosen(browser, context)
    shown = []
    context = SimpleNamespace(
        scene=bpy.context.scene,
        object=bpy.context.view_layer.objects.active,
        active_object=bpy.context.view_layer.objects.active,
        selected_objects=[item for item in bpy.context.scene.objects if item.select_get()],
        window_manager=SimpleNamespace(fileselect_add=shown.append),
    )
    assert SMPLIFY_OT_export.invoke(browser, context, None) == {"RUNNING_MODAL"} and shown == [browser]
    return Path(browser.filepath)


def test_the_batch_inside_blender_protects_the_open_project(project, monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "batch_command", lambda inputs, out, options, start: calls.append(options.protected) or 0)
    assert (
        blender_command._run_command([str(project["next keypoints"]), "-o", str(project["project"].parent / "out")])
        == 0
    )
    assert set(project.values()) <= set(calls[0])


def test_a_fit_protects_the_files_it_read(project):
    record = load(bpy.data.objects["fit"])
    assert record.source.betas_file == str(project["betas"])
    assert record.source.fit["network"] == str(project["network"])
    with pytest.raises(OutputError, match="the network of fit"):
        project_files().check(project["network"])
    with pytest.raises(OutputError, match="the prior of fit"):
        project_files().check(project["prior"])
