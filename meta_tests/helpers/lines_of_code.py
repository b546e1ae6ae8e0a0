"""How long a program is."""

from __future__ import annotations

import ast
import re


def lines_of_javascript(text: str) -> int:
    """Number of lines of a program in JavaScript, without comments and blank lines."""
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines()
    return sum(bool(line.strip()) and not line.strip().startswith("//") for line in code)


def lines_of_code(text: str) -> int:
    """Number of lines of a program, without docstrings, comments and blank lines."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    left_out = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, described) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    lines = (line.strip() for n, line in enumerate(text.splitlines(), 1) if n not in left_out)
    return sum(bool(line) and not line.startswith("#") for line in lines)
