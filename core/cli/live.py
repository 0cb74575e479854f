"""The commands ``live``, which fits what is sent to it, and ``send``, which plays a file to it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ..amass import write_motion
from ..body.catalog import resolve_body
from ..body.data import BodyData
from ..body.model import BodyModel
from ..errors import LiveError, OutputError
from ..fit import FitOptions
from ..live.addresses import LOOPBACK, PORT, Address
from ..live.receiver import LiveReceiver, LiveStatus
from ..live.sender import play
from ..live.vmc import PORT as VMC_PORT
from ..live.vmc import VmcSender
from ..printable import printable, say
from ..reading import add_reading_arguments, read_tracks, reading_options
from ..track import MAX_FPS
from .arguments import add_overwrite_argument
from .outputs import Outputs, check_suffix

_EVERY_S = 1.0
_TICK_S = 0.05
_MIN_FPS = 1.0
_DEFAULT = f"udp://{LOOPBACK}:{PORT}"


def add_live_arguments(live: argparse.ArgumentParser) -> None:
    """Add the arguments of the command ``live`` to its parser."""
    live.add_argument(
        "--listen", default=_DEFAULT, metavar="ADDRESS",
        help="udp://HOST:PORT or ws://HOST:PORT; port 0 is any free one (default %(default)s)",
    )  # fmt: skip
    live.add_argument("--person", metavar="LABEL", help="the person to follow; default: that of the first message")
    live.add_argument("--body", metavar="FILE", help="licensed SMPL file (.pkl, .npz); default: the free body")
    live.add_argument(
        "--smoothing", type=float, default=FitOptions.smoothing, metavar="0..1",
        help="how much to smooth the keypoints (default %(default)g)",
    )  # fmt: skip
    live.add_argument(
        "--vmc", nargs="?", const=f"{LOOPBACK}:{VMC_PORT}", metavar="HOST:PORT",
        help="send the poses on by the VMC protocol (default %(const)s)",
    )  # fmt: skip
    live.add_argument("-o", "--output", type=Path, metavar="OUT.npz", help="record, and write the motion at the end")
    live.add_argument("--frames", type=int, metavar="N", help="end after so many frames; default: at Ctrl-C")
    live.add_argument("--out-fps", type=float, metavar="RATE", help="frame rate of the motion; default: the sender's")
    live.add_argument(
        "--out-up", choices=("Y", "Z"), default="Z", help="up axis of the motion (default Z, as in AMASS)"
    )
    live.add_argument("--quiet", action="store_true", help="print no progress on standard error")
    add_overwrite_argument(live)
    live.set_defaults(run=run_live)


def add_send_arguments(send: argparse.ArgumentParser) -> None:
    """Add the arguments of the command ``send`` to its parser."""
    send.add_argument("input", type=Path, help="keypoint file; of several people --person chooses")
    send.add_argument("--to", default=_DEFAULT, metavar="ADDRESS", help="where to send it (default %(default)s)")
    send.add_argument(
        "--speed", type=float, default=1.0, metavar="FACTOR", help="how much faster to play it (default 1)"
    )
    send.add_argument("--loop", action="store_true", help="play it again and again, until Ctrl-C")
    add_reading_arguments(send)
    send.set_defaults(run=run_send)


def run_send(args: argparse.Namespace) -> int:
    """Play a file to a receiver."""
    address = Address.parse(args.to)
    tracks = read_tracks(args.input, reading_options(args))
    if len(tracks) > 1:
        labels = ", ".join(printable(track.person) for track in tracks)
        raise LiveError(
            f"expected one person to send, found {len(tracks)} in {args.input}: {labels}; choose by --person"
        )
    sent = play(tracks[0], address, speed=args.speed, loop=args.loop)
    say(f"{args.input}: sent {sent} frames of {tracks[0].layout.title} to {address}")
    return 0


def run_live(args: argparse.Namespace, outputs: Outputs) -> int:
    """Listen until the end, and write what was recorded."""
    address = Address.parse(args.listen)
    if args.output is not None:
        check_suffix(args.output)
        outputs.plan([{"the output": args.output}])
    if args.out_fps is not None and not _MIN_FPS <= args.out_fps <= MAX_FPS:  # before the recording, not after it
        raise LiveError(
            f"expected a frame rate of {_MIN_FPS:g} to {MAX_FPS:g} fps, got {args.out_fps:g}; give another --out-fps"
        )
    body, fingered = (resolve_body(args.body or "", fingers=fingers) for fingers in (False, True))
    options, vmc = FitOptions(smoothing=args.smoothing), None
    if args.vmc is not None:
        where = Address.parse(f"udp://{args.vmc}")
        vmc = VmcSender(fingered, where.host, where.port)
    receiver = LiveReceiver(address, body, fingered, options, person=args.person, vmc=vmc)
    say(f"listening on {receiver.address}")
    if args.output is not None:
        receiver.begin_recording()
    try:
        _watch(receiver, args.frames, quiet=args.quiet)
    except KeyboardInterrupt:
        pass  # the way to end it
    finally:
        receiver.close()
    status = receiver.status
    say(_described(status))
    if args.output is not None:
        _write(receiver, fingered, args)
    return 0


def _watch(receiver: LiveReceiver, num_frames: int | None, *, quiet: bool) -> None:
    """Print the status from time to time, until *num_frames* are fitted or an error ends it."""
    last = time.monotonic()
    while num_frames is None or receiver.status.num_fitted < num_frames:
        now = time.monotonic()
        if not quiet and now - last >= _EVERY_S:
            last = now
            say(_described(receiver.status), file=sys.stderr)
        time.sleep(_TICK_S)


def _described(status: LiveStatus) -> str:
    """Return the status for the user."""
    text = f"{status.num_fitted} frames fitted, {status.num_dropped} dropped, {status.num_refused} refused"
    if status.num_others:
        text += f", {status.num_others} of other people"
    if status.num_fitted:
        text += f"; {status.layout}, {status.latency_ms:.1f} ms from message to pose"
    return f"{text}; {status.problem}" if status.problem else text


def _write(receiver: LiveReceiver, body: BodyData, args: argparse.Namespace) -> None:
    recording = receiver.end_recording()
    if not len(recording):
        raise LiveError(f"expected frames to write to {args.output}, none came; nothing was written")
    motion = recording.motion(args.out_fps)
    rest_pelvis = np.asarray(BodyModel(body).rest_joints(motion.betas.astype(np.float32)))[0]
    try:
        write_motion(args.output, motion, up_axis=args.out_up, rest_pelvis=rest_pelvis)
    except OutputError as error:  # what was recorded cannot be recorded again
        spare = Path(tempfile.mkdtemp(prefix="smplify-live-")) / args.output.name
        write_motion(spare, motion, up_axis=args.out_up, rest_pelvis=rest_pelvis)
        raise LiveError(f"{error}. The recording is in {spare} instead") from error
    say(f"{args.output}: {motion.num_frames} frames at {motion.fps:g} fps")
