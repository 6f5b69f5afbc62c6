"""The commands of `belepo`, a module each."""
