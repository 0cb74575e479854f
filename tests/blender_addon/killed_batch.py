"""A batch that is killed: ``python -m tests.blender_addon.killed_batch MOVES WORKER ARGUMENTS...``.

The process ends, as by a kill that cannot be heeded, right before it puts another file in its place once it has put
MOVES there. WORKER is "blender", or "quick" for one that writes texts in no time.
"""

from __future__ import annotations

import os
import sys

from blender_addon.batch import cli, worker_process

QUICK_WORKER = f"""
import json, pathlib
print({worker_process.MARK!r} + '{{"ready": true}}', flush=True)
while True:
    request = json.loads(input())
    pathlib.Path(request["folder"]).mkdir()
    names = [f"{{request['stem']}}.{{suffix}}" for suffix in request["options"]["formats"]]
    for name in names:
        pathlib.Path(request["folder"], name).write_text(f"{{name}} of {{request['options']['quality']}}")
    answer = {{"outputs": names, "people": [], "blender": "none"}}
    print("\\n" + {worker_process.MARK!r} + json.dumps({{"answer": answer}}), flush=True)
"""


def use_quick_worker() -> None:
    """Have batches start the quick worker."""
    worker_process.worker_command = lambda: ([sys.executable, "-c", QUICK_WORKER], None)


def _end_after(moves: int) -> None:
    replace, left = os.replace, moves

    def count(source: object, target: object) -> None:
        nonlocal left
        if left == 0:
            os._exit(9)
        left -= 1
        replace(source, target)

    os.replace = count


if __name__ == "__main__":
    _end_after(int(sys.argv[1]))
    if sys.argv[2] == "quick":
        use_quick_worker()
    sys.exit(cli.main(sys.argv[3:]))
