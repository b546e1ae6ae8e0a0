"""Chapter SIZE: small and large sizes."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "SIZE",
    "Sizes",
    "Small and large sizes: results are right for all of them.",
    (
        Clause(
            id="SIZE-1",
            title="Every size, forward",
            text=(
                "output, h_n and c_n are right for every sequence length, number of rows, "
                "input_size, hidden_size, proj_size and num_layers, large or small, a multiple of "
                "something or not."
            ),
            sources=("each-step",),
            builds_on=("COMB-1",),
        ),
        Clause(
            id="SIZE-2",
            title="Every size, gradients",
            text="Every gradient is right for all of these sizes.",
            sources=("each-step",),
            # Where gradients vanish over many steps, they become denormal numbers.
            builds_on=("SIZE-1", "COMB-2", "GRAD-12", "EDGE-11"),
            needs=("gradients",),
        ),
        Clause(
            id="SIZE-3",
            title="Sizes together",
            text="Outputs and gradients are right if two or more sizes are large, in any pairs.",
            sources=("each-step",),
            builds_on=("SIZE-1", "SIZE-2"),
        ),
    ),
)
