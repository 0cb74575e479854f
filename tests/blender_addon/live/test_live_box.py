"""The Live box: a figure that follows what a socket brings, keys of a recording, and how a session ends."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender's Python module")

import blender_addon  # noqa: E402
from blender_addon.character.identity import is_figure  # noqa: E402
from blender_addon.figure.body_mesh import body_mesh_of  # noqa: E402
from blender_addon.figure.fcurves import Channels, keys_of  # noqa: E402
from blender_addon.live.panel import SMPLIFY_PT_live  # noqa: E402
from blender_addon.live.session import LIVE  # noqa: E402
from blender_addon.live.watching import _tick, update  # noqa: E402
from blender_addon.result.panel import SMPLIFY_PT_result  # noqa: E402
from blender_addon.ui.box_errors import Box, error_in  # noqa: E402
from core.amass import read_motion  # noqa: E402
from core.live.sender import messages_of  # noqa: E402
from core.motion import Motion  # noqa: E402
from core.smpl_skeleton import JOINT_INDEX  # noqa: E402
from tests.blender_addon.character.rigs import make_character  # noqa: E402
from tests.blender_addon.drawing import draw  # noqa: E402
from tests.core.fit.scenes import walking  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.waiting import poll  # noqa: E402

SCENE = walking()[20:44]
MESSAGES = [message for _, message in messages_of(SCENE.track())]


@pytest.fixture
def live(addon):
    """A running session on a free port, with its figure; the scene has 24 fps."""
    addon.smplify_live.port = free_port()
    assert bpy.ops.smplify.start_live() == {"FINISHED"}
    return bpy.context.object


def send(*messages: bytes) -> None:
    """Send *messages*, each once the one before is fitted, and show the last."""
    port = bpy.context.scene.smplify_live.port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for message in messages:
            before = LIVE.status.num_fitted
            sender.sendto(message, ("127.0.0.1", port))
            poll(lambda before=before: update() and LIVE.status.num_fitted > before, 30.0, "a frame")
    update()


@pytest.mark.parametrize("unit", [1.0, 0.01])
def test_the_figure_that_waits_for_points_stands_on_the_floor(addon, unit):
    addon.unit_settings.scale_length = unit
    addon.smplify_live.port = free_port()
    bpy.ops.smplify.start_live()
    mesh = body_mesh_of(bpy.context.object).evaluated_get(bpy.context.evaluated_depsgraph_get())
    heights = [unit * (mesh.matrix_world @ vertex.co).z for vertex in mesh.data.vertices]
    assert min(heights) == pytest.approx(0.0, abs=2e-3) and 1.5 < max(heights) < 2.0


def test_the_figure_follows_the_points(live):
    send(*MESSAGES[:10])
    bpy.context.view_layer.update()
    knee = np.array((live.matrix_world @ live.pose.bones["left_knee"].matrix).translation)
    x, y, z = SCENE.joints[9, JOINT_INDEX["left_knee"]]
    assert np.linalg.norm(knee - [x, -z, y]) < 0.06, "the shape is being found yet"
    assert live.animation_data is None, "nothing is keyed without a recording"
    assert body_mesh_of(live).parent == live
    assert draw(SMPLIFY_PT_live).operators == ["smplify.record_live", "smplify.stop_live"]
    assert "This figure follows live points; a recording gives it" in draw(SMPLIFY_PT_result).text


def test_a_recording_becomes_keys_with_the_true_times(live):
    bpy.context.scene.frame_set(5)
    send(MESSAGES[0])
    assert bpy.ops.smplify.record_live() == {"FINISHED"}
    send(*MESSAGES[1:6], *MESSAGES[12:15])
    assert bpy.ops.smplify.stop_live() == {"FINISHED"} and not LIVE.is_running
    keys = keys_of(Channels(live).find('pose.bones["left_knee"].rotation_quaternion', 1))
    expected = 5 + (np.r_[1:6, 12:15] - 1) / 30.0 * bpy.context.scene.render.fps
    np.testing.assert_allclose(keys[:, 0], expected, atol=1e-3)
    assert np.ptp(keys[:, 1]) > 0.05 and is_figure(live)


def record(*messages: bytes) -> None:
    bpy.ops.smplify.record_live()
    send(*messages)
    assert bpy.ops.smplify.stop_live() == {"FINISHED"}


def test_the_next_recording_is_another_action_and_characters_follow(live):
    record(*MESSAGES[:4])
    first = live.animation_data.action
    hero = make_character(roll=1)
    bpy.context.scene.smplify_character.armature = hero
    assert bpy.ops.smplify.apply_character() == {"FINISHED"}
    before = hero.animation_data.action.frame_range[1]
    bpy.context.view_layer.objects.active = live
    assert bpy.ops.smplify.start_live() == {"FINISHED"} and bpy.context.object == live
    record(*MESSAGES[4:16:3])
    assert live.animation_data.action != first and first.use_fake_user
    assert hero.animation_data.action.frame_range[1] > before


def test_undo_during_a_session_and_after_a_recording(live):
    name = live.name
    bpy.ops.ed.undo_push(message="Listen")
    send(MESSAGES[0])
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.ed.undo_push(message="Cube")
    bpy.ops.ed.undo()
    send(MESSAGES[1])
    assert bpy.data.objects[name].pose.bones["pelvis"].location.length > 0.0, "the figure of the undone file follows"
    record(*MESSAGES[2:5])
    assert bpy.data.objects[name].animation_data.action is not None
    bpy.ops.ed.undo_push(message="Stop")
    bpy.ops.ed.undo()
    animation = bpy.data.objects[name].animation_data
    assert animation is None or animation.action is None


def test_what_is_recorded_can_be_adjusted(live):
    record(*MESSAGES[:8])
    live.smplify.height_m = 0.25
    heights = keys_of(Channels(live).find('pose.bones["pelvis"].location', 1))
    assert live.smplify.trouble == "" and len(heights) >= 6 and np.allclose(heights[:, 0] % 1.0, 0.0)


def test_another_scene_ends_a_recording_with_its_keys(live):
    bpy.ops.smplify.record_live()
    send(*MESSAGES[:6])
    change_scene()
    assert len(keys_of(Channels(live).find('pose.bones["pelvis"].location', 1))) == 6


def saved(user: Path) -> tuple[Path, Motion]:
    """Return the only recording that was saved, and its motion."""
    (path,) = (user / "recordings").iterdir()
    return path, read_motion(path)


def bone_vectors(armature) -> np.ndarray:
    return np.array([bone.rotation_quaternion.to_exponential_map() for bone in armature.pose.bones])


def open_another_file(live) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    assert "was saved as" in draw(SMPLIFY_PT_live).text


def remove_the_figure(live) -> None:
    bpy.data.objects.remove(live)
    assert not update() and "removed" in error_in(Box.LIVE)


def remove_a_bone(live) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    live.data.edit_bones.remove(live.data.edit_bones["left_knee"])
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(RuntimeError, match="left_knee"):
        bpy.ops.smplify.stop_live()


def quit_blender(live) -> None:
    """Blender disables the extensions when it quits."""
    blender_addon.unregister()
    blender_addon.register()


@pytest.mark.parametrize("end", [open_another_file, remove_the_figure, remove_a_bone, quit_blender])
def test_a_recording_that_cannot_become_keys_is_saved(live, user, end, capfd):
    bpy.ops.smplify.record_live()
    send(MESSAGES[0])
    first = bone_vectors(live)
    send(*MESSAGES[1:8])
    end(live)
    path, motion = saved(user)
    assert not LIVE.is_running and str(path) in LIVE.saved and str(path) in capfd.readouterr().out
    assert motion.num_frames >= 6 and motion.fps == 30.0
    assert bpy.ops.smplify.import_motion(filepath=str(path)) == {"FINISHED"}
    bpy.context.scene.frame_set(bpy.context.scene.frame_start)
    np.testing.assert_allclose(bone_vectors(bpy.context.object), first, atol=0.01)


def test_a_session_without_a_recording_leaves_no_file(live, user):
    send(*MESSAGES[:2])
    bpy.ops.wm.read_homefile(use_empty=True)
    assert not user.exists() and LIVE.saved == ""


def test_a_folder_that_cannot_be_written_is_told(live, user):
    user.write_text("a file in its place")
    bpy.ops.smplify.record_live()
    send(*MESSAGES[:2])
    bpy.ops.wm.read_homefile(use_empty=True)
    assert "could not be saved" in draw(SMPLIFY_PT_live).text


def bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def remove_figure() -> None:
    bpy.data.objects.remove(bpy.context.object)
    assert not update() and "removed" in error_in(Box.LIVE)


def change_scene() -> None:
    bpy.context.window.scene = bpy.data.scenes.new("another")
    assert not update() and "Another scene" in error_in(Box.LIVE)


ENDS = {
    "stop": lambda: bpy.ops.smplify.stop_live(),
    "new file": lambda: bpy.ops.wm.read_homefile(use_empty=True),
    "figure removed": remove_figure,
    "scene changed": change_scene,
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_however_it_ends_the_port_is_free(live, end):
    port = bpy.context.scene.smplify_live.port
    send(MESSAGES[0])
    assert not bindable(port)
    end()
    assert not LIVE.is_running and bindable(port)


def test_disabling_the_extension_frees_the_port(scene):
    blender_addon.register()
    port = scene.smplify_live.port = free_port()
    bpy.ops.smplify.start_live()
    blender_addon.unregister()
    assert not LIVE.is_running and bindable(port)


def test_a_port_in_use_is_told_and_adds_nothing(addon):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        addon.smplify_live.port = other.getsockname()[1]
        with pytest.raises(RuntimeError, match="expected a free port"):
            bpy.ops.smplify.start_live()
    assert not LIVE.is_running and not bpy.data.objects and "free port" in error_in(Box.LIVE)


def test_every_state_is_drawn(live):
    states = [draw(SMPLIFY_PT_live).text]
    assert "Waiting for points" in states[0] and "udp://127.0.0.1" in states[0]
    send(MESSAGES[0])
    states.append(draw(SMPLIFY_PT_live).text)
    assert "from message to pose" in states[1]
    bpy.ops.smplify.record_live()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"rubbish", ("127.0.0.1", bpy.context.scene.smplify_live.port))
    poll(lambda: update() and LIVE.status.num_refused, 30.0, "the refusal")
    states.append(draw(SMPLIFY_PT_live).text)
    assert "expected a JSON object" in states[2] and "Recorded frames: 0" in states[2]
    poll(lambda: update() and not LIVE.status.is_receiving, 30.0, "the silence")
    assert "has stopped" in draw(SMPLIFY_PT_live).text
    assert 0.0 < _tick() < 1.0 / 60.0, "the timer calls again before the next frame"
    bpy.ops.smplify.stop_live()
    assert _tick() is None
    assert draw(SMPLIFY_PT_live).operators == ["smplify.start_live"]


def test_poses_are_sent_on(addon):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(30.0)
        addon.smplify_live.port, addon.smplify_live.sends_vmc = free_port(), True
        addon.smplify_live.vmc_port = other.getsockname()[1]
        bpy.ops.smplify.start_live()
        addon.smplify_live.person = ""
        send(json.dumps({**json.loads(MESSAGES[0]), "person": "P1"}).encode())
        assert b"/VMC/Ext/Bone/Pos" in other.recv(65_536)
        assert LIVE.status.person == "P1"
