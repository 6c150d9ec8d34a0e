"""Operators, distances, embedders, curves; the objective and its gradient."""
