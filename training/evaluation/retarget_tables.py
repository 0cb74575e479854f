"""Print metrics of retargeting: mean, median and worst value, with the case of the worst."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_MORE_IS_BETTER = frozenset(
    "sole_mm lowest_mm reached named_roles named_limbs nameless_roles nameless_limbs is_restored".split()
)


def print_table(rows: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print each metric of *rows*: values by method, case ("RIG CLIP") and metric. What is not finite is left out."""
    print(f"{'':<16} {'':<6} {'mean':>9} {'median':>9} {'worst':>9}")
    metrics = dict.fromkeys(name for by_case in rows.values() for values in by_case.values() for name in values)
    for metric in metrics:
        for method, by_case in rows.items():
            found = {
                case: values[metric] for case, values in by_case.items() if np.isfinite(values.get(metric, np.nan))
            }
            if not found:
                continue
            values = np.array(list(found.values()))
            worst = (min if metric in _MORE_IS_BETTER else max)(found, key=found.__getitem__)
            numbers = f"{values.mean():>9.2f} {np.median(values):>9.2f} {found[worst]:>9.2f}"
            print(f"{metric:<16} {method:<6} {numbers}  {worst}", flush=True)
