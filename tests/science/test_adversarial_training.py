"""What may be relied on in adversarial training: what is trained, what pools hold, resumption."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from blindspots.science.adversarial_layers import Layers
from blindspots.science.adversarial_mixture import Arm, Mixture, MixtureSettings, projected_ascent
from blindspots.science.adversarial_pools import PoolSettings, empty_pool, equal_norm, generate, refreshed
from blindspots.science.adversarial_rounds import AdamRounds, LbfgsRounds
from blindspots.science.adversarial_training import Settings, Stage, train_adversarially
from blindspots.science.networks import MultilayerPerceptron, initialise

SHAPE, CLASSES = (1, 4, 4), 3
POOLS = PoolSettings(size=40, refresh=0.25)
ARMS = {
    "decay": Arm(),
    "dropout": Arm(dropout=True),
    "all": Arm(layers=(0, 1, 2)),
    "noise": Arm(layers=(0, 1, 2), noise=True),
    "pgd": Arm(pgd=True),
}
OPTIMISERS = {"adam": AdamRounds(batch_size=32), "lbfgs": LbfgsRounds(iterations=3)}


def network(seed: int = 0) -> MultilayerPerceptron:
    module = MultilayerPerceptron(SHAPE, CLASSES, widths=[9, 7])
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def blobs(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Images of three classes that a small network learns: one bright corner each, and noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, CLASSES, count)
    images = random.random((count, *SHAPE), dtype=np.float32) * 0.4
    images.reshape(count, -1)[np.arange(count), 5 * labels] += 0.6
    return torch.from_numpy(images), torch.from_numpy(labels)


TRAIN, TEST = blobs(150, 1), blobs(60, 2)


def settings(optimiser: str = "adam", **changes: Any) -> Settings:
    mixture = MixtureSettings(pools=POOLS, dropout=(0.1, 0.2), radius=0.3, steps=3)
    return Settings(rounds=4, optimiser=OPTIMISERS[optimiser], mixture=replace(mixture, **changes))


def trained(arm: str, optimiser: str = "adam", **changes: Any) -> tuple[Tensor, dict[str, Any]]:
    """Flat weights and curves."""
    module = network()
    options: dict[str, Any] = {"arm": ARMS[arm], "settings": settings(optimiser), "seed": 5, **changes}
    curves = train_adversarially(module, *TRAIN, test=TEST, **options)
    return nn.utils.parameters_to_vector(module.parameters()).detach(), curves


# Gradients


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_an_example_of_a_layer_trains_only_the_layers_above(layer: int) -> None:
    layers = Layers.of(network())
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    layers.add_gradient(layers.codes(images, layer), labels, layer=layer, share=1.0)
    above = layers.weights_above(layer)
    assert not layers.gradient[: above.start].any(), "exactly zero"
    assert layers.gradient[above].abs().min() > 0


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_gradients_are_those_of_autograd(layer: int, masked: bool) -> None:
    module = network()
    layers = Layers.of(module)
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    codes = layers.codes(images, layer)
    sizes = layers.sizes[:-1]
    masks = [torch.rand(len(images), size, generator=torch.Generator().manual_seed(size)) for size in sizes]
    loss, wrong = layers.add_gradient(codes, labels, layer=layer, share=0.5, masks=masks if masked else None)
    hidden = codes
    for place, linear in enumerate([*module.hidden, module.output]):
        if place >= layer:
            hidden = linear(hidden * masks[place] if masked else hidden)
            hidden = hidden if linear is module.output else hidden.sigmoid()
    expected = nn.functional.cross_entropy(hidden, labels, reduction="sum")
    (0.5 * expected).backward()  # type: ignore[no-untyped-call]
    gradient = torch.cat([
        torch.zeros(value.numel()) if value.grad is None else value.grad.flatten()
        for value in module.parameters()
    ])  # fmt: skip
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert wrong == int((hidden.argmax(1) != labels).sum())
    torch.testing.assert_close(layers.gradient, gradient, rtol=1e-4, atol=1e-5)


def test_a_network_of_other_units_is_refused() -> None:
    with pytest.raises(ValueError, match="sigmoid"):
        Layers.of(MultilayerPerceptron(SHAPE, CLASSES, widths=[3], activation="relu"))


def test_projected_ascent_stays_near_and_raises_the_loss() -> None:
    layers = Layers.of(network())
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    generator = torch.Generator().manual_seed(0)
    attacked = projected_ascent(layers, images, labels, radius=0.4, steps=5, generator=generator)
    assert float((attacked - images).norm(dim=1).max()) <= 0.4 + 1e-5
    assert 0 <= float(attacked.min()) <= float(attacked.max()) <= 1
    before, after = (
        nn.functional.cross_entropy(layers.above(0)(pixels), labels, reduction="none")
        for pixels in (images, attacked)
    )
    assert bool((after > before).all())


# Pools


@pytest.fixture(scope="module")
def learnt() -> Layers:
    module = network()
    long = replace(settings(), rounds=100)
    curves = train_adversarially(module, *TRAIN, arm=Arm(), settings=long, seed=0, test=TEST)
    assert curves["test_error"][-1] < 0.1
    return Layers.of(module)


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_codes_of_a_pool_lie_in_the_box_and_fool_the_network(layer: int, noise: bool, learnt: Layers) -> None:
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    random = np.random.default_rng(3)
    fresh = generate(learnt, layer, images, labels, count=100, settings=POOLS, noise=noise, random=random)
    assert fresh.fooled == len(fresh.source) >= 95
    assert 0 <= float(fresh.after.min()) <= float(fresh.after.max()) <= 1
    torch.testing.assert_close(fresh.before, learnt.codes(images[fresh.source], layer))
    if not noise:
        answers = learnt.above(layer)(fresh.after).argmax(1)
        assert bool((answers != labels[fresh.source]).all())


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_the_noise_of_the_control_has_the_norm_of_the_adversarial_change(layer: int, learnt: Layers) -> None:
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    found, control = (
        generate(
            learnt, layer, images, labels,
            count=80, settings=POOLS, noise=noise, random=np.random.default_rng(4),
        )
        for noise in (False, True)
    )  # fmt: skip
    assert torch.equal(found.source, control.source)
    norms = [(fresh.after - fresh.before).norm(dim=1) for fresh in (found, control)]
    torch.testing.assert_close(norms[1], norms[0], rtol=1e-3, atol=1e-6)
    directions = [nn.functional.normalize(fresh.after - fresh.before, dim=1) for fresh in (found, control)]
    assert float((directions[0] * directions[1]).sum(dim=1).abs().mean()) < 0.6, "another direction"


def test_a_norm_that_the_box_does_not_allow_ends_at_the_box() -> None:
    codes = torch.full((4, 6), 0.5)
    moved = equal_norm(codes, torch.full((4,), 99.0), np.random.default_rng(0))
    assert set(moved.unique().tolist()) <= {0.0, 1.0}


def test_a_share_of_the_pool_is_replaced_and_it_never_outgrows_its_size(learnt: Layers) -> None:
    images, labels = TRAIN[0].flatten(1), TRAIN[1]

    def some(count: int, seed: int) -> Any:
        random = np.random.default_rng(seed)
        return generate(learnt, 1, images, labels, count=count, settings=POOLS, noise=False, random=random)

    pool = refreshed(empty_pool(learnt, 1), some(40, 0), POOLS, np.random.default_rng(0))
    fresh = some(10, 1)
    later = refreshed(pool, fresh, POOLS, np.random.default_rng(1))
    assert len(pool) == len(later) == 40
    old = {tuple(row.tolist()) for row in pool.values}
    stayed = sum(tuple(row.tolist()) in old for row in later.values)
    assert stayed == 40 - len(fresh.source)


def test_recomputed_codes_follow_the_weights_below_and_stale_ones_do_not(learnt: Layers) -> None:
    images, labels = TRAIN[0].flatten(1), TRAIN[1]
    rows = torch.arange(20)
    other = Layers.of(network(seed=9))
    for staleness in ("recompute", "stale"):
        chosen = replace(POOLS, staleness=staleness)
        random = np.random.default_rng(0)
        fresh = generate(learnt, 1, images, labels, count=40, settings=chosen, noise=False, random=random)
        pool = refreshed(empty_pool(learnt, 1), fresh, chosen, random)
        now = pool.codes(learnt, images, rows, chosen.staleness)
        torch.testing.assert_close(now, fresh.after[:20])
        later = pool.codes(other, images, rows, chosen.staleness)
        assert torch.equal(later, now) == (staleness == "stale")
        assert 0 <= float(later.min()) <= float(later.max()) <= 1


# Trainings


def test_every_arm_learns() -> None:
    for name, arm in ARMS.items():
        _, curves = trained(
            name,
            settings=replace(settings(), rounds=25, optimiser=AdamRounds(batch_size=16, learning_rate=0.03)),
        )
        assert curves["test_error"][-1] < 0.35, name
        assert curves["loss"].shape == (25,)
        pools = np.isfinite(curves["pool_error"]).any(axis=0).tolist()
        assert pools == [layer in arm.layers for layer in range(3)]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("arm", ARMS)
def test_a_resumed_training_ends_with_the_same_bytes(arm: str, optimiser: str) -> None:
    straight, curves = trained(arm, optimiser)
    again, _ = trained(arm, optimiser)
    assert torch.equal(straight, again)
    states: list[tuple[Stage, dict[str, Any]]] = []
    trained(arm, optimiser, report=lambda stage: states.append((stage, stage.state())))
    assert [stage.done for stage, _ in states] == sorted(stage.done for stage, _ in states)
    for place in (0, len(states) // 2, len(states) - 1):
        resumed, later = trained(arm, optimiser, state=states[place][1])
        assert torch.equal(resumed, straight), (place, states[place][0].round)
        for name, values in curves.items():
            np.testing.assert_array_equal(later[name], values)


def test_arms_of_a_seed_see_the_same_batches_and_differ_only_after_the_first_round() -> None:
    one_round = replace(settings(), rounds=1)
    plain, _ = trained("decay", settings=one_round)
    pooled, _ = trained("all", settings=one_round)
    assert torch.equal(plain, pooled), "there are no pools before anything was learnt"
    assert not torch.equal(trained("decay")[0], trained("all")[0])
    assert not torch.equal(trained("decay", seed=6)[0], trained("decay")[0])


def test_dropout_is_off_when_the_network_is_asked() -> None:
    module = network()
    curves = train_adversarially(module, *TRAIN, arm=ARMS["dropout"], settings=settings(), seed=0, test=TEST)
    answers = module.eval()(TEST[0]).argmax(1)
    assert float((answers != TEST[1]).double().mean()) == curves["test_error"][-1]


def test_dropout_silences_its_share_and_keeps_the_mean() -> None:
    mixture = Mixture(
        Layers([16, 400, 300, CLASSES]), TRAIN[0].flatten(1), TRAIN[1],
        arm=ARMS["dropout"], settings=MixtureSettings(), seed=0, fixed=False,
    )  # fmt: skip
    mixture.begin(1)
    masks = mixture._masks(200, 0)
    assert [round(float((mask == 0).double().mean()), 1) for mask in masks] == [0.2, 0.5, 0.5]
    assert all(float(mask.mean()) == pytest.approx(1, abs=0.05) for mask in masks)
    assert torch.equal(masks[1], mixture._masks(200, 0)[1]), "of one batch, one mask"
    assert not torch.equal(masks[1], mixture._masks(200, 1)[1])


def test_what_its_user_raises_ends_the_training() -> None:
    class Enough(Exception):
        pass

    def stop(*_: object) -> None:
        raise Enough

    hooks: tuple[dict[str, Callable[..., None]], ...] = ({"report": stop}, {"interrupt": stop})
    for hook in hooks:
        with pytest.raises(Enough):
            trained("all", **hook)
