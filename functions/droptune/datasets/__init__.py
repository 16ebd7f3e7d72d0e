"""Data sets: the formats of their rows, everything that can be wrong with them, and what they are good for."""
