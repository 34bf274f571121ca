"""Describes errors of the command line in our own words."""

from __future__ import annotations

from typing import Any

from cutback.domain.validation import problem_of


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
    cause = error.__cause__
    if not hasattr(cause, "errors"):
        return f"{_named(error.param)}: {error.message}"
    item = cause.errors(include_url=False)[0]
    choices = getattr(error.param.type_descriptor, "choices", None)
    said = (
        f"must be {_either([str(getattr(each, 'value', each)) for each in choices])}" if choices else problem_of(item)
    )
    return f"{_named(error.param)} {str(item['input'])[:80]!r}: {said}."


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _named(param: Any) -> str:
    """Return the long name of an option, or the name of an argument in the help."""
    longest = max(param.opts, key=len)
    return str(longest if longest.startswith("-") else (param.metavar or param.name).strip("[]{}."))
