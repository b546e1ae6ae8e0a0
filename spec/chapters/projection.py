"""Chapter PROJ: hidden states of proj_size features."""

from __future__ import annotations

from ..clause import Chapter, Clause

CHAPTER = Chapter(
    "PROJ",
    "Projections",
    "Hidden states of proj_size features.",
    (
        Clause(
            id="PROJ-1",
            title="Projected hidden state",
            text="With proj_size > 0 the hidden state is multiplied by weight_hr.",
            equation="h_t = W_hr (o_t * tanh(c_t))",
            sources=("projection", "projection-matrix", "projection-paper", "proj_size"),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="PROJ-2",
            title="Unprojected cell state",
            text="The cell state is not projected.",
            sources=("letters", "c_n"),
            builds_on=("EQ-5",),
        ),
        Clause(
            id="PROJ-3",
            title="Projected recurrence",
            text="The next step reads the projected hidden state.",
            sources=("projection-size", "symbols"),
            builds_on=("PROJ-1", "PROJ-2"),
        ),
        Clause(
            id="PROJ-4",
            title="Projection in every layer and direction",
            text=(
                "Each layer and direction has a projection of its own, and the layer "
                "above reads what is projected."
            ),
            sources=("projection-matrix", "projection-output", "weight_ih-projection"),
            builds_on=("PROJ-3", "DIR-4", "STACK-1"),
        ),
    ),
)
