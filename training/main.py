"""Train the residual network, or evaluate a checkpoint with --eval.

    torchrun --nproc-per-node N training/main.py --config training/configs/net.yaml
    python training/main.py --config training/configs/net.yaml          (one process)
    python -m training.main --config training/configs/net.yaml          (the same)

Logs, figures, pictures and checkpoints go to LOG_DIR/MODEL_net_TAG.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    # Run as a file, by torchrun or by hand: Python put this folder first on sys.path. The repository's root belongs
    # there, as with `python -m training.main`, or neither `core` nor `training` could be imported.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.train_command import main

if __name__ == "__main__":
    sys.exit(main())
