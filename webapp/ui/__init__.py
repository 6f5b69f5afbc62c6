"""How pages are made: language, formats, forms, errors, pages and fragments."""
