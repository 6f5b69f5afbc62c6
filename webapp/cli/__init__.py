"""The commands: `belepo serve`, `belepo import` and the others, one module each."""
