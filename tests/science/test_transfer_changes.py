"""Changes that are compared across models: amplified, in random directions, noisy."""

import numpy as np
import pytest

from blindspots.science import transfer as science


def test_amplification_can_clip_and_spare_what_is_longer() -> None:
    rng = np.random.default_rng(1)
    original = rng.random((5, 1, 4, 4), dtype=np.float32)
    adversarial = original + np.float32(0.3) * rng.standard_normal((5, 1, 4, 4)).astype(np.float32)
    own = science.l2_norms(original, adversarial) / 4
    spared = science.amplify(original, adversarial, distortion=0.3, at_least_own=True)
    assert science.l2_norms(original, spared) / 4 == pytest.approx(np.maximum(own, 0.3), abs=1e-6)
    clipped = science.amplify(original, adversarial, distortion=0.9, clip=True)
    assert clipped.min() >= 0
    assert clipped.max() <= 1
    with pytest.raises(ValueError, match="above 0"):
        science.amplify(original, adversarial, distortion=0)


def test_noise_is_unclipped_and_the_same_for_any_cut() -> None:
    original = np.zeros((40, 1, 3, 3), np.float32)
    index = np.arange(40)
    noise = science.add_noise(original, sigma=0.3, clip=False, seed=7, stream=1, index=index)
    assert noise.min() < -0.3
    assert noise.std() == pytest.approx(0.3, rel=0.1)
    shuffled = np.random.default_rng(0).permutation(40)[:9]
    again = science.add_noise(
        original[shuffled], sigma=0.3, clip=False, seed=7, stream=1, index=index[shuffled]
    )
    assert np.array_equal(again, noise[shuffled])
    for changed in ({"seed": 8}, {"stream": 2}):
        other = {"seed": 7, "stream": 1, **changed}
        assert not np.array_equal(
            science.add_noise(original, sigma=0.3, clip=False, index=index, **other), noise
        )
    assert science.add_noise(original, sigma=0.3, clip=True, seed=7, stream=1, index=index).min() == 0
