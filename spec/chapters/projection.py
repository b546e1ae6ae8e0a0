"""Chapter PROJ: hidden states of proj_size features."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

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
            sources=(
                "projection",
                "projection-cell",
                "projection-matrix",
                "projection-paper",
                "proj_size",
            ),
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
            erratum=Erratum(
                "The paragraph on projections can be read as if only what a layer puts out was "
                "projected, and as if only W_hi had other dimensions.",
                "Every step projects, the next step reads what is projected, and W_hi, W_hf, W_hg "
                "and W_ho all have proj_size columns.",
                ("pytorch#139582",),
            ),
            builds_on=("PROJ-1", "PROJ-2"),
        ),
        Clause(
            id="PROJ-4",
            title="Projection in every layer and direction",
            text=(
                "Each layer and direction has a projection of its own, and the layer "
                "above reads what is projected."
            ),
            sources=(
                "projection-matrix",
                "projection-output",
                "projection-sections",
                "weight_ih-projection",
            ),
            erratum=Erratum(
                "Earlier versions gave weight_ih of the layers above num_directions * hidden_size "
                "columns, with projections too.",
                "It has num_directions * proj_size columns, the features of what is read.",
                ("pytorch#65053",),
            ),
            builds_on=("PROJ-3", "DIR-4", "STACK-1"),
        ),
    ),
)
