"""Pages for authors of clients: the OpenAPI document, the same as a page, and the kinds of problem."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, abort, current_app, make_response, url_for
from markupsafe import Markup

from webapp.api.document import document
from webapp.api.operation import as_json, blueprint
from webapp.api.problems import STATUS, slug_of
from webapp.parts import current_parts
from webapp.ui.language import language, say, speak


@blueprint.get("/openapi.json", provide_automatic_options=False)
def openapi() -> Response:
    """Answer with the OpenAPI document. It needs no key: it holds nothing that the code does not."""
    return as_json(document(current_parts().settings.public_url))


@blueprint.get("/docs", provide_automatic_options=False)
def docs() -> Response:
    """Show the document as a page, in English like its descriptions in the code."""
    speak("en")
    described = document(current_parts().settings.public_url)
    return _page(
        "api/docs.html",
        introduction=_paragraphs(described["info"]["description"]),
        operations=list(_operations(described)),
        schemas={name: list(_fields(schema)) for name, schema in described["components"]["schemas"].items()},
        described={
            name: _marked(schema.get("description", "")) for name, schema in described["components"]["schemas"].items()
        },
        problems=list(_problems()),
    )


@blueprint.get("/problems/<kind>", provide_automatic_options=False)
def problem(kind: str) -> Response:
    """Explain a kind of problem: the page that its `type` leads to."""
    known = next((one for one in _problems() if one["slug"] == kind), None)
    if known is None:
        abort(404)
    return _page("api/problem.html", problem=known)


def _page(template: str, **context: Any) -> Response:
    # Without the frame of the customers' pages, which reads the session: the API has none.
    rendered = current_app.jinja_env.get_template(template).render(language=language(), **context)
    response = make_response(rendered)
    response.headers["Content-Language"] = language()
    return response


def _problems() -> Iterator[dict[str, Any]]:
    t = say()
    for kind, status in STATUS.items():
        slug = slug_of(kind)
        yield {
            "slug": slug,
            "href": url_for("api.problem", kind=slug),
            "status": status,
            "title": t(f"api.problem.{kind}"),
            "text": t(f"api.problem.{kind}.text"),
        }


def _operations(described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            content = one.get("requestBody", {}).get("content", {})
            yield {
                "id": one["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": one["summary"],
                "paragraphs": _paragraphs(one["description"]),
                "parameters": one["parameters"],
                "takes": _taken(next(iter(content.values()))["schema"]) if content else None,
                "answers": [
                    {"status": status, "text": _marked(answer["description"]), "gives": _given(answer)}
                    for status, answer in one["responses"].items()
                ],
            }


def _taken(schema: Mapping[str, Any]) -> str:
    """Return the name of the schema, or of the part that is a document."""
    return _name(schema if "$ref" in schema else schema["properties"]["document"])


def _given(answer: Mapping[str, Any]) -> str | None:
    content = answer.get("content", {})
    schema = next(iter(content.values()))["schema"] if content else {}
    return _name(schema) if "$ref" in schema else None


def _fields(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kinds = list(_kinds(field))
        yield {
            "name": name,
            "kinds": kinds,
            "is_required": name in required,
            "text": _marked(field.get("description", "")),
            "example": next(iter(field.get("examples", ())), None),
        }


def _kinds(field: Mapping[str, Any]) -> Iterator[dict[str, str | None]]:
    """Yield each type that a field may have, with the address of its schema if it has one."""
    for one in field.get("anyOf", [field]):
        if "$ref" in one:
            yield {"text": _name(one), "href": f"#{_name(one)}"}
        elif "enum" in one:
            yield {"text": ", ".join(one["enum"]), "href": None}
        elif one.get("type") == "array":
            inner = next(_kinds(one["items"]))
            yield {"text": f"[{inner['text']}]", "href": inner["href"]}
        else:
            detail = one.get("format") or one.get("pattern") or ""
            yield {"text": f"{one.get('type', '')} {detail}".strip(), "href": None}


def _paragraphs(text: str) -> list[Markup]:
    return [_marked(paragraph) for paragraph in text.strip().split("\n\n")]


def _marked(text: str) -> Markup:
    """Return text with the parts between backquotes as code; the descriptions use no other Markdown."""
    parts = enumerate(re.split(r"`([^`]+)`", text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in parts)


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
