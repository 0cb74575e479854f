"""VMC messages, decoded by hand and received by a socket."""

from __future__ import annotations

import socket
import struct

import numpy as np

from core.body.model import BodyModel
from core.live.live_fit import LiveFrame
from core.live.vmc import VmcSender, osc_message
from core.smpl_skeleton import SMPLH

from .senders import FINGERED

REST = np.asarray(BodyModel(FINGERED).rest_joints(np.zeros(10, dtype=np.float32)))


def frame(**turns: tuple[float, float, float]) -> LiveFrame:
    pose = np.zeros((52, 3))
    for joint, turn in turns.items():
        pose[SMPLH.index(joint)] = turn
    return LiveFrame(2.5, 0.0, pose.ravel(), np.zeros(10), np.array([0.25, 1.0, -0.5]), True, 0.0, 30.0)


def text_at(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), at + (end - at) // 4 * 4 + 4


def decoded(bundle: bytes) -> dict[str, tuple]:
    """Return the arguments of each message, by its address, or by the bone."""
    assert bundle[:16] == b"#bundle\0" + struct.pack(">Q", 1)
    found, at = {}, 16
    while at < len(bundle):
        size = struct.unpack_from(">i", bundle, at)[0]
        message = bundle[at + 4 : at + 4 + size]
        address, where = text_at(message, 0)
        kinds, where = text_at(message, where)
        values: list = []
        for kind in kinds[1:]:
            if kind == "s":
                value, where = text_at(message, where)
            else:
                value, where = struct.unpack_from(f">{kind}", message, where)[0], where + 4
            values.append(value)
        assert where == size
        name = values.pop(0) if kinds[1] == "s" else address
        found[name] = tuple(values)
        at += 4 + size
    return found


def test_texts_are_padded_to_four_bytes_with_a_zero():
    assert osc_message("/abc", "xyz", 1, 0.5) == b"/abc\0\0\0\0,sif\0\0\0\0xyz\0" + struct.pack(">if", 1, 0.5)


def test_the_t_pose_stands_where_the_figure_does():
    found = decoded(VmcSender(FINGERED).bundle(frame()))
    assert len(found) == 3 + 22 + 30 and found["/VMC/Ext/OK"] == (1,) and found["/VMC/Ext/T"] == (2.5,)
    assert found["root"] == (0, 0, 0, 0, 0, 0, 1)
    x, y, z = REST[0] + [0.25, 1.0, -0.5]
    np.testing.assert_allclose(found["Hips"], (-x, y, z, 0, 0, 0, 1), atol=1e-6)
    x, y, z = REST[SMPLH.index("left_elbow")] - REST[SMPLH.index("left_shoulder")]
    np.testing.assert_allclose(found["LeftLowerArm"], (-x, y, z, 0, 0, 0, 1), atol=1e-6)
    assert x > 0.1, "the left arm points to +X in SMPL, to -X in Unity"


def test_rotations_are_mirrored():
    half = np.sqrt(0.5)
    turns = {"left_knee": (np.pi / 2, 0, 0), "spine1": (0, np.pi / 2, 0), "left_index1": (0, 0, -np.pi / 2)}
    found = decoded(VmcSender(FINGERED).bundle(frame(**turns)))
    np.testing.assert_allclose(found["LeftLowerLeg"][3:], (half, 0, 0, half), atol=1e-6)
    np.testing.assert_allclose(found["Spine"][3:], (0, -half, 0, half), atol=1e-6)
    np.testing.assert_allclose(found["LeftIndexProximal"][3:], (0, 0, half, half), atol=1e-6)


def test_a_frame_is_sent_as_one_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        other.settimeout(30.0)
        sender = VmcSender(FINGERED, port=other.getsockname()[1])
        assert sender.send(frame()) and decoded(other.recv(65_536))["Hips"]
        sender.close()
