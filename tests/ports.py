"""A port for a process that is still to be started."""

import random
import socket

_BELOW_THE_SYSTEMS_OWN = range(20_000, 32_000)
"""Where the system takes none for the other end of somebody's connection, between the choice and the start."""


def free_port() -> int:
    """Return a port of 127.0.0.1 at which nobody listens."""
    while True:
        port = random.choice(_BELOW_THE_SYSTEMS_OWN)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
