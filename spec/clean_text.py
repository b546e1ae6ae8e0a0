"""Text that any file, terminal and protocol can hold."""

from __future__ import annotations

__all__ = ["clean_text"]


def clean_text(value: object) -> str:
    """``value`` as text, in which half a surrogate pair is shown by its code, as ``\\udc80``.

    Implementations supply names and messages. UTF-8 cannot hold every str of Python.
    """
    try:
        text = str(value)
    except Exception as error:  # the method of an implementation
        text = f"<no text: {type(error).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
