"""Run by the Python that is checked: prints its versions and the devices that its PyTorch can use.

It uses only syntax of old Python versions, so that these can report their version.
"""

import json
import platform
import sys

MARK = "@smplify "


def torch_devices(torch):
    """Return PyTorch's name, display name and fault of each GPU."""
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
    """Return the error of a computation on *device*, or ""; a GPU may be too old for a build of PyTorch."""
    try:
        (torch.ones(2, device=device) + 1).cpu()
    except Exception as error:  # any kind: drivers and builds fail in many ways, and all are reported
        return str(error).split("\n")[0][:200]
    return ""


def main():
    """Print the findings as one marked line of JSON."""
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
    except Exception as error:  # any kind: a package may be missing or broken in any way, and all are reported
        found["fault"] = type(error).__name__ + ": " + str(error).split("\n")[0][:200]
    print("\n" + MARK + json.dumps(found))


main()
