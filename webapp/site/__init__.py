"""Public pages: the start page, terms, privacy notice, accessibility statement."""
