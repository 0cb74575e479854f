"""Run a checkpoint over whole clips, each frame from the previous one, and report its errors.

    python training/inference.py CHECKPOINT [DATASET [SAMPLE_RATIO]]

DATASET is AMASS, 3DPW or RICH, or a folder of motions in AMASS layout; by default, the dataset that the checkpoint was
trained on. With SAMPLE_RATIO n, every n-th of its test clips is used: by default every fiftieth of AMASS, as published,
and all of other data. --baseline runs a plain SMPLify-3D on the same frames to compare accuracy and speed in one run.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    # As in training/main.py: put the repository's root in place of this folder.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.inference_command import main

if __name__ == "__main__":
    sys.exit(main())
