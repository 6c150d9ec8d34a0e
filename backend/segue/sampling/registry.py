"""All samplers by name: a new one needs a file of its own, an import and a line here (or ``SAMPLERS.register``)."""

from __future__ import annotations

from segue.registry import Registry
from segue.sampling.contract import Sampler
from segue.sampling.ddim import DDIM
from segue.sampling.ddpm import DDPM
from segue.sampling.ding import DING
from segue.sampling.dpmpp import DPMpp2M
from segue.sampling.dpmpp_sde import SDEDPMpp2M
from segue.sampling.pingpong import PingPong

SAMPLERS: Registry[Sampler] = Registry(
    "sampler",
    {
        "ddpm": DDPM,
        "ddim": DDIM,
        "dpmpp": DPMpp2M,
        "dpmpp-sde": SDEDPMpp2M,
        "pingpong": PingPong,
        "ding": DING,
    },
)
