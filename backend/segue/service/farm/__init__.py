"""Renders on the machines of a Ray cluster, which Segue itself only sees through pipes."""
