"""Describes errors of the command line in our own words."""

from __future__ import annotations

import re
from typing import Any

_VALUE = re.compile(r"'(.*)' is not |(\S+) is not in the range ", re.DOTALL)
"""How typer's message about a wrong value begins: the value is nowhere else in the exception."""


def usage_problem(error: Any) -> str:
    """Describe what is wrong with an option or argument, given typer's exception; never with typer's text.

    The classes of the exceptions are private to typer, so their names distinguish them.
    """
    match type(error).__name__:
        case "NoSuchOption":
            close = sorted(error.possibilities or [], key=len)
            return f"Unknown option: {error.option_name}." + (f" Did you mean {close[0]}?" if close else "")
        case "BadOptionUsage":
            value = "takes no value" if "not take" in error.message else "needs a value"
            return f"{error.option_name} {value}."
        case "MissingParameter":
            return f"{_named(error.param)} is missing."
        case "BadParameter":
            return _bad_value(error)
        case "UsageError" if "extra argument" in error.message:
            extra = error.message.partition("(s) (")[2].removesuffix(")")
            return f"Too many arguments: {extra}."
        case "UsageError" if error.message.startswith("Missing command"):
            return "Name a command."
        case _:
            return "These arguments are invalid."


def _bad_value(error: Any) -> str:
    found = _VALUE.match(error.message)
    if found is None:
        return f"{_named(error.param)}: {error.message}"
    value, kind = found[1] or found[2], error.param.type
    return f"{_named(error.param)} {value[:80]!r}: must be {_wanted(kind, value)}."


def _wanted(kind: Any, value: str) -> str:
    """Describe what an option takes. `kind` is a type of typer's: one of choices, an integer or a number."""
    if choices := getattr(kind, "choices", ()):
        return _either([str(getattr(each, "value", each)) for each in choices])
    try:
        number = float(value)
    except ValueError:
        return "an integer" if kind.name.startswith("int") else "a number"
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and number < least:
        return f"at least {least}"
    return f"at most {most}" if most is not None and number > most else "an integer"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _named(param: Any) -> str:
    """Return the long name of an option, or the name of an argument in the help."""
    longest = max(param.opts, key=len)
    return str(longest if longest.startswith("-") else (param.metavar or param.name).strip("[]{}."))
