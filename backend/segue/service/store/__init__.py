"""What was rendered, kept by recipe: an SQLite index with one file for each result beside it."""
