"""Send poses to other programs by the VMC protocol (Virtual Motion Capture): OSC messages over UDP.

As https://protocol.vmc.info describes them: ``/VMC/Ext/OK``, ``/VMC/Ext/T``, ``/VMC/Ext/Root/Pos`` and one
``/VMC/Ext/Bone/Pos`` for each of Unity's humanoid bones, together in one OSC bundle.

Convention: Unity's axes, left-handed, metres, Y up, facing Z, +X to the person's right. So x is mirrored: a place
(x, y, z) becomes (-x, y, z), a quaternion (w, x, y, z) becomes (x, -y, -z, w) in VMC's order. A bone's rotation is
relative to its parent's, and zero in the T-pose, as SMPL's is; its place is relative to its parent.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from ..body.data import BodyData
from ..body.model import BodyModel
from ..math.rotations import axis_angle_to_quat_wxyz
from ..unity_bones import UNITY_BONES
from .addresses import LOOPBACK, Address
from .live_fit import LiveFrame

PORT = 39539
"""The port on which programs that show a figure listen by default."""
_NO_TIME_TAG = struct.pack(">Q", 1)
_IDENTITY = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def osc_message(address: str, *arguments: str | int | float) -> bytes:
    """Return an OSC message with texts, whole numbers (int32) and other numbers (float32)."""
    kinds, data = ",", b""
    for value in arguments:
        if isinstance(value, str):
            kinds, data = f"{kinds}s", data + _padded(value)
        elif isinstance(value, int):
            kinds, data = f"{kinds}i", data + struct.pack(">i", value)
        else:
            kinds, data = f"{kinds}f", data + struct.pack(">f", value)
    return _padded(address) + _padded(kinds) + data


def osc_bundle(messages: Sequence[bytes]) -> bytes:
    """Return *messages* as one OSC bundle, to be obeyed at once."""
    return _padded("#bundle") + _NO_TIME_TAG + b"".join(struct.pack(">i", len(item)) + item for item in messages)


def _padded(text: str) -> bytes:
    """Return *text* with one to four zeros at its end, up to a multiple of four bytes."""
    data = text.encode("ascii")
    return data + bytes(4 - len(data) % 4)


class VmcSender:
    """Sends poses to one program."""

    def __init__(self, body: BodyData, host: str = LOOPBACK, port: int = PORT) -> None:
        """Begin; nothing is sent yet.

        Args:
            body: the body that the poses are of.
            host: name or number of the other program's machine.
            port: its port.

        Raises:
            LiveError: the host is unknown.
        """
        self._socket, self._where = Address("udp", host, port).socket()
        self._socket.setblocking(False)
        self._model, self._skeleton = BodyModel(body), body.skeleton
        self._bones = [
            (index, UNITY_BONES[name]) for index, name in enumerate(self._skeleton.names) if name in UNITY_BONES
        ]
        self._rest: tuple[bytes, np.ndarray] = b"", np.zeros(0)

    def send(self, frame: LiveFrame) -> bool:
        """Send *frame*; return whether the system took it. Whether anybody receives it is unknown."""
        try:
            self._socket.sendto(self.bundle(frame), self._where)
        except OSError:
            return False
        return True

    def bundle(self, frame: LiveFrame) -> bytes:
        """Return what is sent of *frame*."""
        joints = self._rest_joints(frame.betas)
        offsets = joints - joints[[max(parent, 0) for parent in self._skeleton.parents]]
        offsets[0] = joints[0] + frame.trans
        w, x, y, z = axis_angle_to_quat_wxyz(frame.pose.reshape(-1, 3)).T
        values = np.column_stack([-offsets[:, 0], offsets[:, 1], offsets[:, 2], x, -y, -z, w]).tolist()
        messages = [
            osc_message("/VMC/Ext/OK", 1),
            osc_message("/VMC/Ext/T", float(frame.time_s)),
            osc_message("/VMC/Ext/Root/Pos", "root", *_IDENTITY),
            *(osc_message("/VMC/Ext/Bone/Pos", name, *values[joint]) for joint, name in self._bones),
        ]
        return osc_bundle(messages)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _rest_joints(self, betas: np.ndarray) -> np.ndarray:
        """Return the rest joints (J, 3) of the shape *betas*."""
        key = betas.tobytes()
        if key != self._rest[0]:
            self._rest = key, np.asarray(self._model.rest_joints(betas.astype(np.float32)), dtype=np.float64)
        return self._rest[1]
