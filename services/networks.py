"""What of a network address is one place: the many addresses that one household holds are counted together."""

import ipaddress


def network_of(source: str) -> str:
    """Return the network that the address `source` stands for: of IPv6, the whole /64, which one household holds.

    An IPv4 address in the clothes of IPv6 (``::ffff:…``, as a socket for both shows it) is that address. What is no
    address comes back as it is.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
