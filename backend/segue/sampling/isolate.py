"""One bad item must not cost its neighbours their result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segue.errors import NonFinite
from segue.sampling.contract import Latents


def sample_each(run: Callable[[Sequence[int]], Latents], items: int) -> tuple[dict[int, Latents], dict[int, NonFinite]]:
    """Results, each (1, channels, frames), and failures of ``items`` batch items, by item.

    ``run(indices)`` samples those items as one batch: it binds their conditioning and makes their generators anew from
    their seeds. Where it raises :class:`NonFinite`, the items named are set aside and the rest are run again; since a
    neighbour never changes a result, they come out as in a run of their own. At most ``items`` runs.
    """
    left = list(range(items))
    failures: dict[int, NonFinite] = {}
    while left:
        try:
            x_0 = run(left)
        except NonFinite as failure:
            for one in (failure, *failure.others):
                item = left[one.item]
                failures[item] = NonFinite(one.what, item=item, step=one.step, sigma=one.sigma, norm=one.norm)
            left = [i for i in left if i not in failures]
        else:
            return {item: x_0[i : i + 1] for i, item in enumerate(left)}, failures
    return {}, failures
