"""Choices that a browser keeps for a year: language, theme, its own mark. They say nothing about the person."""

from flask import Response, request

from webapp.parts import current_parts


def keep(response: Response, name: str, value: str) -> None:
    """Remember a preference in the browser for a year; it says nothing about the person."""
    settings = current_parts().settings
    response.set_cookie(
        settings.cookie(name), value, max_age=365 * 86400, httponly=True, samesite="Lax", secure=settings.is_https
    )


def kept(name: str) -> str | None:
    """Return what `keep` has remembered in this browser."""
    return request.cookies.get(current_parts().settings.cookie(name))
