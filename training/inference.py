"""Run a checkpoint over whole clips, each frame from the previous one, and report its errors.

    python training/inference.py CHECKPOINT [DATASET [SAMPLE_RATIO]]

DATASET is amass, 3dpw or rich, or a folder of motions in AMASS layout; by default, the dataset that the checkpoint was
trained on. SAMPLE_RATIO is the share of its test clips to use, evenly spread (default 1). --baseline runs a plain
SMPLify-3D on the same frames to compare accuracy and speed in one run.
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
