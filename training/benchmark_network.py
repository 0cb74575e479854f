"""Time the unfolded and the folded network, and compare their outputs.

    python -m training.benchmark_network [--weights CHECKPOINT] [--batches 1 1024] [--rounds N] [--threads N]

Times are of whole passes: human-centred frame, network, rotations. The implementations take turns, so that load on the
machine slows all of them alike; medians over the rounds are reported. With a CUDA GPU, the implementations on it are
timed too, including the recorded CUDA graph.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from core.cli.exit_codes import exit_code_of
from core.network.cuda_graph import CapturedNetwork
from core.network.graph import DEFAULT_GRAPH
from core.network.residual import ResidualNetwork
from core.network.weights import NetworkInfo, NetworkWeights

from .convert_checkpoint import Samples, draw_samples, fold_network, load_network
from .network.model import JointLinear, ResidualNet

UNFOLDED = "torch cpu, unfolded, all taps"
_LONG_CALL_S = 0.2
"""Slower implementations are called once per round, others `_CALLS` times."""
_CALLS = 10

Pass = Callable[[], object]


def random_network(graph: str = DEFAULT_GRAPH) -> ResidualNet:
    """Return a network with seeded random weights that rotate joints by a few degrees."""
    torch.manual_seed(0)
    network = ResidualNet(graph, trimmed=False)
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            assert module.running_var is not None and module.running_mean is not None
            for values in (module.weight, module.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
            for values in (module.bias, module.running_mean):
                torch.nn.init.normal_(values, std=0.1)
    last = network.regressor.layers[1]
    assert isinstance(last, JointLinear)
    torch.nn.init.normal_(last.weight, std=0.02)
    return network.eval()


def trimmed_copy(network: ResidualNet) -> ResidualNet:
    """Return a copy of the network without the convolution taps that two frames never reach."""
    trimmed = ResidualNet(network.graph)
    trimmed.load_state_dict(network.state_dict())
    return trimmed.eval()


def implementations(network: ResidualNet, weights: NetworkWeights, samples: Samples) -> dict[str, Pass]:
    """Return, by name, a function for each implementation that runs one pass over *samples*."""
    arrays = (samples.start_points, samples.target_points, samples.rotations, samples.betas)
    tensors = [torch.tensor(array) for array in arrays]
    trimmed = trimmed_copy(network)
    on_numpy, on_torch = ResidualNetwork(weights), ResidualNetwork(weights, "cpu")
    passes: dict[str, Pass] = {
        UNFOLDED: lambda: network(*tensors).rotations,
        "torch cpu, unfolded, trimmed": lambda: trimmed(*tensors).rotations,
        "torch cpu, folded": lambda: on_torch.predict(*tensors),
        "numpy, folded": lambda: on_numpy.predict(*arrays),
    }
    if torch.cuda.is_available():
        passes |= _on_cuda(network, weights, arrays)
    return passes


def _on_cuda(network: ResidualNet, weights: NetworkWeights, arrays: Sequence[np.ndarray]) -> dict[str, Pass]:
    """Return the implementations on a CUDA GPU; each waits for the GPU and copies the result back."""
    unfolded = ResidualNet(network.graph, trimmed=False)
    unfolded.load_state_dict(network.state_dict())
    unfolded = unfolded.cuda().eval()
    tensors = [torch.tensor(array).cuda() for array in arrays]
    folded = ResidualNetwork(weights, "cuda")
    captured = CapturedNetwork(folded, len(arrays[0]))
    return {
        "torch cuda, unfolded, all taps": lambda: unfolded(*tensors).rotations.cpu(),
        "torch cuda, folded": lambda: folded.predict(*tensors).cpu(),
        "torch cuda, folded, recorded": lambda: captured.predict(*arrays).cpu(),
    }


def median_times(passes: dict[str, Pass], rounds: int) -> dict[str, float]:
    """Return each implementation's median time per call, seconds; the implementations take turns."""
    times: dict[str, list[float]] = {name: [] for name in passes}
    with torch.no_grad():
        for run_pass in passes.values():
            run_pass()
        for _ in range(rounds):
            for name, run_pass in passes.items():
                for _ in range(_CALLS):
                    start = time.perf_counter()
                    run_pass()
                    times[name].append(time.perf_counter() - start)
                    if times[name][-1] > _LONG_CALL_S:
                        break
    return {name: float(np.median(values)) for name, values in times.items()}


def report(network: ResidualNet, weights: NetworkWeights, batches: Sequence[int], rounds: int) -> str:
    """Return the table of times and output differences."""
    lines = [
        f"torch {torch.__version__}, numpy {np.__version__}, {torch.get_num_threads()} torch threads, "
        f"{os.cpu_count()} cores, graph {network.graph}, median of {rounds} rounds"
    ]
    for batch in batches:
        passes = implementations(network, weights, draw_samples(batch))
        seconds = median_times(passes, rounds)
        with torch.no_grad():
            outputs = {name: np.asarray(run_pass())[:, :22] for name, run_pass in passes.items()}
        lines.append(f"batch {batch:<25} ms per call us per sample   times faster   largest difference")
        for name, value in seconds.items():
            difference = np.abs(outputs[name] - outputs[UNFOLDED]).max()
            lines.append(
                f"  {name:<29} {1e3 * value:9.3f} {1e6 * value / batch:13.1f} {seconds[UNFOLDED] / value:14.2f}"
                f" {difference:20.1e}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.benchmark_network", description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="checkpoint (default: random weights)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 1024], help="samples per call")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, help="torch's threads; for NumPy's, set OPENBLAS_NUM_THREADS")
    options = parser.parse_args(arguments)
    return exit_code_of(parser.prog, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.weights:
        stored = load_network(options.weights)[0]
        network = ResidualNet(stored.graph, trimmed=False)
        network.load_state_dict(stored.state_dict())
        network.eval()
    else:
        network = random_network()
    weights = fold_network(network, NetworkInfo(network.graph, "", ""))
    print(report(network, weights, options.batches, options.rounds))


if __name__ == "__main__":
    sys.exit(main())
