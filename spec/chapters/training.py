"""Chapter TRAIN: what programs that train an LSTM do with it."""

from __future__ import annotations

from ..clause import Chapter, Clause

# Clauses that the clauses of this chapter build on.
_GRADIENTS = ("COMB-2",)

CHAPTER = Chapter(
    "TRAIN",
    "Training",
    "What programs that train an LSTM do with it, its parameters and its gradients.",
    (
        # ------------------------------------------------------------------- parameters
        Clause(
            id="TRAIN-1",
            title="Memory layout of the parameters",
            text=(
                "Results and gradients are right wherever the elements of the parameters lie: "
                "transposed, with gaps between numbers or rows, behind other numbers, expanded, or "
                "all in one buffer."
            ),
            sources=("each-step", "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"),
            builds_on=(*_GRADIENTS, "PARAM-21"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-2",
            title="Tied parameters",
            text=(
                "If one parameter stands in several places of the module, or in two modules, or if "
                "one tensor is given as both states, results are right, and its gradient is the "
                "sum over these places."
            ),
            sources=("each-step",),
            builds_on=(*_GRADIENTS, "GRAD-13", "PARAM-23"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-3",
            title="Computed parameters",
            text=(
                "Parameters can be computed from others, by torch.nn.utils.parametrize or by "
                "pruning: each call uses what is computed then, with gradients or without, and "
                "gradients reach the originals."
            ),
            sources=("parametrize", "prune"),
            builds_on=(*_GRADIENTS, "PARAM-20"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-4",
            title="Parameters given to a call",
            text=(
                "torch.func.functional_call uses the parameters that it is given, whose gradients "
                "are right. The module's own stay as they are, and get no gradient. A call under "
                "no_grad uses what it is given, too."
            ),
            sources=("functional_call",),
            builds_on=_GRADIENTS,
            needs=("module", "gradients"),
        ),
        # ------------------------------------------------------------------- cotangents
        Clause(
            id="TRAIN-5",
            title="Scaled cotangents",
            text=(
                "Cotangents that are scaled by 2^-40, 2^-16 or 2^16, as by a mean or in mixed "
                "precision, give gradients that are scaled as they are. Those of some rows may be "
                "scaled, too."
            ),
            equation="grad(s v) = s grad(v)",
            sources=("each-step",),
            builds_on=_GRADIENTS,
            needs=("gradients",),
        ),
        Clause(
            id="TRAIN-6",
            title="Cotangents that are not finite",
            text=(
                "NaN or an infinity in one element of a cotangent shows: no gradient that this "
                "element changes is finite."
            ),
            sources=("each-step",),
            builds_on=(*_GRADIENTS, "GRAD-18"),
            needs=("gradients",),
        ),
        Clause(
            id="TRAIN-12",
            title="Zeros in cotangents",
            text=(
                "Gradients are right if the cotangent of output is zero in the last steps, in the "
                "first steps, in every second row or everywhere, and those of h_n and c_n are not."
            ),
            sources=("each-step",),
            builds_on=_GRADIENTS,
            needs=("gradients",),
        ),
        Clause(
            id="TRAIN-7",
            title="Other cotangents",
            text=(
                "With retain_graph=True a second backward pass through the same graph, with other "
                "cotangents, gives the gradients of these."
            ),
            sources=("retain_graph",),
            builds_on=("GRAD-14",),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-8",
            title="Overwritten before the backward pass",
            text=(
                "If an argument, a parameter or a result is overwritten in place between the call "
                "and the backward pass, that raises, or gives the gradients of the call as it was."
            ),
            sources=("in-place",),
            builds_on=_GRADIENTS,
            needs=("module", "gradients"),
        ),
        # ------------------------------------------------------------------------ loops
        Clause(
            id="TRAIN-9",
            title="A training loop",
            text=(
                "Results and gradients are right in each step of a loop that trains, makes a step "
                "of the optimizer, evaluates without gradients, and trains again, also while "
                "torch looks for anomalies, and by torch.utils.checkpoint."
            ),
            sources=("each-step", "module-mode", "no_grad"),
            builds_on=(*_GRADIENTS, "GRAD-15", "PARAM-20"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-13",
            title="States handed on",
            text=(
                "If a second call gets the states that a first one returned, gradients of what it "
                "returns flow back through them: results and gradients are as in one call, also if "
                "each step is a call. A program may change the states in place between the calls, "
                "without gradients."
            ),
            sources=("each-step", "h_0", "c_0", "h_n", "c_n"),
            builds_on=(*_GRADIENTS, "META-1"),
            needs=("module", "gradients", "states"),
        ),
        Clause(
            id="TRAIN-10",
            title="Two threads",
            text=(
                "Two threads that use one module at the same time both get right results, with "
                "gradients and without. A backward pass may be in another thread than the call, "
                "and torch may use several threads."
            ),
            sources=("threads",),
            builds_on=(*_GRADIENTS, "PURE-7"),
            needs=("module", "gradients"),
        ),
        Clause(
            id="TRAIN-14",
            title="Hooks",
            text=(
                "A call runs each forward hook and each forward pre-hook of the module once, and "
                "what a hook returns takes the place of the result. A backward pass runs each full "
                "backward hook once, with the gradient of the input and the cotangent of output."
            ),
            sources=("forward-hooks", "backward-hooks"),
            builds_on=("EQ-4",),
            kind="interface",
            needs=("module",),
        ),
        Clause(
            id="TRAIN-11",
            title="Memory of many calls",
            text="Calls and backward passes leave nothing behind: 20 keep no more tensors than 10.",
            sources=("each-step",),
            level="SHOULD",
            kind="side effects",
            needs=("module", "gradients"),
        ),
    ),
)
