"""How far correct implementations really are from the reference, in units of rounding noise.

``python -m meta_tests.calibrate FOLDER`` judges ``torch.nn.LSTM`` and every correct rewrite on
random cases, and writes the histogram of the largest ratio of each case, by dtype, to
``calibration.json`` and ``calibration.md``. The threshold of the judge rests on these figures.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase
from tabulate import tabulate

from lstm_conformance.judge import INCONCLUSIVE, PASS, THRESHOLD
from lstm_conformance.results_file import write_results, write_text
from lstm_conformance.rules import close
from lstm_conformance.spec.case import OUTPUTS, Case
from lstm_conformance.spec.strategies import Domain, cases
from lstm_conformance.target import load
from lstm_conformance.trial import Trial

REWRITES = (
    "SigmoidByTanh",
    "ExponentialGates",
    "ConcatenatedProduct",
    "SummedFromTheEnd",
    "Float64Inside",
    "RecomputedInBackward",
)
DTYPES = ("float64", "float32")
EDGES = (0, 1, 2, 3, 5, 10, 20, THRESHOLD, np.inf)
_CHUNK = 500


def main() -> int:
    """Measures, writes, and fails if a correct implementation was flagged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=10_000, help="for each implementation")
    parser.add_argument("-n", type=int, default=2, help="processes")
    options = parser.parse_args()
    rewrites = Path(__file__).parent / "implementations" / "correct.py"
    targets = ["torch.nn:LSTM", *(f"{rewrites}:{name}" for name in REWRITES)]
    jobs = [
        (target, dtype, seed)
        for target in targets
        for dtype in DTYPES
        for seed in range(max(1, options.cases // len(DTYPES) // _CHUNK))
    ]
    with ProcessPoolExecutor(options.n) as pool:
        measured = list(pool.map(_measure, *zip(*jobs, strict=True)))
    results = _summarised(jobs, measured)
    write_results(options.folder / "calibration.json", results)
    write_text(options.folder / "calibration.md", _page(results))
    print(_page(results))
    return int(any(row["false_alarms"] for row in results["rows"]))


def _measure(target: str, dtype: str, seed: int) -> list[tuple[float, str, str]]:
    """Largest ratio, its verdict, and the line of each of ``_CHUNK`` cases."""
    implementation = load(target)
    found: list[tuple[float, str, str]] = []
    rule = close()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=_CHUNK,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases(Domain(dtype=(dtype,), cotangents=(OUTPUTS,))))
    def measure(case: Case) -> None:
        findings = rule(Trial(case, implementation))
        worst = max(findings, key=lambda finding: finding.ratio or 0.0)
        found.append((worst.ratio or 0.0, worst.verdict, str(case)))

    measure()
    return found


def _summarised(
    jobs: list[tuple[str, str, int]], measured: list[list[tuple[float, str, str]]]
) -> dict[str, Any]:
    of_row: dict[tuple[str, str], list[tuple[float, str, str]]] = {}
    for (target, dtype, _), found in zip(jobs, measured, strict=True):
        of_row.setdefault((target.rpartition("/")[2], dtype), []).extend(found)
    rows = []
    for (target, dtype), found in of_row.items():
        verdicts = Counter(verdict for _, verdict, _ in found)
        ratios = [ratio for ratio, verdict, _ in found if verdict != INCONCLUSIVE]
        worst = max(found, key=lambda item: item[0] if item[1] != INCONCLUSIVE else 0.0)
        rows.append(
            {
                "implementation": target,
                "dtype": dtype,
                "cases": len(found),
                "histogram": np.histogram(np.minimum(ratios, 1e99), EDGES)[0].tolist(),
                "largest_ratio": worst[0],
                "largest_in": worst[2],
                "inconclusive": verdicts[INCONCLUSIVE],
                "false_alarms": len(found) - verdicts[PASS] - verdicts[INCONCLUSIVE],
            }
        )
    return {"edges": [edge for edge in EDGES if edge < np.inf], "rows": rows}


def _page(results: dict[str, Any]) -> str:
    edges = results["edges"]
    bins = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    headers = [
        "implementation", "dtype", "cases", *bins, f"over {edges[-1]:g}",
        "largest", "inconclusive", "false alarms",
    ]  # fmt: skip
    rows = [
        [
            row["implementation"],
            row["dtype"],
            row["cases"],
            *row["histogram"],
            f"{row['largest_ratio']:.2f}",
            row["inconclusive"],
            row["false_alarms"],
        ]
        for row in results["rows"]
    ]
    total = sum(row["cases"] for row in results["rows"])
    alarms = sum(row["false_alarms"] for row in results["rows"])
    return (
        "# Calibration\n\n"
        "Correct implementations on random cases: how many cases have which largest ratio of "
        "error to rounding noise, over all elements of outputs and gradients. The judge fails "
        f"a case at a ratio over {THRESHOLD:g}.\n\n"
        f"{total} cases, {alarms} false alarms. Made by `tox -e calibrate`.\n\n"
        f"{tabulate(rows, headers, 'pipe')}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
