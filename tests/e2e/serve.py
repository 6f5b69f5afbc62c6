"""`belepo serve`, exactly, with the application of `sandbox` in place of the bare one."""

from typing import Any

from granian import Granian

from webapp.cli import main
from webapp.commands import serve


def _with_sandbox(_target: str, **options: Any) -> Any:
    return Granian("tests.e2e.sandbox:app", **options)


if __name__ == "__main__":
    serve.Granian = _with_sandbox  # type: ignore[misc,assignment]
    main(["serve"])
