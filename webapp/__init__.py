"""The web: HTTP in, HTML out. `webapp.wsgi:app` is the application that is served."""
