"""`belepo serve`, exactly, with the application of `sandbox` in place of the bare one."""

from typing import Any

from webapp.cli import serve
from webapp.cli.main import main
from webapp.cli.serving import Server


def _with_sandbox(_target: str, *given: Any, **options: Any) -> Server:
    return Server("tests.e2e.sandbox:app", *given, **options)


if __name__ == "__main__":
    serve.Server = _with_sandbox  # type: ignore[misc,assignment]
    main(["serve"])
