"""Chapter GRAD: the derivative of every result with respect to every argument."""

from __future__ import annotations

from ..clause import Chapter, Clause

_FORWARD = ("EQ-4", "EQ-5", "STACK-1", "DIR-4", "PROJ-4", "STATE-3", "STATE-4", "SHAPE-5")
_GRADIENTS = tuple(f"GRAD-{number}" for number in range(1, 8))
_ALL = ("GRAD-10", "GRAD-11")

CHAPTER = Chapter(
    "GRAD",
    "Gradients",
    "The derivative of every result with respect to every argument.",
    (
        Clause(
            id="GRAD-1",
            title="Gradient of the input",
            text=("The gradient of the input is that of the equations; padding has gradient zero."),
            equation="dx_t = W_ih^T da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-2",
            title="Gradient of h_0",
            text="The gradient of h_0 is that of the equations.",
            equation="dh_{t-1} = W_hh^T da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-3",
            title="Gradient of c_0",
            text="The gradient of c_0 is that of the equations.",
            equation="dc_{t-1} = f_t * dc_t",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-4",
            title="Gradient of weight_ih",
            text=(
                "The gradient of weight_ih is that of the equations, in every layer and direction."
            ),
            equation="dW_ih = sum_t da_t x_t^T",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-5",
            title="Gradient of weight_hh",
            text=(
                "The gradient of weight_hh is that of the equations, in every layer and direction."
            ),
            equation="dW_hh = sum_t da_t h_{t-1}^T",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-6",
            title="Gradients of the biases",
            text="The gradients of bias_ih and bias_hh are that of the equations, and equal.",
            equation="db_ih = db_hh = sum_t da_t",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-7",
            title="Gradient of weight_hr",
            text=(
                "The gradient of weight_hr is that of the equations, in every layer and direction."
            ),
            equation="dW_hr = sum_t dh_t (o_t * tanh(c_t))^T",
            sources=("each-step",),
            builds_on=_FORWARD,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-8",
            title="Cotangent of h_n",
            text="All gradients are right if only h_n has a cotangent.",
            sources=("each-step",),
            builds_on=_GRADIENTS,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-9",
            title="Cotangent of c_n",
            text="All gradients are right if only c_n has a cotangent.",
            sources=("each-step",),
            builds_on=_GRADIENTS,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-10",
            title="Cotangents together",
            text="Gradients add up if output, h_n and c_n have cotangents together.",
            sources=("each-step",),
            builds_on=(*_GRADIENTS, "GRAD-8", "GRAD-9"),
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-11",
            title="Gradients of packed rows",
            text=(
                "Gradients of packed sequences are those of their rows one by one; what "
                "lies behind a row's length has gradient zero."
            ),
            sources=("each-step",),
            builds_on=("GRAD-10", "PACK-2", "PACK-3"),
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-12",
            title="Some arguments",
            text=(
                "Gradients can be asked for of any arguments: they are the same as if all were "
                "asked for, and the other arguments get none. What requires a gradient may change "
                "between two calls."
            ),
            sources=("each-step",),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-13",
            title="Gradients accumulate",
            text="Two forward and backward passes leave twice the gradient in every argument.",
            sources=("each-step",),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-14",
            title="Graph is retained",
            text=(
                "With retain_graph=True further backward passes through the same graph give "
                "the same gradients, and the first one gives the right ones, after other calls "
                "too, with gradients or without. A graph does not need the module: the backward "
                "pass is right after it was deleted."
            ),
            sources=(
                "retain_graph",
                "each-step",
            ),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-15",
            title="Without gradients",
            text=(
                "Under no_grad and inference_mode, and if all is frozen, the values are the same, "
                "and do not require gradients. A module that was made in inference_mode works "
                "there, too."
            ),
            sources=(
                "no_grad",
                "each-step",
            ),
            builds_on=_FORWARD,
            needs=("module",),
        ),
        Clause(
            id="GRAD-16",
            title="Strides of cotangents",
            text=(
                "How a cotangent lies in memory makes no difference: transposed, with gaps "
                "between its elements, expanded along one axis, or one number expanded."
            ),
            sources=("each-step",),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-17",
            title="Gradient of one argument",
            text=(
                "The gradient of a single argument can be had by torch.autograd.grad, which "
                "returns it and accumulates nothing."
            ),
            sources=(
                "autograd-grad",
                "each-step",
            ),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-18",
            title="Cotangent of one element",
            text=(
                "All gradients are right if a single element of output has a cotangent, and "
                "exactly zero for everything that this element does not depend on."
            ),
            sources=("each-step",),
            builds_on=_ALL,
            needs=("gradients",),
        ),
        Clause(
            id="GRAD-19",
            title="Gradients with a graph",
            text="With create_graph=True all gradients are the same.",
            sources=(
                "create_graph",
                "each-step",
            ),
            builds_on=_ALL,
            needs=("module", "gradients"),
        ),
        Clause(
            id="GRAD-20",
            title="Forward mode",
            text=(
                "Forward-mode differentiation, where there is one, tells how output, h_n and "
                "c_n change along a direction in all arguments, under no_grad, too."
            ),
            equation="d output(x + s v) / ds",
            sources=("each-step",),
            builds_on=("GRAD-10",),
            needs=("forward-mode",),
        ),
        Clause(
            id="GRAD-21",
            title="Double backward",
            text=(
                "Gradients of gradients, where there are any, are the second derivatives of the "
                "equations, in all pairs of arguments and with respect to the cotangents. "
                "Parameters may be results of other operations."
            ),
            equation="d grad(x + s v) / ds",
            sources=("each-step",),
            builds_on=("GRAD-10", "GRAD-11", "GRAD-19"),
            needs=("double-backward",),
        ),
    ),
)
