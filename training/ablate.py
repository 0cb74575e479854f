"""Train network variants with the same budget, one after the other, and tabulate their metrics.

    python -m training.ablate [--config FILE.yaml] [--set data.folder=data/cmu] [--log_dir logs/ablations]

Each network is measured alone on the test pairs. Pose networks are also measured in the fit, on held-out clips with
clean, noisy, missing and fewer points, and on another body. The shipped network is measured in the fit too, for
several sets of joints and numbers of passes. Finished work is not repeated, so the command can be stopped and rerun.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.cli.exit_codes import exit_code_of
from core.io.atomic_files import atomic_path
from core.io.protected_files import check_outputs

from .arguments import positive_int
from .data.motion_folder import clip_files, read_clips
from .evaluation.variant_metrics import FitTest, fit_table, measure_shipped, measure_variant, pairs_table
from .evaluation.variants import Variant, is_trained, read_variants, train, write_metrics
from .outputs import run_files
from .pose_prior import HELD_OUT_SUBJECTS
from .run.distributed import process_group
from .run.train_command import parse_overrides

DEFAULT_CONFIG = Path(__file__).with_name("configs") / "variants" / "ablations.yaml"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", default=DEFAULT_CONFIG, help="file of the variants")
    parser.add_argument("--log_dir", metavar="FOLDER", default="logs/ablations", help="folder for all runs")
    parser.add_argument(
        "--clips", type=Path, metavar="FOLDER", default=Path("data/cmu"), help="clips to measure the fit on (data/cmu)"
    )
    parser.add_argument("--subjects", nargs="+", default=list(HELD_OUT_SUBJECTS), help="subjects whose clips to use")
    parser.add_argument(
        "--every", type=positive_int, default=12, metavar="N", help="take every Nth clip (default %(default)s)"
    )
    parser.add_argument("--trained", action="store_true", help="train nothing; measure the variants already trained")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="only these variants, by name or by group")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.NAME=VALUE", help="override a setting; repeatable"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options), interrupted="interrupted; run it again to continue")


def _run(options: argparse.Namespace) -> None:
    folder = Path(options.log_dir)
    tables = [folder / "ablation.json", folder / "ablation.md", *(folder / "in_fit").glob("*")]
    read = {"the variants": options.config, "the clips": clip_files(options.clips)}
    check_outputs({"the metrics": tables}, read)
    variants = read_variants(options.config, {**parse_overrides(options.set), "output.log_dir": options.log_dir})
    if options.only:
        variants = [variant for variant in variants if {variant.name, variant.group} & set(options.only)]
    runs = [path for variant in variants for path in run_files(variant.config.run_folder, trains=not options.trained)]
    check_outputs({"a file of the runs": runs}, read)
    for variant in () if options.trained else variants:
        if not is_trained(variant):
            with process_group(variant.config.training.device) as processes:
                train(variant, processes)
    clips = read_clips(options.clips, options.subjects)[:: options.every]
    _report(list(filter(is_trained, variants)), FitTest(clips, Path(options.log_dir) / "in_fit"))


def _report(variants: Sequence[Variant], test: FitTest) -> None:
    """Measure *variants* and the shipped network; print the tables and write them beside the runs."""
    shipped = measure_shipped(test)
    parts = [f"## Shipped network, on {len(test.clips)} clips", fit_table(shipped)]
    results: dict[str, object] = {"shipped": shipped}
    for group in dict.fromkeys(variant.group for variant in variants):
        metrics = {variant.name: measure_variant(variant, test) for variant in variants if variant.group == group}
        results[group] = metrics
        in_fit = {name: values["fit"] for name, values in metrics.items() if values["fit"]}
        parts += [
            f"## {group}",
            "Alone:",
            pairs_table(metrics),
            *(["In the fit:", fit_table(in_fit)] if in_fit else []),
        ]
    text = "\n\n".join(parts)
    print(text)
    folder = test.folder.parent
    write_metrics(folder / "ablation.json", results)
    with atomic_path(folder / "ablation.md") as path:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
