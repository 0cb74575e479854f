"""The extension's zip in a clean user folder, put there by Blender's extension system."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MODULE = "bl_ext.user_default.learnable_smplify"
"""The package's name once it is installed."""


def clean_user(folder: Path) -> dict[str, str]:
    """Make the folders of a new user, and return the environment in which Blender uses them.

    A folder that does not exist is not used by Blender: it would read the preferences from the real home instead.
    """
    home, user = folder / "home", folder / "user"
    home.mkdir(parents=True)
    for name in ("config", "scripts", "extensions"):
        (user / name).mkdir(parents=True)
    return {**os.environ, "HOME": str(home), "BLENDER_USER_RESOURCES": str(user)}


def install(program: str, zip_file: Path, environment: dict[str, str]) -> None:
    """Install and enable the zip, or put it in place of another version."""
    command = [program, "--command", "extension", "install-file", "-r", "user_default", "-e", str(zip_file)]
    blender(command, environment)
    installed = installed_in(environment)
    # The command ends with exit code 0 even where it found no zip.
    assert (installed / "blender_manifest.toml").is_file(), f"{zip_file} is not installed in {installed}"


def installed_in(environment: dict[str, str]) -> Path:
    """Return the folder in which Blender keeps the extension of a user."""
    return Path(environment["BLENDER_USER_RESOURCES"]) / "extensions" / "user_default" / "learnable_smplify"


def blender(command: list[str], environment: dict[str, str]) -> str:
    """Run a Blender without a window to its end, and return what it said.

    Raises:
        AssertionError: it ended with an error.
    """
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{said[-3000:]}"
    return said


def run_script(program: str, script: str, environment: dict[str, str], *arguments: str) -> str:
    """Run Python statements in a Blender without a window; return what it said."""
    return blender([program, *arguments, "-b", "--python-exit-code", "1", "--python-expr", script], environment)
