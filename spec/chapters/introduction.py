"""Chapter INTRO: a description of the layer, and the clauses that no test can judge."""

from __future__ import annotations

from ..clause import Chapter, Clause, Erratum

CHAPTER = Chapter(
    "INTRO",
    "Introduction",
    "A description of the layer, and the clauses that no test can judge.",
    (
        Clause(
            id="INTRO-1",
            title="Purpose",
            text=(
                "An LSTM reads a sequence element by element and keeps a state, in which gates "
                "let it remember over many steps."
            ),
            sources=("purpose", "s-purpose"),
            untestable=(
                "Whether something is remembered is a matter of training, not of the layer. That "
                "each element is read, and how the state is kept, is said by chapter EQ."
            ),
        ),
        Clause(
            id="INTRO-2",
            title="Parts",
            text=(
                "The parts are an input, a forget and an output gate, a cell state, and a hidden "
                "state, which is both what a step puts out and what the next step reads."
            ),
            sources=("s-parts", "symbols"),
            untestable="A matter of words: chapter EQ says what each part computes.",
        ),
        Clause(
            id="INTRO-3",
            title="One bias instead of two",
            text=(
                "Other systems, as MATLAB's lstmLayer, have a single bias, in the same order of "
                "gates: it corresponds to the sum of both."
            ),
            sources=("s-matlab",),
            untestable=(
                "It says something of another system. That only the sum of the biases has an "
                "effect is META-7."
            ),
        ),
        Clause(
            id="INTRO-4",
            title="Determinism of cuDNN",
            text="On some versions of CUDA results can differ from run to run, unless a setting "
            "of the environment is made.",
            sources=("cudnn-determinism",),
            untestable=(
                "It permits a difference, and promises nothing. Each result is held to rounding "
                "noise, whichever it is."
            ),
        ),
        Clause(
            id="INTRO-5",
            title="Persistent kernels of cuDNN",
            text="Under certain conditions on device, format and sizes cuDNN has a faster kernel.",
            sources=("cudnn-persistent",),
            untestable=(
                "Which kernel was taken cannot be seen in results. They are held to the same, "
                "whichever it was."
            ),
        ),
        Clause(
            id="INTRO-6",
            title="The projection as an equation",
            text="The projection is written as h_t = W_hr h_t, with h_t on both sides.",
            sources=("projection-matrix", "projection-paper"),
            untestable="A matter of notation: what is meant is tested by PROJ-1 and PROJ-3.",
            erratum=Erratum(
                "Read literally, the equation says that h_t is an eigenvector.",
                "The h_t on the right is o_t * tanh(c_t), the hidden state before projection; "
                "the one on the left takes its place everywhere.",
                ("pytorch#139582",),
            ),
        ),
    ),
)
