"""The attack against closed forms and scipy: how short is what it finds?"""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from attacked_models import correct_images
from blindspots.science.attacks.exact_linear import exact_linear
from blindspots.science.attacks.minimum_distortion import Search, minimum_distortion
from blindspots.science.attacks.result import AttackResult
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
    ({"mode": "nearest", "norm": "l2"}, 1.01, 1.3),
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
