"""gap-KLD: how differently a tagger hears the real gap and the rendered one (Levy et al. 2023: KLD, there of PaSST)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def gap_kld(real: Float[np.ndarray, " tags"], rendered: Float[np.ndarray, " tags"]) -> float:
    """Sum over the tags of KL(Bernoulli(p) || Bernoulli(q)), in nats, from the logits of p (real) and q (rendered).

    From logits it is exact where a probability rounds to 0 or 1.
    """
    a, b = real.astype(np.float64), rendered.astype(np.float64)
    log_p, log_1p = -np.logaddexp(0.0, -a), -np.logaddexp(0.0, a)
    log_q, log_1q = -np.logaddexp(0.0, -b), -np.logaddexp(0.0, b)
    return float((np.exp(log_p) * (log_p - log_q) + np.exp(log_1p) * (log_1p - log_1q)).sum())
