"""Train the residual network, or evaluate a checkpoint with --eval.

    torchrun --nproc-per-node N training/main.py --config training/configs/net.yaml
    python training/main.py --config training/configs/net.yaml          (one process)
    python -m training.main --config training/configs/net.yaml          (the same)

Logs, metrics, pictures and checkpoints are written to LOG_DIR/MODEL_net_TAG.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:
    # When run as a file, by torchrun or by hand, Python puts this folder first on sys.path. Replace it with the
    # repository's root, as with `python -m training.main`; otherwise `core` and `training` cannot be imported.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from training.run.train_command import main

if __name__ == "__main__":
    sys.exit(main())
