"""The studio: a page on this machine on which a gap is heard, seen, marked, rendered and compared. An extra."""
