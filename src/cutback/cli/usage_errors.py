"""What typer finds wrong with a command line, said in Cutback's words."""

from __future__ import annotations

from typing import Any

from cutback.domain.validation import problem_of


def usage_problem(error: Any) -> str:
    """What is wrong, by option or argument, from typer's exception; never typer's own text.

    The exceptions' classes are private to typer, so they are told apart by their names.
    """
    match type(error).__name__:
        case "NoSuchOption":
            close = sorted(error.possibilities or [], key=len)
            return f"There is no option {error.option_name}." + (f" Did you mean {close[0]}?" if close else "")
        case "BadOptionUsage":
            value = "takes no value" if "not take" in error.message else "needs a value"
            return f"{error.option_name} {value}."
        case "MissingParameter":
            return f"{_named(error.param)} is missing."
        case "BadParameter":
            return _bad_value(error)
        case "UsageError" if "extra argument" in error.message:
            extra = error.message.partition("(s) (")[2].removesuffix(")")
            return f"There is no use for {extra} here: the command takes fewer arguments."
        case "UsageError" if error.message.startswith("Missing command"):
            return "Name a command."
        case _:
            return "These arguments are not understood."


def _bad_value(error: Any) -> str:
    cause = error.__cause__
    if not hasattr(cause, "errors"):
        return f"{_named(error.param)}: {error.message}"
    item = cause.errors(include_url=False)[0]
    choices = getattr(error.param.type_descriptor, "choices", None)
    said = (
        f"must be {_either([str(getattr(each, 'value', each)) for each in choices])}" if choices else problem_of(item)
    )
    return f"{_named(error.param)} {str(item['input'])[:80]!r}: it {said}."


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _named(param: Any) -> str:
    """An option by its long name, an argument by the name that the help gives it."""
    longest = max(param.opts, key=len)
    return str(longest if longest.startswith("-") else (param.metavar or param.name).strip("[]{}."))
