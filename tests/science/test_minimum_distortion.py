"""The attack against closed forms and scipy, and its promises: box, determinism, order, cancel, failures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor, nn

from attacked_models import correct_images, trained
from blindspots.science.attacks.exact_linear import exact_linear
from blindspots.science.attacks.gaussian import gaussian
from blindspots.science.attacks.minimum_distortion import Search, minimum_distortion
from blindspots.science.attacks.result import AttackResult, Reason
from blindspots.science.measures import distortion, judge, norms

COUNT = 64
L2_ATTACKS: list[tuple[dict[str, Any], float, float]] = [
    # choices, mean and worst ratio to the exact optimum allowed
    ({"mode": "nearest", "polish": True}, 1.002, 1.02),
    ({"mode": "nearest", "polish": True, "compiled": False}, 1.002, 1.02),
    ({"mode": "tight", "polish": True}, 1.002, 1.02),
    ({"mode": "tight", "polish": True, "target_rule": "least_likely"}, 1.002, 1.02),
    ({"mode": "tight", "polish": True, "norm": "l2"}, 1.002, 1.02),
    ({"mode": "paper", "polish": True}, 1.002, 1.02),
    ({"mode": "nearest"}, 1.01, 1.05),
    ({"mode": "nearest", "norm": "l2"}, 1.01, 1.2),
    ({"mode": "tight", "target_rule": "untargeted"}, 1.10, 1.5),
    ({"mode": "tight", "target_rule": "nearest"}, 1.10, 1.5),
    ({"mode": "tight"}, 1.10, 1.5),
    ({"mode": "paper", "search": Search(bisections=10)}, 1.10, 1.5),
]


def attack(
    kind: str, count: int = COUNT, **choices: Any
) -> tuple[AttackResult, nn.Sequential, Tensor, Tensor]:
    model, images, labels = correct_images(kind, count)
    return minimum_distortion(model, images, labels, seeds=np.arange(count), **choices), model, images, labels


@pytest.mark.parametrize(("choices", "mean", "worst"), L2_ATTACKS)
def test_comes_close_to_the_exact_optimum_of_a_linear_model(
    choices: dict[str, Any], mean: float, worst: float
) -> None:
    result, model, images, labels = attack("linear", **choices)
    targets = None if (result.target < 0).all() else result.target
    layer = model[1]
    _, exact = exact_linear(layer.weight, layer.bias, images, labels, targets=targets)
    found = distortion(images, result.adversarial)
    assert judge(model, result.adversarial, labels=labels, targets=result.target).success.all()
    assert found.mean() / exact.mean() <= mean
    assert (found / exact).max() <= worst
    assert (found >= exact - 1e-5).all()


def test_background_pixels_at_exactly_zero_are_used() -> None:
    """An attack that differentiates through torch.clamp cannot move a pixel that lies at its bound."""
    weight = torch.zeros(2, 64)
    weight[1, :32] = 1.0
    bias = torch.tensor([0.5, 0.0])
    model = lambda images: images.flatten(1) @ weight.T + bias  # noqa: E731
    dark, labels = torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64)
    for choices in ({"mode": "nearest", "polish": True}, {"mode": "nearest"}, {"mode": "paper"}):
        result = minimum_distortion(model, dark, labels, seeds=np.zeros(1), **choices)  # type: ignore[arg-type]
        exact = 0.5 / 32**0.5
        coarse = 2.0 if choices["mode"] == "paper" else 1.01
        assert exact * 0.999 <= norms(dark, result.adversarial)["l2"].item() <= exact * coarse


@pytest.mark.parametrize(
    "choices", [{"polish": True}, {"mode": "nearest", "polish": True}, {}, {"norm": "l1"}]
)
@pytest.mark.parametrize("kind", ["linear", "sigmoid", "conv"])
def test_torch_and_compiled_kernels_agree(kind: str, choices: dict[str, Any]) -> None:
    compiled, _, images, _ = attack(kind, 32, compiled=True, **choices)
    plain, _, _, _ = attack(kind, 32, compiled=False, **choices)
    one, other = distortion(images, compiled.adversarial), distortion(images, plain.adversarial)
    assert torch.equal(compiled.success, plain.success)
    assert abs(one.mean() / other.mean() - 1) < 3e-3
    assert ((one / other - 1).abs() < 0.01).float().mean() >= 0.9


def scipy_optimum(model: nn.Module, image: Tensor, target: int, c: float) -> Tensor:
    def objective(u: np.ndarray) -> tuple[float, np.ndarray]:
        point = torch.from_numpy(u).float().reshape(image.shape).requires_grad_(True)
        loss = nn.functional.cross_entropy(model(point), torch.tensor([target]))
        (gradient,) = torch.autograd.grad(loss, point)
        change = u - image.flatten().numpy()
        return c * change @ change + loss.item(), 2 * c * change + gradient.flatten().double().numpy()

    start = image.flatten().double().numpy()
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * start.size)
    return torch.from_numpy(found.x).float().reshape(image.shape)


@pytest.mark.parametrize("kind", ["linear", "sigmoid"])
def test_an_inner_solve_of_mode_paper_ends_where_scipy_ends(kind: str) -> None:
    result, model, images, _ = attack(kind, 16, mode="paper")
    assert result.success.all()
    for row in range(16):
        scipy = scipy_optimum(
            model, images[row : row + 1], int(result.target[row]), float(result.weight[row])
        )
        ours = result.adversarial[row : row + 1]
        moved = (scipy - images[row : row + 1]).norm()
        assert (ours - scipy).norm() <= 0.03 * moved


def test_mode_paper_is_the_printed_coarse_search() -> None:
    result, *_ = attack("linear", 16, mode="paper", search=Search(initial_c=100.0, growth=2.0))
    steps = torch.log2(100.0 / result.weight)
    torch.testing.assert_close(steps, steps.round(), atol=1e-3, rtol=0)
    for row in range(16):
        tried = result.trace_weight[row].isfinite()
        assert result.trace_success[row][tried].tolist() == [0] * (int(tried.sum()) - 1) + [1]


def test_the_distortion_never_grows_with_the_weight_of_the_norm() -> None:
    result, *_ = attack("linear", 32, mode="paper", search=Search(bisections=6))
    for row in range(32):
        tried = result.trace_weight[row].isfinite()
        order = result.trace_weight[row][tried].argsort()
        lengths = result.trace_distortion[row][tried][order]
        assert (lengths.diff() <= 1e-3 * lengths[:-1] + 1e-6).all()


def test_tighter_searches_and_the_polish_only_shorten() -> None:
    images = correct_images("sigmoid", COUNT)[1]
    means = [
        distortion(images, attack("sigmoid", **choices)[0].adversarial).mean()
        for choices in ({"mode": "paper"}, {"mode": "tight"}, {"mode": "tight", "polish": True})
    ]
    assert means[0] > means[1] > means[2]


@pytest.mark.parametrize("kind", ["linear", "sigmoid", "conv"])
@pytest.mark.parametrize("norm", ["sq_l2", "l2", "l1"])
@pytest.mark.parametrize("mode", ["paper", "tight", "nearest"])
def test_every_mode_and_norm_fools_every_model_inside_the_box(kind: str, norm: str, mode: str) -> None:
    result, model, images, labels = attack(kind, 24, mode=mode, norm=norm)
    verdict = judge(model, result.adversarial, labels=labels, targets=result.target)
    assert result.adversarial.shape == images.shape
    assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()
    assert verdict.success.float().mean() >= (1.0 if norm == "sq_l2" else 0.9)
    assert torch.equal(verdict.success, result.success)


def test_the_l1_norm_changes_fewer_pixels() -> None:
    images = correct_images("linear", 32)[1]
    dense, sparse = (attack("linear", 32, norm=norm)[0].adversarial for norm in ("sq_l2", "l1"))
    assert norms(images, sparse)["l1"].mean() < norms(images, dense)["l1"].mean()


@settings(max_examples=15)
@given(
    st.permutations(range(12)), st.sampled_from([{"polish": True}, {"mode": "nearest", "polish": True}, {}])
)
def test_an_image_is_attacked_alike_wherever_it_stands(order: list[int], choices: dict[str, Any]) -> None:
    model, images, labels = correct_images("sigmoid", 12)
    seeds = np.arange(12, dtype=np.uint64)
    there = minimum_distortion(model, images, labels, seeds=seeds, **choices)
    moved = minimum_distortion(
        model, images[order], labels[order], seeds=seeds[order], batch_size=5, **choices
    )
    assert torch.equal(moved.target, there.target[order])
    torch.testing.assert_close(moved.adversarial, there.adversarial[order], atol=5e-3, rtol=0)
    again = minimum_distortion(model, images, labels, seeds=seeds, **choices)
    assert torch.equal(again.adversarial, there.adversarial)


@settings(max_examples=20)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["random", "nearest", "second", "least_likely", "untargeted"])
)
def test_any_image_of_the_box_stays_in_the_box_and_ends_where_promised(seed: int, rule: str) -> None:
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.random((4, 1, 8, 8), np.float32)).round(decimals=1)
    model = trained("sigmoid")
    labels = torch.from_numpy(rng.integers(0, 10, 4))
    result = minimum_distortion(
        model,
        images,
        labels,
        target_rule=rule,
        polish=True,
        seeds=rng.integers(0, 2**63, 4),  # type: ignore[arg-type]
    )
    assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()
    assert (result.target != labels).all()
    assert torch.equal(result.already_wrong, model(images).argmax(1) != labels)
    assert torch.equal(
        judge(model, result.adversarial, labels=labels, targets=result.target).success, result.success
    )


def test_images_that_already_give_the_answer_are_left_alone() -> None:
    model, images, labels = correct_images("linear", 8)
    wrong = (labels + 1) % 10
    untargeted = minimum_distortion(model, images, wrong, mode="nearest", polish=True)
    assert torch.equal(untargeted.adversarial, images)
    assert untargeted.already_wrong.all()
    assert (untargeted.reason == Reason.ALREADY_THERE).all()
    aimed = minimum_distortion(model, images, wrong, target_rule="given", given=(labels + 2) % 10)
    assert aimed.already_wrong.all()
    assert (distortion(images, aimed.adversarial) > 0).all()
    assert (aimed.reason == Reason.FOUND).all()


def test_not_finding_is_a_result_with_a_reason() -> None:
    images, labels = torch.rand(3, 1, 4, 4), torch.zeros(3, dtype=torch.int64)
    stubborn = lambda x: x.flatten(1)[:, :2] * 0.01 + torch.tensor([5.0, 0.0])  # noqa: E731
    broken = lambda x: x.flatten(1)[:, :2] * float("nan")  # noqa: E731
    for choices in ({"mode": "paper"}, {"mode": "tight"}, {"mode": "nearest", "polish": True}):
        result = minimum_distortion(stubborn, images, labels, seeds=np.arange(3), **choices)  # type: ignore[arg-type]
        assert not result.success.any()
        assert all(Reason(int(code)).sentence.endswith(".") for code in result.reason)
        assert ((result.adversarial >= 0) & (result.adversarial <= 1)).all()
        result = minimum_distortion(broken, images, labels, seeds=np.arange(3), **choices)  # type: ignore[arg-type]
        assert (result.reason == Reason.NOT_FINITE).all()
        assert torch.equal(result.adversarial, images)


def test_colour_images_of_any_size() -> None:
    images = torch.rand(3, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(5, 3 * 20 * 24, generator=torch.Generator().manual_seed(1))
    model = lambda x: x.flatten(1) @ weight.T  # noqa: E731
    labels = model(images).argmax(1)
    result = minimum_distortion(model, images, labels, mode="nearest", polish=True)
    _, exact = exact_linear(weight, torch.zeros(5), images, labels)
    assert (distortion(images, result.adversarial) <= 1.002 * exact).all()


def test_progress_counts_to_the_end_and_may_cancel() -> None:
    model, images, labels = correct_images("linear", 20)
    seen: list[tuple[int, int]] = []
    minimum_distortion(
        model,
        images,
        labels,
        mode="nearest",
        polish=True,
        batch_size=8,
        progress=lambda *now: seen.append(now),
    )
    assert [now for now in seen if now[0] > 0] == [(8, 20), (16, 20), (20, 20)]

    class Stop(Exception):
        """The job was cancelled."""

    def stop(done: int, total: int) -> None:
        raise Stop(f"{done} of {total}")

    with pytest.raises(Stop):
        minimum_distortion(model, images, labels, mode="nearest", polish=True, batch_size=8, progress=stop)


def test_running_out_of_memory_halves_the_batch() -> None:
    model, images, labels = correct_images("linear", 20)
    sizes: list[int] = []

    def small(x: Tensor) -> Tensor:
        sizes.append(len(x))
        if len(x) > 30:
            raise torch.OutOfMemoryError("no memory for that many")
        return model(x)

    tight = minimum_distortion(small, images, labels, mode="nearest", polish=True)
    assert max(sizes) > 30
    assert tight.success.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "fast"}, "mode is"),
        ({"norm": "l3"}, "norm is"),
        ({"target_rule": "any"}, "target_rule is"),
        ({"seeds": None}, "one seed per image"),
        ({"target_rule": "given"}, "one target per image"),
        ({"norm": "l1", "polish": True}, "Euclidean"),
    ],
)
def test_misuse_is_refused_with_a_sentence(change: dict[str, Any], message: str) -> None:
    model, images, labels = correct_images("linear", 2)
    with pytest.raises(ValueError, match=message):
        minimum_distortion(model, images, labels, **({"seeds": np.arange(2)} | change))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        minimum_distortion(model, images * 2, labels, seeds=np.arange(2))


def test_targets_come_from_each_images_seed_and_spread_over_all_wrong_classes() -> None:
    model, images, labels = correct_images("linear", 1)
    many = 400
    result = minimum_distortion(
        model, images.expand(many, -1, -1, -1), labels.expand(many), polish=True,
        search=Search(polish_ticks=2), seeds=np.arange(many, dtype=np.uint64),
    )  # fmt: skip
    counts = torch.bincount(result.target, minlength=10)
    assert counts[labels[0]] == 0
    assert (counts > 20).sum() == 9


def test_gaussian_noise_is_an_attack_with_the_same_result() -> None:
    model, images, labels = correct_images("linear", 50)
    seeds = np.arange(50)
    one: Callable[..., AttackResult] = gaussian
    noisy = one(model, images, labels, sigma=0.3, clip=False, seeds=seeds)
    assert abs(distortion(images, noisy.adversarial).mean() - 0.3) < 0.02
    clipped = one(model, images, labels, sigma=0.3, clip=True, seeds=seeds)
    assert torch.equal(clipped.adversarial, noisy.adversarial.clamp(0, 1))
    part = one(model, images[7:9], labels[7:9], sigma=0.3, clip=False, seeds=seeds[7:9])
    assert torch.equal(part.adversarial, noisy.adversarial[7:9])
