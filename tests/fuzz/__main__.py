"""Fuzz what reads untrusted bytes, guided by coverage (atheris, libFuzzer).

    python -m tests.fuzz [LIBFUZZER_OPTION | FOLDER]...

Without options it runs two minutes. New inputs that reach new code go to the first FOLDER, by default `out/fuzz`;
`tests/fuzz/corpus` is read as well. An input that fails is kept as `out/fuzz-crash-*`, and `python -m tests.fuzz FILE`
runs it again.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["core", "blender_addon", "c3d"]):
    from tests.fuzz.targets import run, write_seeds

_CORPUS = Path(__file__).with_name("corpus")
_LIMITS = ("-timeout=300", "-rss_limit_mb=600", "-max_len=65536", "-artifact_prefix=out/fuzz-")
"""Memory: what Python, NumPy and the instrumented code take themselves, and beside it 100 MB and 20 times 64 kB. The
time that counts is the processor's (`tests.fuzz.targets.run`); this one ends what hangs, on a busy machine too."""


def main() -> None:
    """Set up the corpus, and fuzz."""
    warnings.simplefilter("ignore")
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    inputs = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    folder = Path("out/fuzz")
    write_seeds(folder)
    inputs = inputs or [str(folder), str(_CORPUS)]
    if not options and not Path(inputs[0]).is_file():
        options = ["-max_total_time=120"]
    atheris.Setup([sys.argv[0], *_LIMITS, *options, *inputs], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
