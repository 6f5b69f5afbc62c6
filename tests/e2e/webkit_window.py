"""A browser of WebKitGTK for WebDriver: windows of an exact size, and a diary of what the pages asked for and said.

It runs under the system's own Python, which has GTK (`webkit.PYTHON`), and so uses nothing of the project. Debian's
MiniBrowser is never narrower than 447 pixels, and tells neither statuses nor what stands in the console.
"""

import argparse
import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402


class Windows:
    """The windows of one visitor: what one remembers the others know, and nothing outlives them."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._numbers = count()
        # Not a private one: those keep still in the console.
        self._context = WebKit2.WebContext(
            website_data_manager=WebKit2.WebsiteDataManager(
                base_data_directory=asked.folder, base_cache_directory=asked.folder
            )
        )
        self._context.set_automation_allowed(True)
        self._context.set_preferred_languages([asked.language])
        self._context.connect("automation-started", self._begin)
        self._settings = WebKit2.Settings(
            enable_javascript=asked.javascript == "on",
            enable_write_console_messages_to_stdout=True,  # so it says; they go to the other
        )
        # To obey this header WebKitGTK 2.50 begins the first page of a window anew in another process, and of some
        # hundreds of pages one is begun no more and never comes. No journey meets a stranger's window.
        known = WebKit2.Settings.get_all_features()
        for feature in map(known.get, range(known.get_length())):
            if feature.get_identifier() == "CrossOriginOpenerPolicy":
                self._settings.set_feature_enabled(feature, False)

    def _begin(self, _context: Any, session: Any) -> None:
        about = WebKit2.ApplicationInfo()
        about.set_name("MiniBrowser")  # what the driver asks for
        about.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
        session.set_application_info(about)
        session.connect("create-web-view", lambda _session: self._open())

    def _open(self, opener: Any = None) -> Any:
        if opener is None:
            view = WebKit2.WebView(
                web_context=self._context,
                settings=self._settings,
                user_content_manager=_ear(),
                is_controlled_by_automation=True,
            )
        else:
            view = WebKit2.WebView.new_with_related_view(opener)
        view.connect("resource-load-started", _note_request, next(self._numbers))
        view.connect("create", lambda opener, _action: self._open(opener))
        window = Gtk.Window()
        window.set_default_size(self._asked.width, self._asked.height)
        window.add(view)
        view.connect("close", lambda _view: window.destroy())
        window.show_all()
        window.present()
        view.grab_focus()
        return view


def _ear() -> Any:
    """Return what runs before the scripts of every page."""
    listening = WebKit2.UserContentManager()
    listening.add_script(
        WebKit2.UserScript(
            Path(__file__).with_name("ear.js").read_text("utf-8"),
            WebKit2.UserContentInjectedFrames.TOP_FRAME,
            WebKit2.UserScriptInjectionTime.START,
        )
    )
    return listening


def _note_request(_view: Any, resource: Any, request: Any, view: int) -> None:
    def note(what: Any, **more: Any) -> None:
        line = {"view": view, "url": what.get_uri(), **more}
        os.write(2, (json.dumps(line) + "\n").encode())

    def sent(_resource: Any, request: Any, redirect: Any) -> None:
        if redirect is not None:
            note(redirect, status=redirect.get_status_code())
            note(request, method=request.get_http_method())

    def ended(resource: Any) -> None:
        # Without an answer where the browser itself gave it up.
        answer = resource.get_response()
        note(resource, status=answer.get_status_code() if answer else 0)

    note(request, method=request.get_http_method())
    resource.connect("sent-request", sent)
    resource.connect("finished", ended)


def main() -> None:
    """Wait for the driver."""
    known = argparse.ArgumentParser()
    known.add_argument("--automation", action="store_true")
    known.add_argument("--width", type=int)
    known.add_argument("--height", type=int)
    known.add_argument("--language")
    known.add_argument("--javascript", choices=("on", "off"))
    known.add_argument("--folder", help="for what it keeps, and the diary")
    asked, _ = known.parse_known_args()
    # The pages' own processes inherit it, and write what stands in their consoles.
    os.dup2(os.open(f"{asked.folder}/diary", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    windows = Windows(asked)  # noqa: F841
    Gtk.main()


if __name__ == "__main__":
    main()
