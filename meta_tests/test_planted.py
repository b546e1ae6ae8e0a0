"""Each clause has a defect that breaks it, and is killed by the tests of that clause alone.

Defects are the classes of the files ``implementations/defective_*.py``; ``BREAKS`` in each file
says which clause a class breaks. Those of ``defective_adapters.py`` are implementations
themselves, the others are called like ``torch.nn.LSTM``.
"""

from __future__ import annotations

import pytest

from lstm_conformance.adapters import REGISTRY
from lstm_conformance.spec.clauses import TESTABLE
from lstm_conformance.target import load

from .command_line import IMPLEMENTATIONS
from .in_process import judge

pytest.importorskip("torch")


def planted() -> dict[str, str]:
    """Target of each defect to the clause that it breaks."""
    found = {}
    for path in sorted(IMPLEMENTATIONS.glob("defective_*.py")):
        text = path.read_text("utf-8")
        table = text[text.index("BREAKS = {") : text.index("}", text.index("BREAKS = {"))]
        for line in table.splitlines()[1:]:
            name, clause = (word.strip(' ",') for word in line.split(":"))
            found[f"{path}:{name}"] = clause
    return found


PLANTED = planted()


@pytest.mark.parametrize(
    ("target", "clause"),
    PLANTED.items(),
    ids=[f"{clause}-{target.rpartition(':')[2]}" for target, clause in PLANTED.items()],
)
def test_defect_is_killed_by_its_clause(
    target: str, clause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "defective_adapters" in target:
        monkeypatch.setitem(REGISTRY, "planted", target)
        target = "planted"
    records = judge(load(target), clause)
    assert any(record.failures for record in records)


def test_every_clause_has_a_defect() -> None:
    assert set(PLANTED.values()) == set(TESTABLE)


@pytest.mark.parametrize(
    "path", sorted(IMPLEMENTATIONS.glob("defective_*.py")), ids=lambda p: p.stem
)
def test_every_defect_is_tried(path: object) -> None:
    lines = path.read_text("utf-8").splitlines()  # type: ignore[attr-defined]
    classes = {line[6 : line.index("(")] for line in lines if line.startswith("class ")}
    tried = {t.rpartition(":")[2] for t in PLANTED if t.startswith(f"{path}:")}
    assert classes == tried
