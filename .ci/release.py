"""Make the files of a release, in a new folder that appears whole or not at all.

    python .ci/release.py --website ADDRESS --output FOLDER [--draft]

The folder gets the library's wheel and source distribution, all editions of the extension, ``repository/``, which is
an extension repository that Blender can add by its address wherever the folder is served, ``NOTES.md``, the changelog's
section of this version, and ``SHA256SUMS``. Needs requirements/core.txt and build.txt, and Blender's own tool as
build_addon.py does; `bash .ci/release` has them.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

import build_addon  # noqa: E402 - from the repository
import core  # noqa: E402
from build_addon import BuildError  # noqa: E402

SOURCES = ("core", "pyproject.toml", "README.md", "NOTICE", "LICENSE")
"""What the library's distribution is made of."""
UNRELEASED = "unreleased"


def release_notes(changelog: str, version: str, *, is_draft: bool) -> str:
    """Return the section of *version* of the changelog, without its heading.

    Raises:
        BuildError: there is none, it is empty, or it is still called unreleased and this is no draft.
    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, text = section.partition("\n")
        number, _, when = heading.partition(",")
        if number.strip() != version:
            continue
        if when.strip() == UNRELEASED and not is_draft:
            raise BuildError(
                f"expected the day of the release in CHANGELOG.md's heading of {version}, found {UNRELEASED!r}; write "
                "the day there, or give --draft to see what a release would be"
            )
        if text.strip():
            return f"{text.strip()}\n"
    raise BuildError(f"expected a section '## {version}, DAY' with changes in CHANGELOG.md, found none; write it")


def build_library(folder: Path) -> None:
    """Build the library's wheel and source distribution into *folder*, from a copy, which building changes.

    Raises:
        BuildError: the build failed.
    """
    with tempfile.TemporaryDirectory() as copied:
        for name in SOURCES:
            source, target = REPOSITORY / name, Path(copied) / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), copied]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(
            f"the wheel cannot be built; is requirements/build.txt installed?\n{(done.stdout + done.stderr).strip()}"
        )


def make_repository(extension: Path, folder: Path) -> None:
    """Make a static extension repository of one zip in the new *folder*: a copy, ``index.json`` and ``index.html``.

    The other editions are not in it: they have the same id, and Blender takes one zip of an id from a repository.

    Raises:
        BuildError: there is no Blender here, or its tool fails.
    """
    folder.mkdir()
    shutil.copy(extension, folder)
    build_addon.run_extension_tool(
        "server-generate", "--repo-dir", str(folder), "--html", without="no repository can be made",
        remedy="install one of them",
    )  # fmt: skip
    if not (folder / "index.json").is_file():
        raise BuildError(f"expected Blender's tool to write {folder / 'index.json'}, it did not")


def checksums(folder: Path) -> str:
    """Return a line for each file below *folder*, as sha256sum writes and checks them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    )
    return "".join(f"{line}\n" for line in lines)


def release(output: Path, *, website: str, is_draft: bool, cache: Path) -> None:
    """Make all files of a release in the folder *output*, which must not exist.

    Raises:
        BuildError: the changelog is not ready, something cannot be built, or *output* exists.
    """
    if output.exists():
        raise BuildError(f"expected a new folder for the release, {output} exists; name another one")
    changelog = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    notes = release_notes(changelog, core.__version__, is_draft=is_draft)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{output.name}.", dir=output.parent) as temporary:
        folder = Path(temporary) / "release"
        folder.mkdir()
        zips = {
            name: build_addon.build(folder, cache=cache, edition=name, website=website) for name in build_addon.EDITIONS
        }
        for path in zips.values():
            build_addon.validate(path)
        build_library(folder)
        make_repository(zips["whole"], folder / "repository")
        (folder / "NOTES.md").write_text(notes, encoding="utf-8")
        (folder / "SHA256SUMS").write_text(checksums(folder), encoding="utf-8")
        folder.rename(output)


def main(arguments: list[str] | None = None) -> int:
    """Make a release and say what is in it; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the files of a release.")
    parser.add_argument("--website", required=True, metavar="ADDRESS", help="where the extension is maintained")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="a new folder")
    parser.add_argument("--draft", action="store_true", help="go on though the changelog calls the version unreleased")
    options = parser.parse_args(arguments)
    try:
        release(options.output, website=options.website, is_draft=options.draft, cache=REPOSITORY / ".cache" / "wheels")
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print((options.output / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
