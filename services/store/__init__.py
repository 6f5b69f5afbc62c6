"""Tables, engine and migrations: the only room that opens database connections."""
