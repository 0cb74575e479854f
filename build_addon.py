"""Build the Blender extension: one zip that holds the add-on, the core library and the wheels they need.

    python build_addon.py [--edition whole|gpu|platform|all] [--website ADDRESS] [--output DIR] [--no-validate]

There are three editions. The whole one, which is the default, fits with NumPy and listens to live senders. That for a
GPU can have PyTorch set up besides, and fit with it. That for Blender's extensions platform keeps the platform's rules:
it needs and offers nothing that is not in its zip, and never uses the network. They have the same id, so a Blender has
one of them at a time.

The zip has ``blender_addon/*`` at its root, with the core's version in the manifest, ``core/`` inside it unchanged, and
pure-Python wheels under ``wheels/``, which are fetched by pip once, checked against their pinned hashes and kept in a
cache. The same sources give the same bytes. The result is checked by Blender's own tool, which comes with the ``bpy``
module or with a Blender program (``BLENDER``, or ``blender`` on the path).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import core
from core.io.atomic_files import atomic_path

REPOSITORY = Path(__file__).resolve().parent
MANIFEST_NAME = "blender_manifest.toml"
EXCLUDED_FOLDERS = frozenset({"__pycache__", "tests"})
EXCLUDED_SUFFIXES = frozenset({".pyc", ".pyo", ".blend1"})
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
WEBSITE = re.compile(r"https://[\w.-]+(?::\d+)?(?:/[\w./~%-]*)?")


class BuildError(Exception):
    """The zip cannot be built, or Blender's tool refuses it; the text says why and what to do."""


@dataclass(frozen=True)
class Wheel:
    """A wheel that the zip carries.

    Attributes:
        name: the package's name.
        version: its version, the same as in constraints.txt.
        sha256: of the file.
    """

    name: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The wheel's file name; it must be pure Python."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True)
class Edition:
    """What one of the zips holds: all that the repository has for it, but for what is said here.

    Attributes:
        file_suffix: added to the zip's name.
        left_out: paths in the zip that this edition goes without; with a "/" at the end, whole folders.
        permissions: reasons that differ from the manifest's, by the permission; empty where it is not asked for.
        needs_website: whether it is only built with an address.
    """

    file_suffix: str = ""
    left_out: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    needs_website: bool = False

    def holds(self, name: str) -> bool:
        """Return whether the file *name* belongs into the zip."""
        return not any(name == path or (path.endswith("/") and name.startswith(path)) for path in self.left_out)


_SERVES_TORCH = ("torch_backend/", "serve_fits.py", "background/python.py", "background/codec.py")
_SERVES_PYTHON_AS_A_PROGRAM = ("__main__.py", "core/__main__.py")

EDITIONS = {
    "whole": Edition(left_out=_SERVES_TORCH, permissions={"network": "Listen to live senders, only when you ask"}),
    "gpu": Edition(file_suffix="-gpu"),
    "platform": Edition(
        file_suffix="-platform",
        left_out=(*_SERVES_TORCH, "live/", *_SERVES_PYTHON_AS_A_PROGRAM),
        permissions={"network": ""},
        needs_website=True,
    ),
}

BUNDLED_WHEELS: tuple[Wheel, ...] = (
    Wheel("array-api-compat", "1.16.0", "0464934d7d5f1e9b728b2e248da52400630b1fcb46b70073eab3c7ae084290aa"),
    Wheel("c3d", "0.6.0", "86928e4bd46aac107b1288981e4fee0daaca7ca24524bef6e890a99b7d1421a4"),
    Wheel("threadpoolctl", "3.8.0", "f1b49c82704d50f13ffae019c727b0fa4f6791a58f48f06a09c45face1be66da"),
)


def _has_hash(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def fetch_wheel(wheel: Wheel, cache: Path) -> Path:
    """Return the path of *wheel* in the folder *cache*; pip downloads it if it is not there.

    Raises:
        BuildError: pip cannot get a file with the pinned hash.
    """
    path = cache / wheel.file_name
    if _has_hash(path, wheel.sha256):
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--require-hashes", "--dest", folder, "--requirement", str(wanted)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0 or not _has_hash(Path(folder) / wheel.file_name, wheel.sha256):
            raise BuildError(
                f"expected pip to download {wheel.file_name} with sha256 {wheel.sha256}, it did not; put the file into "
                f"{cache} by hand, or mend the connection.\n{result.stderr.strip()}"
            )
        os.replace(Path(folder) / wheel.file_name, path)
    return path


def complete_manifest(text: str, version: str, wheel_names: list[str], website: str = "") -> str:
    """Return the manifest *text* with what the build adds: the version, the list of wheels and the website.

    Args:
        text: the manifest as it stands in the repository, without ``version``, ``wheels`` and ``website``.
        version: the extension's version, as the core has it.
        wheel_names: file names of the wheels.
        website: the extension's address; empty for none.

    Raises:
        BuildError: the manifest has one of them already, or *website* is no address.
    """
    if website and not WEBSITE.fullmatch(website):
        raise BuildError(f"expected the website as https://NAME/.., got {website!r}")
    present = sorted({"version", "wheels", "website"} & tomllib.loads(text).keys())
    if present:
        names = " and ".join(repr(name) for name in present)
        raise BuildError(f"expected blender_addon/{MANIFEST_NAME} without {names}, which the build adds; remove it")
    entries = "".join(f'  "./wheels/{name}",\n' for name in wheel_names)
    lines = text.rstrip().splitlines(keepends=True)
    first_table = next((number for number, line in enumerate(lines) if line.startswith("[")), len(lines))
    head, tail = "".join(lines[:first_table]).rstrip(), "".join(lines[first_table:])
    address = f'website = "{website}"\n' if website else ""
    added = f'version = "{version}"\n{address}\nwheels = [\n{entries}]\n'
    return f"{head}\n{added}" + (f"\n{tail.rstrip()}\n" if tail else "")


def with_permissions(text: str, reasons: Mapping[str, str]) -> str:
    """Return the manifest *text* with the *reasons* of an edition.

    Args:
        text: the manifest, with each permission on a line of its own.
        reasons: as `Edition.permissions`.
    """
    lines = []
    for line in text.splitlines(keepends=True):
        name = line.partition(" = ")[0]
        if name not in reasons:
            lines.append(line)
        elif reasons[name]:
            lines.append(f'{name} = "{reasons[name]}"\n')
    return "".join(lines)


def source_files(folder: Path) -> dict[str, Path]:
    """Return the files under *folder* that belong in the zip, by their path relative to it, with forward slashes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in EXCLUDED_FOLDERS for part in relative.parts)
        if path.is_file() and not hidden and path.suffix not in EXCLUDED_SUFFIXES:
            found[relative.as_posix()] = path
    return found


def zip_entries(
    repository: Path, wheels: list[Path], edition: Edition = EDITIONS["whole"], website: str = ""
) -> dict[str, bytes]:
    """Return what the zip holds: file contents by name.

    Args:
        repository: the repository's root.
        wheels: paths of the wheels to carry.
        edition: which files and permissions it has.
        website: the extension's address; empty for none.

    Raises:
        BuildError: a part is missing, or the address that the edition needs.
    """
    if edition.needs_website and not website:
        raise BuildError(
            "expected the address where this edition is documented and maintained; give --website https://.."
        )
    sources = {
        **source_files(repository / "blender_addon"),
        **{f"core/{name}": path for name, path in source_files(repository / "core").items()},
        **{name: repository / name for name in ("LICENSE", "NOTICE")},
        **{f"wheels/{path.name}": path for path in wheels},
    }
    needed = (MANIFEST_NAME, "__init__.py", "core/__init__.py", "core/body/assets/free_body.npz", "LICENSE", "NOTICE")
    missing = [name for name in needed if name not in sources or not sources[name].is_file()]
    if missing:
        raise BuildError(f"expected these in {repository} for the zip, found none: {', '.join(missing)}")
    gone = [path for path in edition.left_out if not any(name.startswith(path) for name in sources)]
    if gone:
        raise BuildError(f"expected to leave these out of the zip, found none of that name: {', '.join(gone)}")
    entries = {name: path.read_bytes() for name, path in sources.items() if edition.holds(name)}
    text = with_permissions(entries[MANIFEST_NAME].decode("utf-8"), edition.permissions)
    manifest = complete_manifest(text, core.__version__, [path.name for path in wheels], website)
    entries[MANIFEST_NAME] = manifest.encode("utf-8")
    return entries


def write_zip(entries: dict[str, bytes], path: Path) -> None:
    """Write *entries* to the zip at *path*: sorted, without times, so that equal entries give equal bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.create_system = 3
            info.external_attr = FILE_MODE << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name], compresslevel=9)


def extension_command(*arguments: str) -> list[str] | None:
    """Return the command that runs Blender's own tool for extensions, or None where there is no Blender."""
    module = importlib.util.find_spec("bpy")
    if module is not None and module.origin is not None:
        tools = sorted(Path(module.origin).parent.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
        if tools:
            return [sys.executable, str(tools[-1]), *arguments]
    program = os.environ.get("BLENDER") or shutil.which("blender")
    if program:
        return [program, "--factory-startup", "--command", "extension", *arguments]
    return None


def validate(path: Path) -> str:
    """Return what Blender's tool says of the zip at *path*.

    Raises:
        BuildError: there is no Blender here, or its tool finds a fault.
    """
    return run_extension_tool(
        "validate", str(path), without=f"{path} is built but not checked", remedy="give --no-validate to go without"
    )


def run_extension_tool(*arguments: str, without: str, remedy: str) -> str:
    """Run Blender's own tool for extensions and return what it says.

    Args:
        *arguments: its command and the options.
        without: what is not done where there is no Blender.
        remedy: what to do then.

    Raises:
        BuildError: there is no Blender here, or the tool fails.
    """
    command = extension_command(*arguments)
    if command is None:
        raise BuildError(
            f"{without}: expected the bpy module (pip install -r requirements/blender.txt) or a Blender program "
            f"(BLENDER, or blender on the path), found neither; {remedy}"
        )
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    said = (result.stdout + result.stderr).strip()
    if result.returncode != 0:
        raise BuildError(f"Blender's own tool refuses this ({' '.join(arguments)}):\n{said}")
    return said


def build(output: Path, *, cache: Path, edition: str = "whole", website: str = "") -> Path:
    """Build the zip and return its path.

    Args:
        output: folder for the zip.
        cache: folder where downloaded wheels are kept.
        edition: a key of `EDITIONS`.
        website: the extension's address; empty for none.

    Raises:
        BuildError: a part is missing, or a wheel cannot be had.
    """
    wheels = [fetch_wheel(wheel, cache) for wheel in BUNDLED_WHEELS]
    entries = zip_entries(REPOSITORY, wheels, EDITIONS[edition], website)
    manifest = tomllib.loads(entries[MANIFEST_NAME].decode("utf-8"))
    target = output / f"{manifest['id']}-{manifest['version']}{EDITIONS[edition].file_suffix}.zip"
    with atomic_path(target) as path:
        write_zip(entries, path)
    return target


def main(arguments: list[str] | None = None) -> int:
    """Build, check and report; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the Blender extension.")
    parser.add_argument(
        "--edition", choices=(*EDITIONS, "all"), default="whole",
        help="whole; gpu, with what sets PyTorch up for fits on a GPU besides; or platform, for Blender's extensions "
        "platform (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--website", default="", metavar="ADDRESS", help="where the extension is documented and maintained; the "
        "manifest has it, and the edition for the platform needs it",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=REPOSITORY / "dist", help="folder for the zip (default: dist)")
    parser.add_argument(
        "--cache", type=Path, default=REPOSITORY / ".cache" / "wheels", help="folder of downloaded wheels"
    )
    parser.add_argument("--no-validate", action="store_true", help="do not ask Blender's own tool")
    options = parser.parse_args(arguments)
    try:
        for edition in EDITIONS if options.edition == "all" else (options.edition,):
            path = build(options.output, cache=options.cache, edition=edition, website=options.website)
            print(f"{path}: {path.stat().st_size} bytes")
            if not options.no_validate:
                print(validate(path))
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
