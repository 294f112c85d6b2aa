"""Laws of the backdoor adjustment, for any genes, any weights and any option."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.models import Predictor, PredictorModel
from epigx.objectives import Backdoor, Regression
from epigx.objectives.backdoor import BackdoorLoss, diversity

MODEL = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1, d_state=4), pool=30)

laws = settings(deadline=None, max_examples=25)
seeds = st.integers(0, 2**31)
genes = st.integers(1, 4)
backdoors = st.builds(
    Backdoor,
    alpha=st.floats(0, 10),
    beta=st.floats(0, 10),
    n_patterns=st.integers(1, 4),
    distance=st.sampled_from(["l1", "smooth_l1", "mse"]),
    average=st.sampled_from(["predictions", "hidden"]),
    diagonal=st.booleans(),
    normalize=st.booleans(),
    activation=st.sampled_from(["sigmoid", "softmax"]),
    temperature=st.floats(0.1, 5),
)


def draw(seed: int, n_genes: int) -> tuple[Predictor, Batch]:
    torch.manual_seed(seed)
    network = MODEL.build(3, 2, 64)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    batch = Batch(
        sequence=torch.nn.functional.one_hot(torch.randint(0, 4, (n_genes, 64)), 4).float(),
        signals=3 * torch.rand(n_genes, 64, 3),
        features=torch.randn(n_genes, 2),
        expression=2 * torch.rand(n_genes),
    )
    return network, batch


def build(config: Backdoor) -> BackdoorLoss:
    return config.build(MODEL, 3)


def close(actual: Tensor, expected: Tensor, atol: float = 1e-5) -> None:
    torch.testing.assert_close(actual, expected, atol=atol, rtol=1e-4)


@laws
@given(seeds, genes, backdoors)
def test_patterns_of_one_change_nothing(seed: int, n_genes: int, config: Backdoor) -> None:
    network, batch = draw(seed, n_genes)
    objective = build(config.model_copy(update={"activation": "sigmoid"})).eval()
    objective.confounder_encoder.projection.weight.data.zero_()
    objective.confounder_encoder.projection.bias.data.fill_(100.0)
    prediction, loss = objective(network, batch)
    assert torch.equal(prediction.patterns, torch.ones_like(prediction.patterns))
    close(prediction.interventional, prediction.expression)
    close(loss.terms["intervention"], loss.terms["prediction"])


@laws
@given(seeds, genes, backdoors)
def test_without_weights_it_is_plain_regression(seed: int, n_genes: int, config: Backdoor) -> None:
    network, batch = draw(seed, n_genes)
    twin = copy.deepcopy(network)
    objective = build(config.model_copy(update={"alpha": 0.0, "beta": 0.0})).eval()
    _, loss = objective(network, batch)
    _, plain = Regression(distance=config.distance).build(MODEL, 3)(twin, batch)
    close(loss.total, plain.total)
    loss.total.backward()
    plain.total.backward()
    for parameter, expected in zip(network.parameters(), twin.parameters(), strict=True):
        close(parameter.grad, expected.grad)


@laws
@given(seeds, genes, backdoors)
def test_one_pattern_makes_both_averages_agree(seed: int, n_genes: int, config: Backdoor) -> None:
    network, batch = draw(seed, n_genes)
    one = build(config.model_copy(update={"n_patterns": 1, "average": "hidden"})).eval()
    other = build(config.model_copy(update={"n_patterns": 1, "average": "predictions"})).eval()
    other.load_state_dict(one.state_dict())
    close(one(network, batch)[1].total, other(network, batch)[1].total, atol=1e-4)
    close(one.intervene(network, batch).interventional, other.intervene(network, batch).interventional)


@laws
@given(seeds, backdoors, st.data())
def test_a_gene_is_predicted_alone(seed: int, config: Backdoor, data: Any) -> None:
    network, batch = draw(seed, 4)
    network.eval()
    objective = build(config).eval()
    chosen = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True))
    some = replace(batch, **{n: getattr(batch, n)[chosen] for n in ("sequence", "signals", "features", "expression")})
    with torch.no_grad():
        close(network(some).expression, network(batch).expression[chosen])
        whole, part = objective.intervene(network, batch), objective.intervene(network, some)
    close(part.expression, network(some).expression)
    close(part.interventional, whole.interventional[chosen])
    close(part.patterns, whole.patterns[chosen])


patterns = st.builds(
    lambda seed, n_genes, n: torch.rand(n_genes, n, 6, generator=torch.Generator().manual_seed(seed)),
    seeds,
    genes,
    st.integers(2, 5),
)
options = st.fixed_dictionaries(
    {"temperature": st.floats(0.1, 5), "diagonal": st.booleans(), "normalize": st.booleans()}
)


@laws
@given(patterns, options, st.randoms(use_true_random=False))
def test_diversity_does_not_depend_on_the_order_of_patterns(a: Tensor, chosen: dict[str, Any], random: Any) -> None:
    order = random.sample(range(a.shape[1]), a.shape[1])
    close(diversity(a[:, order], **chosen), diversity(a, **chosen))


@laws
@given(patterns, options)
def test_diversity_is_lowest_for_orthogonal_patterns(a: Tensor, chosen: dict[str, Any]) -> None:
    n_genes, n, channels = a.shape
    lengths = a.norm(dim=-1, keepdim=True)
    orthogonal = lengths * torch.eye(n, channels).expand(n_genes, n, channels)
    assert diversity(orthogonal, **chosen) <= diversity(a, **chosen) + 1e-5


@laws
@given(patterns, st.floats(0.1, 10), st.floats(0.1, 5), st.booleans())
def test_diversity_of_unit_patterns_does_not_depend_on_their_length(
    a: Tensor, factor: float, temperature: float, diagonal: bool
) -> None:
    close(diversity(factor * a, temperature, diagonal=diagonal), diversity(a, temperature, diagonal=diagonal))
