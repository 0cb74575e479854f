"""Run by the Python that is asked about: says which one it is, and which devices its PyTorch can compute on.

It keeps to what old Pythons understand, so that they can say that they are old.
"""

import json
import platform
import sys

MARK = "@smplify "


def torch_devices(torch):
    """Return what is known of each GPU: its name for PyTorch, its name for people, and what is wrong with it."""
    devices = []
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for index in range(count):
        device = "cuda" if count == 1 else "cuda:" + str(index)
        devices.append([device, torch.cuda.get_device_name(index), fault_of(torch, device)])
    mps = getattr(torch.backends, "mps", None)
    if mps is not None and mps.is_available():
        devices.append(["mps", "Apple GPU", fault_of(torch, "mps")])
    return devices


def fault_of(torch, device):
    """Return what goes wrong when *device* computes, or nothing; a GPU may be too old for a build of PyTorch."""
    try:
        (torch.ones(2, device=device) + 1).cpu()
    except Exception as error:  # of any kind: drivers and builds fail in many ways, and all are told
        return str(error).split("\n")[0][:200]
    return ""


def main():
    """Print what was found as one marked line of JSON."""
    found = {
        "version": platform.python_version(),
        "machine": platform.machine(),
        "executable": sys.executable,
        "numpy": "",
        "torch": "",
        "fault": "",
        "devices": [],
    }
    try:
        import numpy

        found["numpy"] = numpy.__version__
        import torch

        found["torch"] = str(torch.__version__)
        found["devices"] = torch_devices(torch)
    except Exception as error:  # of any kind: a package may be missing or broken in any way, and all are told
        found["fault"] = type(error).__name__ + ": " + str(error).split("\n")[0][:200]
    print("\n" + MARK + json.dumps(found))


main()
