"""Convert many small tracks in all the ways there are, with faults: ``python -m tests.scale_out [--tracks 2000]``.

The tracks are solved motions of the free body of a few frames, and every twentieth is keypoints that are fitted. They
are converted by a plain loop in one process, and then

- by two shards at once,
- by a Dask scheduler with two workers, of which one is killed and replaced,
- by two Dask schedulers at once, of which one is killed with its worker, begun again and told to convert again,
- by a Dask scheduler with two workers, whose disk is gone for two seconds.

For each way a table shows how many tracks were converted exactly once, by a count of the reports that are put in their
place; how many outputs have the bytes of the loop's; processor time a track, of all processes together, against the
loop's, from the first tenth of the tracks to the third, at which something is killed; and the most memory of scheduler
and client, at the tenth and in all. The exit code is 0 if each way converts each track once to the same bytes. Not on
Windows.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.batch import REPORT_SUFFIX, BatchOptions, convert_one, plan_jobs
from core.convert_options import ConvertOptions
from core.fit import FitOptions
from tests.conftest import REPOSITORY
from tests.dask_processes import Cluster
from tests.small_tracks import write_tracks
from tests.waiting import poll

PATIENCE_S = 3600.0
AWAY_S = 2.0
SAMPLED_EVERY_S = 0.2
COUNTED = ("-m", "tests.scale_out", "--counted")
_FIT = ("fit", "--quality", "fast", "--quiet")


@dataclass
class Watch:
    """What processes take, sampled by a thread.

    Attributes:
        out: the folder whose reports say how many tracks are done.
        total: the number of tracks.
        roles: the processes that began, with their roles.
        cpu_s: user and system time by process.
        marks: tracks done and processor time so far, after a tenth and after a third of the tracks.
        memory_mb: by role, the most memory until the tenth, and in all.
    """

    out: Path
    total: int
    roles: dict[subprocess.Popen[bytes], str] = field(default_factory=dict)
    cpu_s: dict[int, float] = field(default_factory=dict)
    marks: list[tuple[int, float]] = field(default_factory=list)
    memory_mb: dict[str, list[float]] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)

    def sample(self) -> None:
        """Look at all processes, and what they began."""
        for process, role in list(self.roles.items()):
            if process.poll() is not None:
                continue
            try:
                root = psutil.Process(process.pid)
                memory = root.memory_info().rss / 1e6
                for found in (root, *root.children(recursive=True)):
                    times = found.cpu_times()
                    self.cpu_s[found.pid] = times.user + times.system
            except psutil.Error:
                continue
            most = self.memory_mb.setdefault(role, [0.0, 0.0])
            most[1] = max(most[1], memory)
            most[0] = most[0] if self.marks else most[1]
        done = num_done(self.out)
        if len(self.marks) < 2 and done >= self.total / (10, 3)[len(self.marks)]:
            self.marks.append((done, sum(self.cpu_s.values())))

    def run(self) -> None:
        """Sample until stopped."""
        while not self.stopped.wait(SAMPLED_EVERY_S):
            self.sample()

    def ms_a_track(self) -> float:
        """Return the processor time of each track between the marks, milliseconds; not a number without them."""
        if len(self.marks) < 2:
            return float("nan")
        (first, begin_s), (last, end_s) = self.marks
        return 1000.0 * (end_s - begin_s) / max(last - first, 1)


@dataclass(frozen=True)
class Place:
    """Where one way of converting works: the tracks are in ``in``, the outputs in ``out``, both on a disk."""

    disk: Path
    logs: Path
    watch: Watch
    total: int

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that converts; its reports are counted."""
        command = [sys.executable, *COUNTED, str(self.logs), *arguments]
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=(self.logs / "errors.txt").open("ab"))
        self.watch.roles[process] = "client"
        return process

    def fit(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a batch."""
        return self.start("core", *_FIT, str(self.disk / "in"), "-o", str(self.disk / "out"), *options)

    def cluster(self, name: str, workers: int) -> Cluster:
        """Start a Dask cluster."""
        run = (*COUNTED, str(self.logs))
        cluster = Cluster(self.logs / name, workers=workers, patience_s=PATIENCE_S, run=run)
        self.watch_cluster(cluster)
        return cluster

    def watch_cluster(self, cluster: Cluster) -> None:
        """Watch all processes of *cluster*."""
        for process in cluster.processes:
            self.watch.roles[process] = "scheduler" if process is cluster.scheduler else "worker"

    def wait_for_a_third(self, run: subprocess.Popen[bytes]) -> None:
        """Wait until *run* or others have converted a third of the tracks, or *run* has ended."""
        third = self.total / 3
        poll(lambda: num_done(self.disk / "out") >= third or run.poll() is not None, PATIENCE_S, "a third")


def num_done(out: Path) -> int:
    """Return the number of reports in *out*."""
    try:
        return sum(name.endswith(REPORT_SUFFIX) for name in os.listdir(out))
    except OSError:
        return 0


def loop(tracks: Path, out: Path) -> None:
    """Convert all *tracks* in this process."""
    options = ConvertOptions(formats=("npz",), fit=FitOptions(quality="fast"), up_axis="Z")
    batch = BatchOptions(options, jobs=os.cpu_count() or 1)
    for job in plan_jobs([tracks], out):
        convert_one(job, batch)


def _by_loop(place: Place) -> None:
    place.start("tests.scale_out", "--loop", str(place.disk)).wait()


def _by_shards(place: Place) -> None:
    for run in [place.fit("--shard", f"{index}/2") for index in (1, 2)]:
        run.wait()


def _with_a_killed_worker(place: Place) -> None:
    cluster = place.cluster("cluster", 2)
    run = place.fit("--scheduler", str(cluster.file))
    place.wait_for_a_third(run)
    cluster.workers[0].kill()
    cluster.add_worker()
    place.watch_cluster(cluster)
    run.wait()
    cluster.close()


def _with_two_schedulers(place: Place) -> None:
    clusters = [place.cluster(name, 1) for name in ("one", "two")]
    runs = [place.fit("--scheduler", str(cluster.file)) for cluster in clusters]
    place.wait_for_a_third(runs[0])
    clusters[0].close()
    runs[0].wait()
    clusters[0] = place.cluster("again", 1)
    place.fit("--scheduler", str(clusters[0].file)).wait()
    runs[1].wait()
    for cluster in clusters:
        cluster.close()


def _with_a_lost_disk(place: Place) -> None:
    cluster = place.cluster("cluster", 2)
    run = place.fit("--scheduler", str(cluster.file))
    place.wait_for_a_third(run)
    place.disk.rename(place.disk.with_name("away"))
    time.sleep(AWAY_S)
    place.disk.with_name("away").rename(place.disk)
    run.wait()
    cluster.close()


WAYS: dict[str, Callable[[Place], None]] = {
    "plain loop": _by_loop,
    "two shards at once": _by_shards,
    "two workers, one killed": _with_a_killed_worker,
    "two schedulers, one begun again": _with_two_schedulers,
    "two workers, disk gone for 2 s": _with_a_lost_disk,
}


def counts_of(logs: Path) -> Counter[str]:
    """Return how often each track was converted."""
    return Counter(line for path in logs.glob("*.count") for line in path.read_text().splitlines())


def measure(name: str, tracks: Path, folder: Path) -> tuple[Place, dict[str, bytes]]:
    """Convert copies of *tracks* in one way; return where, and the outputs by name."""
    disk, logs = folder / "disk", folder / "logs"
    logs.mkdir(parents=True)
    (disk / "in").mkdir(parents=True)
    for path in tracks.iterdir():
        os.link(path, disk / "in" / path.name)
    total = len(list(tracks.iterdir()))
    place = Place(disk, logs, Watch(disk / "out", total), total)
    thread = threading.Thread(target=place.watch.run)
    thread.start()
    try:
        WAYS[name](place)
    finally:
        place.watch.stopped.set()
        thread.join()
    return place, {path.name: path.read_bytes() for path in (disk / "out").glob("*.npz")}


def show(tracks: Path, folder: Path) -> bool:
    """Convert *tracks* in all ways, print the table, and return whether all is as it should be."""
    print("| way | converted once | more often | same bytes | CPU a track | of the loop's | scheduler | client |")
    print("|---|---|---|---|---|---|---|---|")
    expected: dict[str, bytes] = {}
    loop_ms, whole, total = 0.0, True, len(list(tracks.iterdir()))
    for number, name in enumerate(WAYS):
        place, outputs = measure(name, tracks, folder / str(number))
        expected, loop_ms = expected or outputs, loop_ms or place.watch.ms_a_track()
        times = counts_of(place.logs)
        once, more = (sum(test(count) for count in times.values()) for test in (lambda n: n == 1, lambda n: n > 1))
        same = sum(outputs.get(track) == content for track, content in expected.items())
        whole &= once == total and not more and same == total == len(outputs)
        memory = [
            "{:.0f} to {:.0f} MB".format(*place.watch.memory_mb.get(role, [0, 0])) for role in ("scheduler", "client")
        ]
        cpu_ms = place.watch.ms_a_track()
        cells = (name, once, more, same, f"{cpu_ms:.0f} ms", f"{cpu_ms / loop_ms:.2f}", *memory)
        print("|", " | ".join(map(str, cells)), "|", flush=True)
    return whole


def count_reports(logs: Path) -> None:
    """From now on, log each report of a converted track that this process puts in its place."""
    log = (logs / f"{os.getpid()}.count").open("a", buffering=1)

    def hook(event: str, values: tuple[object, ...]) -> None:
        if event == "os.rename" and str(values[1]).endswith(REPORT_SUFFIX):
            report = json.loads(Path(str(values[0])).read_text(encoding="utf-8"))
            if report["status"] == "converted":
                log.write(Path(str(values[1])).name + "\n")

    sys.addaudithook(hook)


def main(argv: Sequence[str]) -> int:
    """Run the command; ``--counted`` and ``--loop`` are for the processes that it starts."""
    if argv[:1] == ["--counted"]:
        count_reports(Path(argv[1]))
        sys.argv = [argv[2], *argv[3:]]
        runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
        return 0
    if argv[:1] == ["--loop"]:
        loop(Path(argv[1]) / "in", Path(argv[1]) / "out")
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tracks", type=int, default=2000, metavar="N", help="number of tracks (default: 2000)")
    with tempfile.TemporaryDirectory() as folder:
        tracks = Path(folder) / "tracks"
        write_tracks(tracks, parser.parse_args(argv).tracks)
        return 0 if show(tracks, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
