"""All tasks by name: a new one needs a file of its own, an import and a line here, or ``TASKS.register(...)``."""

from __future__ import annotations

from segue.registry import Registry
from segue.tasks.continuation import Continuation
from segue.tasks.infill import Infill
from segue.tasks.plan import Task
from segue.tasks.regenerate import Regenerate
from segue.tasks.restyle import Restyle
from segue.tasks.transition import Transition

TASKS: Registry[Task] = Registry(
    "task",
    {
        "infill": Infill,
        "continuation": Continuation,
        "regenerate": Regenerate,
        "transition": Transition,
        "restyle": Restyle,
    },
)
