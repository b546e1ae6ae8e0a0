"""Chapter STACK: layers on top of each other."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "STACK",
    "Stacked layers",
    "Layers on top of each other.",
    (
        Clause(
            id="STACK-1",
            title="Stacked layers",
            text="The input of each layer above the first is the output of the layer below.",
            equation="x_t^(l) = h_t^(l-1)",
            sources=("num_layers-stack", "multilayer", "num_layers", "s-equations"),
            builds_on=("EQ-5",),
        ),
    ),
)
