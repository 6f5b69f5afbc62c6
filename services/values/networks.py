"""What of a network address is one place: the many addresses that one household holds are counted together."""

import ipaddress
import re

_WITH_PORT = re.compile(r"^(?:\[([^]]*)\]|([0-9.]+))(?::\d+)?$")


def network_of(source: str) -> str:
    """Return the network that the address `source` stands for: of IPv6, the whole /64, which one household holds.

    An IPv4 address written as IPv6 (``::ffff:…``, as a socket for both shows it) is that address, and so is one
    with a port, as some proxies write it. What is no address comes back as it is.
    """
    try:
        address = ipaddress.ip_address(_WITH_PORT.sub(r"\1\2", source))
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
