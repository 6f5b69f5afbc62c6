"""The steps a journey can be made of: one file each, found by itself."""
