"""Writes the reference pages that follow the code: settings, profile and commands.

`make docs` runs it; a unit test fails where a committed page differs from what it would write.
"""

import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from services.profiles import Profile
from webapp.settings import Settings

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from {source}. Change it there, then run `make docs`. -->\n\n"
_REQUIRED = "Required. "
_TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "`true` or `false`"}


def pages() -> dict[Path, str]:
    """Return each generated page by its path."""
    reference = DOCS / "reference"
    return {
        reference / "settings.md": settings_page(),
        reference / "profile.md": profile_page(),
        reference / "commands.md": commands_page(),
    }


def settings_page() -> str:
    """Return the page of settings, in alphabetical order."""
    schema = Settings.model_json_schema()["properties"]
    entries = []
    for name in sorted(Settings.model_fields):
        field = Settings.model_fields[name]
        about = field.description or ""
        default = field.get_default(call_default_factory=True, validated_data={})
        is_required = about.startswith(_REQUIRED)
        entries.append(
            f"## `BELEPO_{name.upper()}`\n\n{about.removeprefix(_REQUIRED)}\n\n"
            f"{_sentence(_value(schema[name], {}, as_variable=True))} "
            f"{'Required.' if is_required else _default(default)}\n"
        )
    return NOTE.format(source="webapp/settings.py") + _SETTINGS + "\n".join(entries)


_SETTINGS = """# Settings

A setting is an environment variable, or a line `BELEPO_NAME=value` in a file: `belepo.env` in the working folder, or
the file that `BELEPO_SETTINGS_FILE` names. The environment wins over the file. A wrong setting stops the start with a
sentence that says what to change. The start and [`belepo doctor`](commands.md#belepo-doctor) name each unknown one.

Four settings are required outside demo mode:
[`BELEPO_PUBLIC_URL`](#belepo_public_url), [`BELEPO_SECRET_KEYS`](#belepo_secret_keys),
[`BELEPO_MAIL_URL`](#belepo_mail_url) and [`BELEPO_SMS_URL`](#belepo_sms_url).

"""


def profile_page() -> str:
    """Return the page of `profile.toml`: one section per table."""
    schema = Profile.model_json_schema()
    definitions = schema["$defs"]
    top, tables = [], []
    for name, field in schema["properties"].items():
        if name == "folder":
            continue
        table = _table(field)
        if table is None:
            top.append(_entry(name, field, name in schema["required"], definitions))
            continue
        is_many = "additionalProperties" in field
        heading = f"[[{name}]]" if "items" in field else f"[{name}.…]" if is_many else f"[{name}]"
        definition = definitions[table]
        about = inspect.cleandoc(definition.get("description", ""))
        missing = field["description"] if "anyOf" in field else "The table may be missing: then its defaults hold."
        optional = "" if name in schema["required"] else f"\n\n{missing}"
        if is_many:
            optional = f"\n\n{field['description']}"
        entries = [
            _entry(key, value, key in definition.get("required", ()), definitions)
            for key, value in definition["properties"].items()
        ]
        tables.append(f"## `{heading}`\n\n{about}{optional}\n\n{''.join(entries)}")
    return NOTE.format(source="services/profiles") + _PROFILE + "".join(top) + "\n" + "\n".join(tables)


_PROFILE = """# profile.toml

A profile is one insurer as data: rules, brand, voice and documents. The server reads it once, at its start, and refuses
one that is wrong; `belepo profile check FILE` names the line and the remedy. The
[tutorial](../tutorials/first-insurer.md) writes one, and [the shipped profiles](shipped-profiles.md) are examples.

## The top of the file

"""


def commands_page() -> str:
    """Return the page of the command line, one section per command."""
    scripts = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, _, name = scripts["belepo"].partition(":")
    main: click.Command = getattr(import_module(module), name)
    return NOTE.format(source="the commands' help") + _COMMANDS + "\n".join(_commands(main, None))


_COMMANDS = """# Commands

Every command answers `-h`. What keeps a command from its work is said in one sentence, with exit code 1.

"""


def write() -> None:
    """Write every generated page."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")


def _commands(command: click.Command, parent: click.Context | None) -> Iterator[str]:
    name = "belepo" if parent is None else command.name
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    about = re.sub(r"^\x08\n", "", inspect.cleandoc(command.help or ""), flags=re.M)
    options = [
        f"- `{record[0]}`{': ' if record[1] else ''}{record[1]}\n"
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
        if (record := parameter.get_help_record(context))
    ]
    listed = "".join(["\n", *options]) if options else ""
    yield f"## {context.command_path}\n\n{about}\n\n```text\n{usage}\n```\n{listed}"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from _commands(found, context)


def _table(field: Mapping[str, Any]) -> str | None:
    """Return the definition that a field of the profile is a table of, if it is one."""
    # An optional table is itself or nothing.
    itself = next((one for one in field.get("anyOf", ()) if "$ref" in one), field)
    inner = itself.get("items", itself.get("additionalProperties", itself))
    reference = inner.get("$ref") if isinstance(inner, Mapping) else None
    return reference.rpartition("/")[2] if reference else None


def _entry(name: str, field: Mapping[str, Any], is_required: bool, definitions: Mapping[str, Any]) -> str:
    about = f" {field['description']}" if "description" in field else ""
    default = "required" if is_required else _plain_default(field.get("default"))
    return f"- `{name}`: {_value(field, definitions)}; {default}.{about}\n"


def _value(field: Mapping[str, Any], definitions: Mapping[str, Any], *, as_variable: bool = False) -> str:
    """Return what a value must be, in words."""
    if "anyOf" in field:
        field = next(one for one in field["anyOf"] if one.get("type") != "null")
    kind = field.get("type")
    if "$ref" in field:
        words = _inline(definitions[field["$ref"].rpartition("/")[2]])
    elif "enum" in field:
        words = "one of " + ", ".join(f"`{value}`" for value in field["enum"])
    elif kind == "array":
        words = "comma-separated list" if as_variable else f"list of {_value(field['items'], definitions)}"
    elif kind == "object":
        words = _mapping(field, definitions)
    elif kind == "boolean" and as_variable:
        words = "`0` or `1`"
    else:
        words = _TYPES.get(str(kind), "text") + _limits(field)
    return words


def _mapping(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    keys, values = field.get("propertyNames"), field.get("additionalProperties")
    if keys is None or not isinstance(values, dict):
        return "table"
    return f"table by {_value(keys, definitions)}, of {_value(values, definitions)}"


def _inline(definition: Mapping[str, Any]) -> str:
    keys = ", ".join(f"`{key}`" for key in definition["properties"])
    return f"a table with one of {keys}"


def _limits(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None:
        return f" from {low}" + (f" to {high}" if high is not None else "")
    if "exclusiveMinimum" in field:
        return f" above {field['exclusiveMinimum']:g}"
    return " (a date)" if field.get("format") == "date" else ""


def _default(value: object) -> str:
    shown = _shown(value)
    return f"Default: `{shown}`." if shown else "Default: none."


def _plain_default(value: object) -> str:
    shown = _shown(value).lower() if isinstance(value, bool) else _shown(value)
    return f"default `{shown}`" if shown and shown != "{}" else "optional"


def _shown(value: object) -> str:
    if value is None or value in ("", (), []):
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return str(value)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


if __name__ == "__main__":
    write()
