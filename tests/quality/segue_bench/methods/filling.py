"""What every method is: a name, what it can do, and a function that fills the gap on a workbench."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segue.errors import InvalidRequest
from segue_bench.contract import Rendering, TaskName
from segue_bench.workbench import Made, Workbench

GAPS: frozenset[TaskName] = frozenset({"infill", "regenerate", "continuation", "transition"})
"""The tasks whose only wish is music that fits."""

UNKNOWN: frozenset[TaskName] = frozenset({"infill", "continuation", "embedder", "classifier"})
"""The tasks that know nothing of what stands in the gap."""

VARIED: frozenset[TaskName] = frozenset({"regenerate", "transition"})
"""The tasks that start from x_bar."""

STEERED: frozenset[TaskName] = frozenset({"embedder", "classifier"})
"""The tasks with a wish beyond fitting."""

ALL: frozenset[TaskName] = GAPS | STEERED


@dataclass(frozen=True, eq=False)
class Filling:
    """A method (:class:`segue_bench.contract.Method`) around the function that does the work."""

    name: str
    about: str
    fill: Callable[[Workbench, int], Made]
    tasks: frozenset[TaskName] = GAPS
    seeded: bool = True

    def render(self, bench: Workbench, seed: int) -> Rendering:
        """Fill the workbench's case.

        Raises:
            InvalidRequest: the method cannot do this case.
        """
        task = bench.case.task
        if task not in self.tasks:
            raise InvalidRequest(f"{self.name} does {', '.join(sorted(self.tasks))}, not {task}")
        with bench.counted() as counts:
            made = self.fill(bench, seed)
        return Rendering(made.audio, made.how, made.margin, counts.forward, counts.vjp)
