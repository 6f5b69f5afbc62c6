"""Values and how they are written: identifiers, addresses, dates, networks, masking."""
