"""The command line without Blender: ``python -m core fit|info|convert``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
