"""The insurer's register: policy holders, what staff learn of them, the import."""
