"""Docstrings of the wrappers: the C function's documentation, told in Python's terms."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from ._prototypes import DOCUMENTATION

__all__ = ["documented"]

F = TypeVar("F", bound=Callable[..., Any])

# Parameters that only Python has, or that mean the same everywhere.
_COMMON = {
    "axis": "The axis of the classes; the other axes are rows.",
    "grad": "Return the gradient too, computed in the same pass.",
    "reduction": (
        "``'mean'``: the weighted mean; ``'sum'``: the weighted sum; ``'none'``: one loss for each row or element."
    ),
    "sample_weight": "Weights of the rows, or of the elements; 1 if absent.",
}

# Shapes in the C documentation that name C's size parameters.
_SHAPES = {
    "`[count]`": "any shape",
    "`[outer, classes, inner]`": "rows of classes along an axis",
    "`[outer, inner]`": "one value per row",
}

_SECTIONS = ["Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples"]


def documented(function: F) -> F:
    """Completes a wrapper's docstring with the C documentation of the function of the same name.

    The wrapper writes a summary and an example. Formula, parameters, results, errors and reference come from the library;
    a section that the wrapper writes itself, or text after its summary, takes precedence.
    """
    if function.__doc__ is None:  # python -OO
        return function
    text, sections = _parse(inspect.cleandoc(function.__doc__))
    shared = DOCUMENTATION.get(function.__name__, {})
    if "\n\n" not in text and "body" in shared:
        text += "\n\n" + _literal_formulas(shared["body"])
    for title, body in _translated(function, shared).items():
        if body:
            sections.setdefault(title, body)
    parts = [text, *(f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in _SECTIONS if title in sections)]
    function.__doc__ = "\n\n".join(parts) + "\n"
    return function


def _parse(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring as the text before the first underlined title, and the sections."""
    text, *rest = re.split(r"(?m)^(\w[\w ]*)\n-{3,}\n", docstring)
    return text.strip(), {title: body.strip("\n") for title, body in zip(rest[::2], rest[1::2])}


def _translated(function: Callable[..., Any], shared: dict[str, Any]) -> dict[str, str]:
    """The sections that the C documentation gives for the Python signature."""
    signature = inspect.signature(function)
    known = shared.get("parameters", {})
    parameters = [
        _entry(name, _type(parameter), known.get(name) or _COMMON.get(name, ""))
        for name, parameter in signature.parameters.items()
    ]
    results = [
        _entry(name, "ndarray" if name != "loss" else "float or ndarray", text + " Only if `grad`." * (name.startswith("grad") and "grad" in signature.parameters))
        for name, text in ((name, _output(text)) for name, text in shared.get("outputs", {}).items())
        if not text.startswith(("workspace", "scratch"))
    ]
    errors = re.sub(r"NULL_POINTER(, | or |; )?|, NULL_POINTER(?=\.|$)", "", shared.get("errors", "")).strip()
    others = [text for name, text in shared.items() if name not in _PARTS]
    return {
        "Parameters": "\n".join(parameters),
        "Returns": shared.get("returns") or "\n".join(results),
        "Raises": _entry("LossKitError", "", errors or "If an argument is refused."),
        "Notes": "\n\n".join(others),
        "References": shared.get("reference") or shared.get("references", ""),
    }


_PARTS = {"summary", "body", "parameters", "outputs", "returns", "errors", "reference", "references"}


def _entry(name: str, kind: str, text: str) -> str:
    head = f"{name} : {kind}" if kind else name
    text = text.strip()
    for shape, words in _SHAPES.items():
        text = text.replace(shape, words)
    text = text[:1].upper() + text[1:] if text[:1] != "`" else text
    return head + ("\n" + textwrap.fill(text, 110, initial_indent="    ", subsequent_indent="    ") if text else "")


def _type(parameter: inspect.Parameter) -> str:
    annotation = parameter.annotation if isinstance(parameter.annotation, str) else "Any"
    optional = re.fullmatch(r"Optional\[(.*)\]|(.*) \| None", annotation)
    if optional:
        annotation = optional[1] or optional[2]
    kind = {"Any": "array_like"}.get(annotation, annotation)
    if parameter.default is inspect.Parameter.empty:
        return kind
    return kind + (", optional" if parameter.default is None else f", default {parameter.default!r}")


def _output(text: str) -> str:
    """The description of a C output without what only C needs to know."""
    text = re.sub(r"^(optional )?output(, |: |; )?", "", text)
    text = re.sub(r"[,;] (it )?may be (`\w+` itself|`?NULL`?|null)( or `?NULL`?)?", "", text)
    return text


def _literal_formulas(body: str) -> str:
    """Indented blocks as the literal blocks of reStructuredText."""
    result: list[str] = []
    for line in textwrap.dedent(body).split("\n") if not body.startswith(" ") else body.split("\n"):
        starts = line.startswith("    ") and not (result and result[-1].startswith("    "))
        inside = result and result[-1] == "" and len(result) > 1 and result[-2].startswith("    ")
        if starts and not inside:
            while result and not result[-1]:
                result.pop()
            if result and result[-1].endswith(":"):
                result[-1] += ":"
            else:
                result += ["", "It computes::"] if result else ["It computes::"]
            result.append("")
        result.append(line)
    return "\n".join(result).strip("\n")
