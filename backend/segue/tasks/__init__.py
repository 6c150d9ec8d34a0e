"""One file a task; each gives a Plan."""
