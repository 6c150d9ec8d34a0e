"""The report: results to tables, words, verdicts on the targets, and a page to listen to."""
