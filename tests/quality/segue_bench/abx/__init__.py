"""Blind pairwise comparison, as in the paper's Figure 2: a page for raters, and the reading of their votes."""
