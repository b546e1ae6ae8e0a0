"""Chapter STATE: the states before the first step and after the last."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "STATE",
    "States",
    "The states before the first step and after the last.",
    (
        Clause(
            id="STATE-1",
            title="Default states",
            text=(
                "Without given states every layer and direction starts from zeros, at every call."
            ),
            equation="h_0 = c_0 = 0",
            sources=("h_0-default", "c_0-default", "s-default-states"),
            builds_on=("EQ-4", "STACK-1", "DIR-4"),
        ),
        Clause(
            id="STATE-2",
            title="Given states",
            text="Given h_0 and c_0 are the states before the first step.",
            sources=("symbols", "h_0", "c_0"),
            builds_on=("EQ-4",),
        ),
        Clause(
            id="STATE-3",
            title="Order of given states",
            text=(
                "Each layer and direction starts from its own row of h_0 and c_0, in layer-"
                "major order."
            ),
            equation="row = D * layer + direction",
            sources=("h_0", "c_0", "direction-numbers"),
            builds_on=("STATE-1", "STATE-2"),
        ),
        Clause(
            id="STATE-4",
            title="Order of final states",
            text=(
                "h_n and c_n hold the final state of each layer and direction, in layer-major"
                " order."
            ),
            equation="row = D * layer + direction",
            sources=("h_n", "c_n", "direction-numbers"),
            builds_on=("STACK-1", "DIR-4"),
        ),
    ),
)
