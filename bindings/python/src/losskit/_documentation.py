"""Docstrings of the wrappers: the C function's documentation, told in Python's terms."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from ._prototypes import DOCUMENTATION, ENUMS, FUNCTIONS

__all__ = ["documented"]

F = TypeVar("F", bound=Callable[..., Any])

_SECTIONS = ["Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples"]

# Parameters that only Python has, or that mean the same everywhere.
_COMMON = {
    "axis": "The axis of the classes; the other axes are rows.",
    "grad": "Return the gradient too, computed in the same pass.",
    "reduction": (
        "``'mean'``: the weighted mean; ``'sum'``: the weighted sum; ``'none'``: one loss for each row or element."
    ),
    "sample_weight": "Weights of the rows, or of the elements; 1 if absent.",
}

# C's size parameters, as Python's shapes call them.
_SIZES = {"count": "N", "count1": "N", "count2": "M", "classes": "C", "capacity": "K"}

# What else only C speaks of, and how Python says it.
_TERMS = [
    (r"`\[outer, classes, inner\]`", "rows of classes along an axis"),
    (r"`\[outer, inner\]`", "one for each row"),
    (r"LOSSKIT_(?=[A-Z])", ""),
    (r"[,;.] (it )?may be (`\w+` itself|`?(NULL|null)`?)[^.;]*", ""),
    (r"(?i)(\bMay be null|\bWith a capacity|`count` entries)\b[^.]*\.", ""),
    (r"`NULL`|\bNULL\b|\bnull\b", "None"),
    (r"^optional, ", ""),
]


def documented(function: F) -> F:
    """Completes a wrapper's docstring with the C documentation of the function of the same name.

    The wrapper writes a summary and an example. Formula, parameters, results, errors and reference come from the library.
    Where the wrapper writes more - text after its summary, a section, a parameter's entry - its own words take precedence.
    """
    if function.__doc__ is None:  # python -OO
        return function
    text, own = _parse(inspect.cleandoc(function.__doc__))
    shared = DOCUMENTATION.get(function.__name__, {})
    if "\n\n" not in text and "body" in shared:
        text += "\n\n" + _body(shared["body"])
    sections = _Translation(function, shared, own).sections()
    parts = [text, *(f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in _SECTIONS if sections.get(title))]
    function.__doc__ = "\n\n".join(parts) + "\n"
    return function


# A parameter of more modes than these has them in its description.
_MOST_MODES_IN_HEAD = 8


def _parse(docstring: str) -> tuple[str, dict[str, str]]:
    """A docstring as the text before the first underlined title, and the sections."""
    text, *rest = re.split(r"(?m)^(\w[\w ]*)\n-{3,}\n", docstring)
    return text.strip(), {title: body.strip("\n") for title, body in zip(rest[::2], rest[1::2])}


class _Translation:
    """The sections of one docstring: the wrapper's own, completed with those of the C documentation."""

    def __init__(self, function: Callable[..., Any], shared: dict[str, Any], own: dict[str, str]):
        self.parameters = inspect.signature(function).parameters
        self.shared = shared
        self.own = own
        kinds = dict(FUNCTIONS[function.__name__][1]) if function.__name__ in FUNCTIONS else {}
        self.modes = {name: list(ENUMS[kind[2:]]) for name, kind in kinds.items() if kind.startswith("e:")}
        sizes = {name for name, kind in kinds.items() if kind == "n" and name not in self.parameters}
        self.sizes = {name: letter for name, letter in _SIZES.items() if name in sizes}
        self.descriptions = {**_COMMON, **shared.get("parameters", {})}
        self.renamed = self._renamed([name for name, kind in kinds.items() if kind == "p"])
        self.is_elementwise = sizes in ({"count"}, {"rows", "columns"}) and "[count," not in str(shared)

    def _renamed(self, arrays: list[str]) -> dict[str, str]:
        """C's names of arrays that Python calls otherwise: inputs come first in both, in the same order."""
        required = [name for name, each in self.parameters.items() if each.default is inspect.Parameter.empty]
        pairs = list(zip(arrays, required))
        return {c: python for c, python in pairs if c not in self.parameters and python not in self.descriptions}

    def sections(self) -> dict[str, str]:
        shared = self.shared
        errors = re.sub(r"NULL_POINTER(, | or |; )?|, NULL_POINTER(?=\.|$)", "", shared.get("errors", ""))
        known = {"summary", "body", "parameters", "outputs", "returns", "errors", "reference", "references"}
        generated = {
            "Returns": shared.get("returns") or "\n".join(self._results()),
            "Raises": _entry("LossKitError", self._translated(errors) or "If an argument is refused."),
            "Notes": "\n\n".join(self._translated(text) for name, text in shared.items() if name not in known),
            "References": _fill(shared.get("reference") or shared.get("references", "")),
        }
        return {**generated, **self.own, "Parameters": "\n".join(self._parameters())}

    def _parameters(self) -> list[str]:
        entries = re.split(r"(?m)^(?=\S)", self.own.get("Parameters", ""))
        own = {entry.split(" :")[0]: entry.rstrip() for entry in entries if entry}
        for c, python in self.renamed.items():
            self.descriptions[python] = self.descriptions.get(c, "")
        return [
            own.get(name) or _entry(f"{name} : {self._type(parameter)}", self._description(parameter))
            for name, parameter in self.parameters.items()
        ]

    def _description(self, parameter: inspect.Parameter) -> str:
        text = self.descriptions.get(parameter.name, "")
        if parameter.default not in (inspect.Parameter.empty, None):  # the entry's head gives the default
            text = re.sub(r"(^|[,;]? )default [^\s,;]*[^\s.,;](?=\.$|\. |$)", "", text).strip()
        text = self._translated(text if text.strip(".") else _COMMON.get(parameter.name, ""))
        modes = self.modes.get(parameter.name, [])
        if len(modes) > _MOST_MODES_IN_HEAD:
            text = f"{text.rstrip('.')}: {', '.join(map(repr, modes))}."
        return text

    def _type(self, parameter: inspect.Parameter) -> str:
        kind = parameter.annotation if isinstance(parameter.annotation, str) else "Any"
        optional = re.fullmatch(r"Optional\[(.*)\]|(.*) \| None", kind)
        if optional:
            kind = optional[1] or optional[2]
        if kind == "Any":
            kind = "array_like"
        modes = self.modes.get(parameter.name, [])
        if len(modes) > _MOST_MODES_IN_HEAD:
            kind = "str"
        elif modes:
            kind = "{" + ", ".join(map(repr, self.modes[parameter.name])) + "}"
        if parameter.default is inspect.Parameter.empty:
            return kind
        return kind + (", optional" if parameter.default is None else f", default {parameter.default!r}")

    def _results(self) -> list[str]:
        results = []
        for name, text in self.shared.get("outputs", {}).items():
            if text.startswith(("workspace", "scratch", "optional scratch")) or (name.endswith("_count") and "capacity" in self.sizes):
                continue
            is_array = re.search(r"\[|\bshape|\blike\b|\b(per|each) row", text)
            kind = "float or ndarray" if name == "loss" else "ndarray" if is_array else "float"
            text = self._translated(re.sub(r"^(optional )?output(, |: |; |$)", "", text))
            if name.startswith("grad") and "grad" in self.parameters:
                text += " Only if `grad`."
            results.append(_entry(f"{name} : {kind}", text))
        return results

    def _translated(self, text: str) -> str:
        if self.is_elementwise:
            text = re.sub(r"`\[(count|rows, columns)\]`", "any shape", text)
        for pattern, words in _TERMS:
            text = re.sub(pattern, words, text)
        for c, python in self.renamed.items():
            text = text.replace(f"`{c}`", f"`{python}`")
        for name, letter in self.sizes.items():
            text = re.sub(rf"`{name}`", f"`{letter}`", text)
            text = re.sub(rf"\.\.< {name}\b", f"..< {letter}", text)
            text = re.sub(r"`\[.*?\]`", lambda shape: re.sub(rf"\b{name}\b", letter, shape[0]), text)
        return text.strip()


def _entry(head: str, text: str) -> str:
    """An entry of a section: the head, then the indented text, which begins with a capital letter if that is a word."""
    text = re.sub(r"^(a|at|by|if|in|no|of|on|or|to|[a-z]{3,})(?=[ ,-])", lambda word: word[0].capitalize(), text)
    return head + ("\n" + textwrap.indent(_fill(text), "    ") if text else "")


def _fill(text: str) -> str:
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def _body(body: str) -> str:
    """Paragraphs filled, and formulas, which are indented, as literal blocks."""
    result: list[str] = []
    was_formula = False
    for paragraph in body.split("\n\n"):
        is_formula = paragraph.startswith("    ")
        if is_formula and not was_formula:
            if result and result[-1].endswith(":"):
                result[-1] += ":"
            else:
                result.append("It computes::")
        is_list = re.search(r"(?m)^ *[-*] ", paragraph)
        result.append(paragraph.rstrip() if is_formula or is_list else _fill(" ".join(paragraph.split("\n"))))
        was_formula = is_formula
    return "\n\n".join(result)
