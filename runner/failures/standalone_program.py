"""Writes programs that show a failure with torch and numpy alone."""

from __future__ import annotations

from pathlib import Path

from ...adapters.target import name_of_object
from ...reports.results import FindingResult, FoundFailure
from ...spec.case import Case

__all__ = ["standalone_program"]

# Name of each adapter that is torch.nn.LSTM itself, to the statements that it needs first.
_TORCH: dict[str, list[str]] = {
    "torch": [],
    "torch-onednn-off": ["torch.backends.mkldnn.enabled = False"],
}

_DRAW = '''\
def draw(name, *shape):
    """Uniform in [-1, 1): the values of the failing case."""
    stream = np.random.PCG64(np.random.SeedSequence([{seed}, zlib.crc32(name.encode())]))
    bits = stream.random_raw(int(np.prod(shape, dtype=int)))
    values = ((bits >> np.uint64(11)) * 2.0**-52 - 1.0).reshape(shape)
    return torch.tensor(values, dtype=torch.float64)


def tensor(name, scale, *shape):
    return (scale * draw(name, *shape)).to({dtype}).to({device!r})
'''


def standalone_program(failure: FoundFailure, target: str) -> str:
    """A program that runs the failing case and prints the observed and the expected value.

    It is empty if the implementation is not a class that a program can import, or if the case
    alone does not show the failure.

    Args:
        failure: as in the results.
        target: as on the command line.
    """
    if not failure["plain"] or not _can_be_written(target):
        return ""
    case, finding = Case.parse(failure["case"]), failure["finding"]
    lines = ["import zlib", "", "import numpy as np", "import torch", *_import(target), "", ""]
    lines += [_DRAW.format(seed=case.seed, dtype=f"torch.{case.dtype}", device=case.device), ""]
    lines += _construct(case)
    lines += _call(case)
    if case.cotangents:
        lines += _backward(case)
    lines += ["", *_show(case, finding, failure["exception"])]
    return "\n".join(lines) + "\n"


def _can_be_written(target: str) -> bool:
    """Whether ``target`` is a class to import or to define, or ``torch.nn.LSTM``."""
    if name_of_object(target) is not None:
        return True
    return target in _TORCH or (":" in target and not target.startswith("--"))


def _import(target: str) -> list[str]:
    own = name_of_object(target)
    if own is not None:
        is_name = all(part.isidentifier() for part in own.split("."))
        return [
            "",
            "# Import or define here what is judged.",
            f"LSTM = {own if is_name else '...'}",
        ]
    module, _, attribute = target.rpartition(":")
    if not module:  # the name of an adapter
        return ["", *_TORCH[target], "LSTM = torch.nn.LSTM"]
    head, *rest = attribute.split(".")
    lines = [""]
    if module.endswith(".py"):
        path = Path(module)
        lines += ["import sys", "", f"sys.path.insert(0, {str(path.parent)!r})"]
        module = path.stem
    if not all(part.isidentifier() for part in module.split(".")):
        lines += ["import importlib", ""]
        return [*lines, f"LSTM = importlib.import_module({module!r}).{attribute}"]
    lines.append(f"from {module} import {head}")
    return lines if attribute == "LSTM" else [*lines, "", f"LSTM = {'.'.join([head, *rest])}"]


def _construct(case: Case) -> list[str]:
    config = case.config
    mode = "train" if case.training else "eval"
    return [
        f"torch.manual_seed({case.seed})",
        "lstm = LSTM(",
        f"    {config.input_size}, {config.hidden_size}, num_layers={config.num_layers}, "
        f"bias={config.bias},",
        f"    batch_first={config.batch_first}, dropout={config.dropout}, "
        f"bidirectional={config.bidirectional},",
        f"    proj_size={config.proj_size}, device={case.device!r}, dtype=torch.{case.dtype},",
        f").{mode}()",
        "with torch.no_grad():",
        "    for name, parameter in lstm.named_parameters():",
        f"        parameter.copy_(tensor(name, {case.scale('weight_ih_l0')!r}, *parameter.shape))",
    ]


def _call(case: Case) -> list[str]:
    shapes = case.shapes()
    lines = ["arguments = {"]
    given = [name for name in ("input", "h_0", "c_0") if name in case.argument_names()]
    for name in given:
        shape = ", ".join(map(str, shapes[name]))
        lines.append(
            f"    {name!r}: tensor({name!r}, {case.scale(name)!r}, {shape}).requires_grad_(),"
        )
    lines += ["}", "x = arguments['input']"]
    if case.packed:
        lines += [
            "x = torch.nn.utils.rnn.pack_padded_sequence(",
            f"    x, torch.tensor({list(case.lengths)}), batch_first={case.config.batch_first},",
            f"    enforce_sorted={case.layout == 'packed_sorted'},",
            ")",
        ]
    states = ", (arguments['h_0'], arguments['c_0'])" if case.states else ""
    lines.append(f"output, (h_n, c_n) = lstm(x{states})")
    if case.packed:
        lines += [
            "output, _ = torch.nn.utils.rnn.pad_packed_sequence(",
            f"    output, batch_first={case.config.batch_first}, total_length={case.seq_len}",
            ")",
        ]
    return lines


def _backward(case: Case) -> list[str]:
    shapes = case.shapes()
    cotangents = [
        f"tensor({'cotangent of ' + name!r}, 1.0, {', '.join(map(str, shapes[name]))})"
        for name in case.cotangent_values()
    ]
    names = ", ".join(case.cotangent_values())
    return [f"torch.autograd.backward([{names}], [", *(f"    {c}," for c in cotangents), "])"]


def _show(case: Case, finding: FindingResult, exception: str) -> list[str]:
    if not finding:
        return ["# raises " + " ".join(exception.split())]
    name = finding["tensor"]
    expression = name
    if name.endswith(".grad"):
        owner = name.removesuffix(".grad")
        in_arguments = owner in ("input", "h_0", "c_0")
        expression = f"arguments[{owner!r}].grad" if in_arguments else f"lstm.{owner}.grad"
    if finding["index"] is None:
        return [
            f"print({name!r}, {expression}.shape, {expression}.dtype, {expression}.device)",
            f"# {finding['message']}",
        ]
    element = f"[{', '.join(map(str, finding['index']))}]" if finding["index"] else ""
    observed = f"{expression}{element}.item()"
    if name.endswith(".grad"):
        # torch gives None, not zero, for a tensor that has no effect on the results.
        observed = f"0.0 if {expression} is None else {observed}"
    return [
        f"print('observed', {observed})",
        f"print('expected', {finding['expected']!r}, '+-', {finding['noise']!r})",
    ]
