"""Every sentence of the two documents, in our own words, and a few of others. Clauses cite them.

``torch.nn.LSTM`` is the documentation of that class (PyTorch 2.3). Implementations are judged
against it. The *introduction* is a page in Chinese that describes the LSTM layer. It is based on
that documentation and on its Chinese translation. *PyTorch* is what the documentation of PyTorch
2.3 says of every module and function, as far as clauses rest on it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INTRODUCTION", "PYTORCH", "STATEMENTS", "TORCH", "Statement"]

TORCH, INTRODUCTION, PYTORCH = "torch.nn.LSTM", "introduction", "PyTorch"


@dataclass(frozen=True)
class Statement:
    """One sentence of a document.

    Attributes:
        id: the id that clauses cite.
        document: ``TORCH``, ``INTRODUCTION`` or ``PYTORCH``.
        section: the section of the document; of ``PYTORCH``, the page.
        says: the sentence, in our own words.
        anchor: a few characters of the sentence in ``torch.nn.LSTM.__doc__``. They are enough to
            find it, and to notice an added sentence. Empty for the other documents.
    """

    id: str
    document: str
    section: str
    says: str
    anchor: str = ""


def _of_torch(section: str, *rows: tuple[str, str, str]) -> list[Statement]:
    return [Statement(name, TORCH, section, says, anchor) for name, anchor, says in rows]


def _of_introduction(*rows: tuple[str, str]) -> list[Statement]:
    return [Statement(name, INTRODUCTION, "", says) for name, says in rows]


def _of_pytorch(*rows: tuple[str, str, str]) -> list[Statement]:
    return [Statement(name, PYTORCH, page, says) for name, page, says in rows]


_ALL = (
    *_of_torch(
        "Signature",
        ("signature", "__init__(", "the constructor's arguments, their order and defaults"),
    ),
    *_of_torch(
        "Equations",
        ("purpose", "Apply a multi-layer", "an LSTM of several layers reads a sequence"),
        ("each-step", "For each element", "every layer computes the equations at every step"),
        ("gate-i", r"i_t = \sigma", "the input gate is a sigmoid"),
        ("gate-f", r"f_t = \sigma", "the forget gate is a sigmoid"),
        ("gate-g", r"g_t = \tanh", "the candidate is a tanh"),
        ("gate-o", r"o_t = \sigma", "the output gate is a sigmoid"),
        ("cell", r"c_t = f_t \odot", "the cell state is made of the last one and the candidate"),
        ("hidden", r"h_t = o_t \odot", "the hidden state is the output gate on tanh of the cell"),
        ("symbols", "where :math:`h_t` is", "what the symbols mean; h before the first step"),
        ("functions", r":math:`\sigma` is", "sigma is the sigmoid, the circle elementwise"),
        ("multilayer", "In a multilayer LSTM", "upper layers read the hidden state below, dropped"),
        ("projection", "If ``proj_size > 0`` is specified", "a projection changes the cell"),
        ("projection-cell", "This changes the LSTM cell", "in two ways, which follow"),
        ("projection-size", "First, the dimension", "h has proj_size features, W_h* as many"),
        ("projection-matrix", "Second, the output hidden", "h is multiplied by W_hr"),
        ("projection-output", "Note that as a consequence", "the output has another shape too"),
        ("projection-sections", "See Inputs/Outputs sections below for exact", "a reference"),
        ("projection-paper", "You can find more details", "the paper on projections"),
    ),
    *_of_torch(
        "Args",
        ("input_size", "input_size: The number", "the features of the input"),
        ("hidden_size", "hidden_size: The number", "the features of the hidden state"),
        ("num_layers", "num_layers: Number of", "the number of layers; 1 unless given"),
        ("num_layers-stack", "E.g., setting ``num_layers=2``", "each reads the one below"),
        ("bias", "bias: If ``False``", "without it there are no biases; True unless given"),
        ("batch_first", "batch_first: If ``True``", "the batch is the first axis"),
        ("batch_first-states", "Note that this does not apply", "states keep their axes"),
        ("batch_first-more", "See the Inputs/Outputs sections below for details", "a reference"),
        ("dropout", "dropout: If non-zero", "a dropout layer behind every layer but the last"),
        ("bidirectional", "bidirectional: If ``True``", "two directions"),
        ("proj_size", "proj_size: If ``> 0``", "projections; 0, none, unless given"),
    ),
    *_of_torch(
        "Inputs",
        ("inputs", "Inputs: input, (h_0, c_0)", "the states are a pair, and may be left out"),
        ("input", "**input**: tensor", "the three layouts of the input"),
        ("input-packed", "The input can also be", "it may be a packed sequence"),
        ("input-packing", "See :func:`torch.nn.utils.rnn.pack_padded", "how one is made"),
        ("h_0", "**h_0**: tensor", "the shape of the initial hidden states"),
        ("h_0-default", "initial hidden state for each element", "zeros unless given"),
        ("c_0", "**c_0**: tensor", "the shape of the initial cell states"),
        ("c_0-default", "initial cell state for each element", "zeros unless given"),
        ("letters", "N ={} & \\text{batch size}", "what the letters of the shapes stand for"),
    ),
    *_of_torch(
        "Outputs",
        ("outputs", "Outputs: output, (h_n, c_n)", "the result is output and a pair of states"),
        ("output", "**output**: tensor", "the shape of output: h_t of the last layer, every t"),
        ("output-packed", "If a :class:`torch.nn.utils.rnn.Packed", "packed in, packed out"),
        ("output-directions", "When ``bidirectional=True``, `output`", "directions side by side"),
        ("h_n", "**h_n**: tensor", "the shape of the final hidden states"),
        ("h_n-directions", "`h_n` will contain a concatenation", "forward and reverse, both final"),
        ("c_n", "**c_n**: tensor", "the shape of the final cell states"),
        ("c_n-directions", "`c_n` will contain a concatenation", "forward and reverse, both final"),
    ),
    *_of_torch(
        "Attributes",
        ("weight_ih", "weight_ih_l[k] : the", "input weights: order of gates, shape in layer 0"),
        ("weight_ih-above", "Otherwise, the shape is", "their shape in the layers above"),
        ("weight_ih-projection", "num_directions * proj_size)", "the same with projections"),
        ("weight_hh", "weight_hh_l[k] : the", "hidden weights: order of gates, shape"),
        ("weight_hh-projection", "`(4*hidden_size, proj_size)`", "the same with projections"),
        ("bias_ih", "bias_ih_l[k] : the", "input biases: order of gates, shape"),
        ("bias_hh", "bias_hh_l[k] : the", "hidden biases: order of gates, shape"),
        ("weight_hr", "weight_hr_l[k] : the", "projection weights: shape"),
        ("weight_hr-presence", "present when ``proj_size > 0`` was", "only with projections"),
        ("reverse-weight_ih", "weight_ih_l[k]_reverse:", "the same for the reverse direction"),
        ("reverse-weight_hh", "weight_hh_l[k]_reverse:", "the same for the reverse direction"),
        ("reverse-bias_ih", "bias_ih_l[k]_reverse:", "the same for the reverse direction"),
        ("reverse-bias_hh", "bias_hh_l[k]_reverse:", "the same for the reverse direction"),
        ("reverse-weight_hr", "weight_hr_l[k]_reverse:", "the same for the reverse direction"),
        (
            "reverse-presence",
            "Only present when ``bidirectional=True``.",
            "only with two directions",
        ),
        (
            "reverse-weight_hr-presence",
            "Only present when ``bidirectional=True`` and",
            "only with both",
        ),
    ),
    *_of_torch(
        "Notes",
        ("initialisation", "All the weights and biases are", "uniform in +-1/sqrt(hidden_size)"),
        ("direction-numbers", "forward and backward are directions", "forward is 0, backward 1"),
        ("direction-split", "Example of splitting", "how output splits into directions"),
        ("h_n-not-last", "`h_n` is not equivalent", "h_n is not the last element of output"),
        ("batch_first-unbatched", "argument is ignored for", "no batch_first without a batch"),
        ("proj_size-limit", "``proj_size`` should be smaller", "smaller than hidden_size"),
        ("cudnn-determinism", "cudnn_rnn_determinism", "cuDNN may be non-deterministic"),
        ("cudnn-persistent", "cudnn_persistent_rnn", "when cuDNN takes a persistent kernel"),
        ("example", ">>> rnn = nn.LSTM(10, 20, 2)", "an example of construction and call"),
    ),
    *_of_introduction(
        ("s-purpose", "a sequence is read element by element, with gates for long dependencies"),
        ("s-parts", "h_t is both this step's output and what the next step reads"),
        ("s-signature", "the signature, proj_size, device and dtype included"),
        ("s-equations", "the equations, with h_t of the layer below as the input of a layer"),
        ("s-nonlinearity", "nonlinearity is listed as a parameter"),
        ("s-bias", "without bias there are no biases"),
        ("s-batch_first", "input and output have the batch first"),
        ("s-dropout", "a dropout layer behind every layer but the last"),
        ("s-bidirectional", "two directions"),
        ("s-input", "the input is (L, N, H_in), or (N, L, H_in)"),
        ("s-states", "both states, initial and final, have hidden_size features"),
        ("s-output", "output has the last layer's h_t for every t, directions side by side"),
        ("s-default-states", "states are zeros unless given"),
        ("s-device-dtype", "device and dtype: where parameters live, and their type"),
        ("s-matlab", "MATLAB's lstmLayer is the same layer: one bias, gates i, f, g, o"),
    ),
    *_of_pytorch(
        ("module-mode", "torch.nn.Module", "train() and eval() set the mode, which dropout heeds"),
        ("module-to", "torch.nn.Module", "to() moves and converts the parameters"),
        ("forward-hooks", "torch.nn.Module", "hooks run before and after each call of forward()"),
        (
            "backward-hooks",
            "torch.nn.Module",
            "full backward hooks run when gradients are computed",
        ),
        ("module-to_empty", "torch.nn.Module", "to_empty() moves parameters without their values"),
        ("module-pickle", "Saving and Loading Models", "a whole module is saved with pickle"),
        ("retain_graph", "torch.autograd.backward", "the graph is kept if retain_graph is true"),
        ("create_graph", "torch.autograd.backward", "gradients have a graph if create_graph is"),
        ("autograd-grad", "torch.autograd.grad", "gradients of chosen inputs are returned"),
        ("in-place", "Autograd mechanics", "what was saved and then changed in place raises"),
        ("threads", "Autograd mechanics", "several threads may call and train one module"),
        ("functional_call", "torch.func.functional_call", "a call uses parameters it is given"),
        ("parametrize", "torch.nn.utils.parametrize", "any module's parameters may be computed"),
        ("prune", "torch.nn.utils.prune", "any module's parameters may be masked"),
        ("no_grad", "torch.no_grad, torch.inference_mode", "results require no gradient"),
        ("backward-cotangents", "Extending PyTorch", "backward never changes its cotangents"),
        (
            "float32-products",
            "torch.set_float32_matmul_precision",
            "products of float32 may be less exact where a program allows it",
        ),
        ("manual_seed", "Reproducibility", "manual_seed seeds the generators of all devices"),
    ),
)

STATEMENTS: dict[str, Statement] = {statement.id: statement for statement in _ALL}
