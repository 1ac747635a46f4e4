"""Distances, verdicts and noise, by hand-made cases."""

import numpy as np
import pytest
import torch
from torch import Tensor

from blindspots.science.measures import distortion, gaussian_noise, judge, norms, round_to_8_bits, wanted


def brightness(images: Tensor) -> Tensor:
    """Class 1 if the mean pixel is above one half."""
    mean = images.flatten(1).mean(dim=1)
    return torch.stack([torch.full_like(mean, 0.5), mean], dim=1)


def test_norms_of_a_known_change() -> None:
    original = torch.zeros(2, 1, 2, 2)
    adversarial = torch.tensor([[[[0.3, 0.0], [0.0, 0.4]]], [[[0.0, 0.0], [0.0, 0.0]]]])
    measured = norms(original, adversarial)
    expected = {"l0": [2, 0], "l1": [0.7, 0], "l2": [0.5, 0], "linf": [0.4, 0], "rms": [0.25, 0]}
    for name, values in expected.items():
        np.testing.assert_allclose(measured[name], values, rtol=1e-6)


def test_distortion_times_root_n_is_l2() -> None:
    """Szegedy et al. 2013, section 4.1: 28 times the distortion on MNIST."""
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    other = images.flip(0)
    np.testing.assert_allclose(28 * distortion(images, other), norms(images, other)["l2"])


def test_norms_refuse_images_of_different_shapes() -> None:
    with pytest.raises(ValueError, match="one shape"):
        norms(torch.zeros(2, 3), torch.zeros(2, 4))


def test_success_is_judged_on_the_stored_image_and_again_at_8_bits() -> None:
    """0.5005 is above one half as float32; 8 bits have 127/255 and 128/255 only, which it rounds to."""
    images = torch.tensor([0.5005, 0.499, 0.9]).reshape(3, 1, 1, 1)
    labels = torch.tensor([0, 0, 1])
    verdict = judge(brightness, images, labels=labels, targets=torch.tensor([1, 1, -1]))
    assert verdict.reached.tolist() == [1, 0, 1]
    assert verdict.success.tolist() == [True, False, False]
    assert verdict.reached_8bit.tolist() == [1, 0, 1]
    shaky = torch.full((1, 1, 1, 1), 0.50001) * torch.ones(1, 1, 2, 1)
    shaky[0, 0, 1, 0] = 0.4985
    high = judge(brightness, shaky + 0.001, labels=labels[:1], targets=labels[2:])
    assert high.success.tolist() == [True]
    assert (round_to_8_bits(shaky) * 255).round().allclose(round_to_8_bits(shaky) * 255)


def test_an_answer_that_is_not_finite_is_no_success() -> None:
    verdict = judge(
        lambda images: images.flatten(1)[:, :2] * float("nan"),
        torch.zeros(2, 1, 2, 2),
        labels=torch.tensor([0, 1]),
        targets=torch.tensor([-1, 0]),
    )
    assert verdict.reached.tolist() == [-1, -1]
    assert not verdict.success.any()


def test_judging_needs_float32() -> None:
    none = torch.zeros(1, dtype=torch.int64)
    with pytest.raises(ValueError, match="float32"):
        judge(brightness, torch.zeros(1, 1, 2, 2).double(), labels=none, targets=none)


def test_wanted_is_the_target_or_anything_but_the_label() -> None:
    answers, labels = torch.tensor([3, 3, 2, 2]), torch.tensor([2, 2, 2, 2])
    targets = torch.tensor([3, 4, -1, 2])
    assert wanted(answers, labels=labels, targets=targets).tolist() == [True, False, False, True]


@pytest.mark.parametrize("clip", [False, True])
def test_noise_has_its_standard_deviation_and_clips_only_when_asked(clip: bool) -> None:
    images = torch.full((20, 1, 28, 28), 0.1)
    noisy = gaussian_noise(images, sigma=0.3, clip=clip, generator=torch.Generator().manual_seed(0))
    again = gaussian_noise(images, sigma=0.3, clip=clip, generator=torch.Generator().manual_seed(0))
    assert torch.equal(noisy, again)
    assert bool((noisy < 0).any()) is not clip
    if not clip:
        assert abs(float(distortion(images, noisy).mean()) - 0.3) < 0.01
