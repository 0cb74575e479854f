"""A batch whose worker writes texts in no time: ``main`` takes inputs and the options that matter for files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.batch.conversion import BatchOptions
from core.batch.jobs import Shard
from core.cli.batch import batch_command
from core.convert_options import ConvertOptions
from core.fit import FitOptions


class QuickWorker:
    """A `core.batch.workers.Worker` without a process."""

    def wait_until_ready(self):
        pass

    def convert(self, request, on_progress):
        folder, kinds = Path(request["folder"]), request["options"]["formats"]
        names = [f"{request['stem']}.{suffix}" for suffix in kinds]
        for name in names:
            (folder / name).write_text(f"{name} of {request['options']['quality']}")
        return {"outputs": names, "people": [], "blender": "none"}

    def end(self):
        pass

    def close(self):
        pass


def main(argv: Sequence[str], protected: Mapping[Path, str] | None = None, worker=QuickWorker) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("-o", dest="out", type=Path)
    parser.add_argument("--formats", nargs="+")
    parser.add_argument("--quality", default="balanced")
    for name in ("body", "betas", "regressor", "network", "prior"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--overwrite", action="store_true")
    parser.add_argument("--shard", type=Shard.parse)
    args = parser.parse_args(argv)
    options = ConvertOptions(
        formats=tuple(args.formats),
        body=args.body,
        betas=args.betas,
        regressor=args.regressor,
        fit=FitOptions(quality=args.quality, network=args.network or None, prior=args.prior or None),
    )
    batch = BatchOptions(options, jobs=args.jobs, overwrite=args.overwrite, protected=protected or {}, shard=args.shard)
    return batch_command(args.inputs, args.out, batch, worker)
