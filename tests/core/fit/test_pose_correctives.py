"""A fit without pose correctives: the body has plain skinning, in a clip, frame by frame and by a command line."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest

from core.body.free_body import load_free_body
from core.body.model import BodyModel
from core.cleanup import CleanupOptions
from core.cli.arguments import add_convert_arguments, convert_options
from core.convert_options import ConvertOptions
from core.fit import FitOptions, FitStream, fit_track
from core.track import KeypointTrack

from .scenes import Scene

BODY = load_free_body()
PLAIN = BODY.without_pose_correctives()


@pytest.fixture(scope="module")
def track(act: Scene) -> KeypointTrack:
    return act[:10].track()


def test_the_body_without_correctives_is_skinned_alone(act: Scene) -> None:
    model, frame = BodyModel(PLAIN), slice(7, 8)
    pose = act.rotations[frame], act.betas, act.trans[frame]
    world, positions = model.joint_transforms(*pose)
    rest, joints = model.rest_vertices(act.betas), model.rest_joints(act.betas)
    carried = np.einsum("jab,jvb->jva", world[0], rest[None] - joints[:, None]) + positions[0][:, None]
    np.testing.assert_allclose(model.vertices(*pose)[0], np.einsum("vj,jva->va", BODY.weights, carried), atol=1e-5)
    assert BODY.posedirs.any(), "the other body is as it was"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["clip", "frames"])
def test_a_fit_without_them_is_the_fit_of_the_body_without_them(track: KeypointTrack, mode: str) -> None:
    usual, wanted = (FitOptions(mode=mode, workers=1, pose_correctives=choice) for choice in (True, False))
    poses = fit_track(track, BODY, wanted)[0].poses
    np.testing.assert_array_equal(poses, fit_track(track, PLAIN, usual)[0].poses)
    assert np.abs(poses - fit_track(track, BODY, usual)[0].poses).max() > 1e-3


def test_a_stream_goes_without_them_as_well(track: KeypointTrack) -> None:
    choices = {"usual": (BODY, True), "wanted": (BODY, False), "plain": (PLAIN, True)}
    poses = {}
    for name, (body, choice) in choices.items():
        stream = FitStream(track.layout, track.fps, body, FitOptions(pose_correctives=choice))
        poses[name] = stream.push(track.positions[0], track.confidence[0]).rotations
    np.testing.assert_array_equal(poses["wanted"], poses["plain"])
    assert np.abs(poses["wanted"] - poses["usual"]).max() > 1e-3


def test_command_lines_and_stored_options_have_the_choice() -> None:
    parser = argparse.ArgumentParser()
    add_convert_arguments(parser, CleanupOptions(), "")
    usual, plain = (convert_options(parser.parse_args(words)) for words in ([], ["--no-pose-correctives"]))
    assert usual.fit.pose_correctives and not plain.fit.pose_correctives
    assert "pose_correctives" not in json.dumps(usual.as_dict()), "earlier outputs still count as done"
    assert not ConvertOptions.from_dict(json.loads(json.dumps(plain.as_dict()))).fit.pose_correctives
