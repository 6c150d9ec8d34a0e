"""Training goes on from the weights of a bundle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from segue.errors import BundleRejected, InvalidRequest
from segue.prior.folders import embedded_folder
from segue_export.graphs.export import export_denoiser
from segue_export.graphs.weights import round_to_half
from segue_export.models.mel_transformer import MelTransformer, MelTransformerSettings
from segue_export.train.resume import grown, weights_of
from segue_export.train.settings import PriorSettings


class Small(nn.Module):
    """Two matrices, one bias, one vector: what a transformer's weights are like."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.up = nn.Linear(8, width)
        self.down = nn.Linear(width, 8)
        self.time = nn.Linear(1, 8)

    def forward(self, x_t: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        h = self.down(torch.tanh(self.up(x_t.transpose(1, 2)))) + self.time(time[:, None])[:, None]
        return h.transpose(1, 2)


def test_a_bundle_gives_back_the_weights_it_was_made_from(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Small(width=256)
    export_denoiser(module, tmp_path / "b", channels=8)
    rounded = Small(width=256)
    rounded.load_state_dict(module.state_dict())
    round_to_half(rounded)
    found = weights_of(tmp_path / "b", Small(width=256))
    assert found.keys() == rounded.state_dict().keys()
    for name, value in rounded.state_dict().items():
        assert torch.equal(found[name], value), name


def test_another_network_is_refused(tmp_path: Path) -> None:
    export_denoiser(Small(width=256), tmp_path / "b", channels=8)
    with pytest.raises(BundleRejected, match=r"expected shape|no weights named"):
        weights_of(tmp_path / "b", Small(width=128))


def untold(net: MelTransformer, seed: int = 0) -> torch.Tensor:
    """x0_hat of a random input with two donors; what the network can be shown beyond them is absent."""
    draw = torch.Generator().manual_seed(seed)
    c, tokens, further = net.settings.channels, 12, net.settings.shown - 2
    x_t, context, donors = (torch.randn(2, n * c, tokens, generator=draw) for n in (1, 1, 2))
    mask = torch.ones(2, 1, tokens)
    mask[:, :, 4:9] = 0.0
    donors = torch.cat([donors, torch.zeros(2, further * c, tokens)], 1)
    presence = torch.cat([torch.ones(2, 2, tokens), torch.zeros(2, further, tokens)], 1)
    x0_hat: torch.Tensor = net(x_t, torch.tensor([0.3, 0.9]), mask, context, donors, presence)
    return x0_hat


def trained(settings: MelTransformerSettings) -> MelTransformer:
    """A network none of whose weights are zero."""
    torch.manual_seed(1)
    net = MelTransformer(settings)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return net


SMALL_PRIOR = MelTransformerSettings(channels=8, width=32, layers=2, head=16, time_width=16)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"donors": 4},
        {"consensus": True},
        {"layers": 3},
        {"donors": 4, "consensus": True, "layers": 4, "dropout": 0.1},
    ],
)
def test_a_larger_network_begins_as_the_one_it_goes_on_from(change: dict[str, Any]) -> None:
    small = trained(SMALL_PRIOR)
    large = MelTransformer(replace(SMALL_PRIOR, **change)).eval()
    large.load_state_dict(grown(small.state_dict(), large))
    torch.testing.assert_close(untold(large), untold(small), rtol=1e-5, atol=1e-5)


def test_further_donors_begin_without_effect_and_learn() -> None:
    net = MelTransformer(replace(SMALL_PRIOR, donors=4))
    net.load_state_dict(grown(trained(SMALL_PRIOR).state_dict(), net))
    c = SMALL_PRIOR.channels
    x_t, mask, context, donors, presence = (torch.randn(1, n, 6) for n in (c, 1, c, 4 * c, 4))
    torch.autograd.backward(net(x_t, torch.tensor([0.5]), mask, context, donors, presence).sum())
    assert net.embed.weight.grad is not None
    assert net.head_donors.weight.grad is not None
    assert float(net.embed.weight.grad[:, 3 * c : 5 * c].abs().min()) > 0.0
    assert float(net.head_donors.weight.grad[2 * c :].abs().min()) > 0.0


def test_a_consensus_by_its_own_name_is_the_last_of_what_is_shown() -> None:
    net = trained(replace(SMALL_PRIOR, consensus=True))
    c = SMALL_PRIOR.channels
    x_t, mask, context, donors, presence, consensus, agreed = (torch.rand(1, n, 6) for n in (c, 1, c, 2 * c, 2, c, 1))
    told = (x_t, torch.tensor([0.5]), mask, context)
    named = net(*told, donors, presence, consensus, agreed)
    assert torch.equal(named, net(*told, torch.cat([donors, consensus], 1), torch.cat([presence, agreed], 1)))


def test_donors_are_not_put_before_a_consensus_that_was_trained() -> None:
    state = trained(replace(SMALL_PRIOR, consensus=True)).state_dict()
    with pytest.raises(InvalidRequest, match="go on from"):
        grown(state, MelTransformer(replace(SMALL_PRIOR, donors=4, consensus=True)))


@pytest.mark.parametrize("change", [{"width": 48}, {"layers": 1}, {"donors": 1}, {"channels": 16}])
def test_a_network_that_is_not_larger_in_donors_or_layers_alone_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="go on from"):
        grown(trained(SMALL_PRIOR).state_dict(), MelTransformer(replace(SMALL_PRIOR, **change)))


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="another network"):
        grown(Small().state_dict(), MelTransformer(SMALL_PRIOR))


def test_the_embedded_bundle_goes_on_in_a_deeper_network() -> None:
    shipped = PriorSettings().network
    net = MelTransformer(replace(shipped, layers=shipped.layers + 1))
    state = grown(weights_of(embedded_folder(), MelTransformer(shipped)), net)
    added = state[f"blocks.{shipped.layers}.out.weight"]
    assert torch.equal(added, torch.zeros_like(added))
    net.load_state_dict(state)
