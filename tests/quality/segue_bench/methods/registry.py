"""All methods by name, in the order of the tables: a new one needs a line in its family's file."""

from __future__ import annotations

from segue_bench.contract import Method, TaskName
from segue_bench.methods.baselines import BASELINES
from segue_bench.methods.ours import OURS
from segue_bench.methods.paper import PAPER
from segue_bench.methods.references import REFERENCES
from segue_bench.methods.steered import STEERED_OURS, STEERED_PAPER
from segue_bench.methods.waveform import WAVEFORM

FAMILIES: dict[str, tuple[Method, ...]] = {
    "references": REFERENCES,
    "baselines": BASELINES,
    "paper": (*PAPER, *STEERED_PAPER, *WAVEFORM),
    "ours": (*OURS, *STEERED_OURS),
}

METHODS: dict[str, Method] = {method.name: method for family in FAMILIES.values() for method in family}


def methods_for(task: TaskName) -> tuple[Method, ...]:
    """The methods that do a task, in the order of the tables."""
    return tuple(method for method in METHODS.values() if task in method.tasks)
