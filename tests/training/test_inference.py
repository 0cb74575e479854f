"""Sequential inference, its metrics, and the SMPLify-3D baseline."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

torch = pytest.importorskip("torch")

from core.amass import read_motion, write_motion  # noqa: E402
from core.body.free_body import load_free_body  # noqa: E402
from core.motion import Motion  # noqa: E402
from tests.training.published import published_checkpoint  # noqa: E402
from training.config import RunConfig  # noqa: E402
from training.data.training_body import TrainingBody  # noqa: E402
from training.evaluation.smplify import Smplify, SmplifyOptions, fit_prior, rotation_matrices  # noqa: E402
from training.inference_command import main  # noqa: E402
from training.run.distributed import Processes  # noqa: E402
from training.run.run_log import RunLog  # noqa: E402
from training.run.sequence_metrics import FrameErrors, measure, summarise  # noqa: E402
from training.run.sequential import FALLBACK_AFTER, TrueClip, track_clips  # noqa: E402
from training.run.trainer import CHECKPOINT_FOLDER, LAST_NAME, Trainer  # noqa: E402


@pytest.fixture(scope="module")
def body() -> TrainingBody:
    return TrainingBody(load_free_body(), "cpu")


def clip_of(walk: Motion, first: int, length: int, seed: int) -> TrueClip:
    frames = slice(first, first + length)
    rotations = torch.as_tensor(walk.rotations()[frames], dtype=torch.float32)
    trans = torch.as_tensor(walk.trans[frames], dtype=torch.float32)
    betas = 0.8 * torch.randn(10, generator=torch.Generator().manual_seed(seed))
    return TrueClip(f"clip{seed}", rotations, trans, betas, 60.0)


@pytest.fixture(scope="module")
def clips(walk: Motion) -> list[TrueClip]:
    """Return a short clip and a long one, not sorted by length."""
    return [clip_of(walk, 0, 12, 0), clip_of(walk, 100, FALLBACK_AFTER + 8, 1)]


def knowing(clips: list[TrueClip], body: TrainingBody):
    """Return an oracle predictor: it looks up the target points in *clips* and returns their pose."""
    points = torch.cat([clip.points(body) - clip.points(body).mean(1, keepdim=True) for clip in clips]).flatten(1)
    rotations = torch.cat([clip.rotations for clip in clips])

    def predict(start, target, previous, betas):
        wanted = (target - target.mean(1, keepdim=True)).flatten(1)
        return rotations[torch.cdist(wanted, points, compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=1)]

    return predict


def copying(start, target, previous, betas):
    return previous


def test_correct_predictions_have_no_error_and_clips_are_independent(clips, body) -> None:
    tracked = track_clips(knowing(clips, body), clips, body, "published")
    for true, one in zip(clips, tracked, strict=True):
        errors = measure(true, one, body)
        assert len(errors.mpve_mm) == len(true.trans) - 1
        assert errors.mpve_mm.max() < 1e-2 and errors.mpapve_mm.max() < 2e-2
        assert torch.equal(one.trans, true.trans) and one.fallbacks == 0
    alone = track_clips(copying, clips[1:], body, "published")[0]
    together = track_clips(copying, clips, body, "published")[1]
    assert torch.equal(alone.rotations, together.rotations)


def test_published_fallback_starts_with_frame_62(clips, body) -> None:
    """A predictor that rotates the pelvis further each frame drifts until a fallback replaces it."""
    nudge = torch.eye(3).repeat(24, 1, 1)
    nudge[0] = torch.as_tensor(Rotation.from_euler("x", 4.0, degrees=True).as_matrix())

    def drifting(start, target, previous, betas):
        return previous @ nudge

    long = clips[1]
    tracked = track_clips(drifting, [long], body, "published")[0]
    assert tracked.fallbacks == len(long.trans) - FALLBACK_AFTER - 1
    errors = measure(long, tracked, body).mpve_mm
    assert (np.diff(errors[:20]) > 0).all() and errors[FALLBACK_AFTER] < 0.7 * errors[FALLBACK_AFTER - 1]


def test_honest_protocol_only_gets_keypoints(clips, body) -> None:
    tracked = track_clips(knowing(clips, body), clips, body, "honest")
    for true, one in zip(clips, tracked, strict=True):
        assert not torch.allclose(one.betas, true.betas)
        assert not torch.equal(one.rotations[0], true.rotations[0])
        assert float((one.trans - true.trans).norm(dim=-1).max()) < 0.03
        assert measure(true, one, body).mpve_mm.mean() < 25.0


def test_drift_is_the_last_tenth_minus_the_first() -> None:
    rising = FrameErrors(np.repeat(np.arange(10.0), 4), np.ones(40), 10.0, np.full(40, 2.0))
    flat = FrameErrors(np.full(20, 3.0), np.ones(20), 10.0, np.full(20, 8.0))
    figures = summarise([rising, flat])
    assert figures["drift_mm"] == pytest.approx((9.0 + 0.0) / 2)
    assert figures["mpve_mm"] == pytest.approx((40 * 4.5 + 20 * 3.0) / 60)
    assert figures["mpve_at_ankle_mm"] == pytest.approx((40 * 2.0 + 20 * 8.0) / 60)
    assert figures["by_tenth_mm"] == pytest.approx([(3.0 + k) / 2 for k in range(10)])
    first_second = [*rising.mpve_mm[:9], *flat.mpve_mm[:9]]
    assert figures["by_second_mm"][0] == pytest.approx(np.mean(first_second))
    assert len(figures["by_second_mm"]) == 5


def test_rotation_vectors_against_scipy_and_at_zero() -> None:
    vectors = torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    vectors[0] = 0.0
    leaf = vectors.clone().requires_grad_()
    matrices = rotation_matrices(leaf)
    np.testing.assert_allclose(matrices.detach(), Rotation.from_rotvec(vectors.numpy()).as_matrix(), atol=1e-9)
    matrices[0, 0, 1].backward()
    np.testing.assert_allclose(leaf.grad[0], [0.0, 0.0, -1.0], atol=1e-6)
    assert torch.autograd.gradcheck(rotation_matrices, (leaf[1:3].detach().requires_grad_(),))


def test_prior_is_the_gaussian_of_its_poses() -> None:
    random = np.random.default_rng(0)
    poses = random.normal(size=(4000, 66)) * np.linspace(0.1, 0.5, 66) + 0.2
    prior = fit_prior(poses)
    np.testing.assert_allclose(prior.mean, 0.2, atol=0.05)
    white = (poses[:, 3:] - prior.mean.numpy()) @ prior.whitening.numpy().T
    assert (white**2).sum(1).mean() == pytest.approx(63.0, rel=0.1)


@pytest.mark.parametrize(
    ("options", "frames", "limit_mm"),
    [
        (SmplifyOptions(optimizer="lbfgs", iterations=20), 3, 4.0),
        (SmplifyOptions(optimizer="adam", iterations=20), 3, 12.0),
        (SmplifyOptions(optimizer="lbfgs", mode="clip", iterations=60), 6, 8.0),
        (SmplifyOptions(optimizer="lbfgs", mode="clip", iterations=60, full_forward=True), 6, 8.0),
    ],
    ids=lambda value: value.title if isinstance(value, SmplifyOptions) else None,
)
def test_smplify_reduces_the_keypoint_distance(
    walk: Motion, body: TrainingBody, options: SmplifyOptions, frames: int, limit_mm: float
) -> None:
    clip = clip_of(walk, 200, frames, 2)
    points = clip.points(body)
    result = Smplify(body, fit_prior(walk.poses[::3, :66]), options).fit(points, clip.betas)
    found = body.keypoints(result.rotations, clip.betas.expand(frames, -1), result.trans)
    assert 1000.0 * float((found - points).norm(dim=-1).mean()) < limit_mm
    np.testing.assert_allclose(
        result.rotations @ result.rotations.mT, np.broadcast_to(np.eye(3), (frames, 24, 3, 3)), atol=1e-5
    )
    assert result.seconds > 0.0


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="adam.*lbfgs"):
        SmplifyOptions(optimizer="sgd")


def test_command_prints_saves_and_compares(
    run_settings: dict[str, object], motion_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("yaml")
    config = RunConfig().overridden({**run_settings, "output.log_dir": str(tmp_path)})
    log = RunLog(config.run_folder)
    Trainer(config, Processes(0, 1, torch.device("cpu")), log).train(stop_after_steps=1)
    log.close()
    checkpoint = config.run_folder / CHECKPOINT_FOLDER / LAST_NAME
    output = tmp_path / "out"
    arguments = [str(checkpoint), "--output", str(output), "--device", "cpu"]
    assert main([*arguments, "--max_frames", "12", "--baseline", "lbfgs-clip"]) == 0
    printed = capsys.readouterr().out
    rows = json.loads((output / "summary.json").read_text())["rows"]
    assert list(rows) == [
        "network, published protocol",
        "network, honest protocol",
        "SMPLify-3D, L-BFGS 200, clip",
        "network, published, one clip at a time",
    ]
    for title, figures in rows.items():
        at_ankle = f"{figures['mpve_at_ankle_mm']:>10.2f}"
        assert f"{title:<44}{figures['mpve_mm']:>9.2f}{at_ankle}{figures['mpapve_mm']:>11.2f}" in printed
        assert figures["clips"] == 1 and figures["frames"] == 11 and len(figures["by_tenth_mm"]) == 10
    motion = read_motion(output / "published" / "Walk_04_01_poses.npz")
    assert motion.num_frames == 12 and motion.fps == 30.0 and motion.body == "free_body"
    assert "17.22 over whole clips; this is folder, other data" in printed
    assert main([str(checkpoint), str(motion_folder), "2", "--all_clips", "--protocol", "published",
                 "--output", str(output / "all"), "--device", "cpu", "--max_frames", "5"]) == 0  # fmt: skip
    written = sorted(path.name for path in (output / "all" / "published").iterdir())
    assert written == ["Walk_01_01_poses.npz", "Walk_03_01_poses.npz"], "every second clip"
    own = shutil.copytree(motion_folder, tmp_path / "published")
    before = {path: path.read_bytes() for path in own.glob("*.npz")}
    assert main([str(checkpoint), str(own), "--all_clips", "--protocol", "published", "--output", str(tmp_path),
                 "--device", "cpu"]) == 1  # fmt: skip
    assert "a motion to be another file than the motions" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in own.glob("*.npz")} == before and len(before) == 4
    assert main([str(tmp_path / "none.pth.tar")]) == 1


def test_published_call_takes_every_fiftieth_test_clip_of_amass(
    walk: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``python inference.py CHECKPOINT AMASS 50``, on 4 files of which the seeded split tests on one."""
    pytest.importorskip("yaml")
    monkeypatch.chdir(tmp_path)
    short = replace(walk, poses=walk.poses[:60], trans=walk.trans[:60])
    for number in range(4):
        write_motion(Path("data/amass/CMU") / f"{number:02d}" / "walk_poses.npz", short, up_axis="Z",
                     rest_pelvis=np.zeros(3))  # fmt: skip
    checkpoint = str(published_checkpoint(tmp_path / "best_ckpt.pth.tar"))
    for arguments in (["AMASS", "50"], ["AMASS"], []):
        assert main([checkpoint, *arguments, "--protocol", "published", "--device", "cpu", "--max_frames", "3",
                     "--overwrite"]) == 0  # fmt: skip
        assert "1 of 1 clips, 3 frames" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([checkpoint, "AMASS", "0.5"])
    assert "expected an integer of 1 or more, got '0.5'" in capsys.readouterr().err


@pytest.mark.parametrize("protocol", ["published", "honest"])
def test_translation_is_taken_out_of_the_pair_with_the_first_frame(clips, body, protocol: str) -> None:
    """As published: what the network gets has the first frame's points where the target is."""
    distances = []

    def watching(start, target, previous, betas):
        distances.append(float((start - target).mean(dim=1).norm()))
        return previous

    walking = clips[1]
    path = torch.linspace(0.0, 3.0, len(walking.trans))[:, None] * torch.tensor([1.0, 0.0, 0.0])
    moved = TrueClip("walking", walking.rotations, walking.trans + path, walking.betas, walking.fps)
    track_clips(watching, [moved], body, protocol)
    # From frame 62 on, each frame is asked for twice.
    assert len(distances) == len(moved.trans) - 1 + len(moved.trans) - FALLBACK_AFTER - 1
    assert max(distances[-2:]) < 0.2 < float(path[-1].norm())


def test_command_runs_as_a_file_from_any_folder(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "training" / "inference.py"
    shown = subprocess.run([sys.executable, str(script), "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0 and "SAMPLE_RATIO" in shown.stdout.upper(), shown.stderr
