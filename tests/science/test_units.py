"""Directions, the images that move them most, and what those share, against plain recomputations."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from blindspots.science import directions, unit_scores
from blindspots.science.activations import TopImages, Watch, activations, codes_of, pooled
from blindspots.science.networks import Convolutional, MultilayerPerceptron, SparseAutoencoderSoftmax

SHAPE = (1, 8, 8)


def images(count: int) -> torch.Tensor:
    return torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(5))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_top_images_are_those_of_a_stable_sort_however_they_come(data: st.DataObject) -> None:
    count, k = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 8))
    k = min(k, count)
    few = st.sampled_from([-2.0, -0.0, 0.0, 1e-30, 0.5, 3.0])  # many ties, both zeros
    scores = np.array(
        data.draw(st.lists(st.lists(few, min_size=3, max_size=3), min_size=count, max_size=count))
    )
    top = TopImages(3, k)
    start = 0
    while start < count:
        stop = min(count, start + data.draw(st.integers(1, count)))
        top.add(torch.tensor(scores[start:stop], dtype=torch.float32), torch.arange(start, stop))
        start = stop
    found, rows = top.found()
    expected = np.argsort(-scores, axis=0, kind="stable")[:k].T
    np.testing.assert_array_equal(rows.numpy(), expected)
    np.testing.assert_array_equal(
        found.numpy(), np.take_along_axis(scores.T, expected, axis=1).astype(np.float32)
    )


def test_fewer_images_than_places_are_refused() -> None:
    top = TopImages(2, 3)
    top.add(torch.zeros(2, 2), torch.arange(2))
    with pytest.raises(ValueError, match="at least 3 images"):
        top.found()


def test_what_is_watched_is_what_numpy_finds_on_all_codes_at_once() -> None:
    generator = np.random.default_rng(0)
    codes, labels = generator.standard_normal((300, 7)), generator.integers(0, 4, 300)
    matrix, offset = generator.standard_normal((7, 5)), generator.standard_normal(5)
    watch = Watch(torch.tensor(matrix).float(), torch.tensor(offset).float(), k=6, classes=4)
    for start in range(0, 300, 64):
        rows = slice(start, min(start + 64, 300))
        place = torch.arange(rows.start, rows.stop)
        watch.add(torch.tensor(codes[rows]).float(), torch.tensor(labels[rows]), place)
    found, scores = watch.found(), codes @ matrix + offset
    np.testing.assert_array_equal(found.row.numpy(), np.argsort(-scores, axis=0)[:6].T)
    np.testing.assert_allclose(found.score.numpy(), -np.sort(-scores, axis=0)[:6].T, rtol=1e-5)
    for label in range(4):
        assert int(found.class_count[label]) == (labels == label).sum()
        np.testing.assert_allclose(found.class_sum[:, label], scores[labels == label].sum(axis=0), atol=1e-4)
    np.testing.assert_allclose(found.square_sum, np.square(scores).sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.least, scores.min(axis=0), rtol=1e-4)


def test_a_hook_sees_what_the_network_computes_there() -> None:
    shown = images(6)
    dense = MultilayerPerceptron(SHAPE, 3, widths=(5, 4)).eval()
    first = torch.sigmoid(dense.hidden[0](shown.flatten(1)))
    second = torch.sigmoid(dense.hidden[1](first))
    torch.testing.assert_close(activations(dense, shown, "activation", call=1), first)
    torch.testing.assert_close(activations(dense, shown, "activation", call=2), second)
    torch.testing.assert_close(activations(dense, shown, "output"), dense(shown))
    conv = Convolutional(SHAPE, 3, filters=4, kernel=3, pool=2, hidden=6, dropout=0.5).eval()
    maps = torch.relu(conv.pool(conv.convolution(shown)))
    torch.testing.assert_close(activations(conv, shown, "activation"), maps)
    hidden = torch.relu(conv.hidden(maps.flatten(1)))
    torch.testing.assert_close(activations(conv, shown, "activation", call=2), hidden)
    codes = SparseAutoencoderSoftmax(SHAPE, 3, codes=7).eval()
    torch.testing.assert_close(activations(codes, shown, "activation"), codes.encode(shown))
    torch.testing.assert_close(pooled(maps, "max"), maps.amax(dim=(2, 3)))
    torch.testing.assert_close(pooled(maps, "mean"), maps.mean(dim=(2, 3)))


def test_a_layer_that_is_not_there_is_named() -> None:
    network = MultilayerPerceptron(SHAPE, 3, widths=(5,)).eval()
    with pytest.raises(LookupError, match="no module 'hiden'"):
        activations(network, images(2), "hiden")
    with pytest.raises(LookupError, match="called 1 times, not 2"):
        activations(network, images(2), "activation", call=2)
    with pytest.raises(ValueError, match="not finite"):
        pooled(torch.tensor([[1.0, float("nan")]]), "max")
    assert not network.activation._forward_hooks, "hooks are taken off again"


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_codes_do_not_depend_on_the_chunk(chunk: int) -> None:
    network = Convolutional(SHAPE, 3, filters=4, kernel=3, pool=2, hidden=6, dropout=0.5).eval()
    whole = torch.cat(list(codes_of(network, images(50), "activation", call=2, chunk=50)))
    pieces = torch.cat(list(codes_of(network, images(50), "activation", call=2, chunk=chunk)))
    torch.testing.assert_close(pieces, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 5, 64])
def test_a_random_rotation_is_a_rotation_and_its_powers_lead_to_it(width: int) -> None:
    rotation = directions.random_rotation(width, seed=width)
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(width), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_array_equal(rotation, directions.random_rotation(width, seed=width))
    np.testing.assert_allclose(directions.rotation_power(rotation, 0), np.eye(width), atol=1e-10)
    np.testing.assert_allclose(directions.rotation_power(rotation, 1), rotation, atol=1e-10)
    third = directions.rotation_power(rotation, 1 / 3)
    np.testing.assert_allclose(third.T @ third, np.eye(width), atol=1e-10)
    np.testing.assert_allclose(third @ third @ third, rotation, atol=1e-9)


def test_half_turns_have_powers_too() -> None:
    turn = np.diag([-1.0, -1.0, 1.0, -1.0, -1.0])
    half = directions.rotation_power(turn, 0.5)
    np.testing.assert_allclose(half @ half, turn, atol=1e-12)
    for wrong in (np.diag([-1.0, 1.0]), 2 * np.eye(2)):
        with pytest.raises(ValueError, match="determinant 1"):
            directions.rotation_power(wrong, 0.5)


def test_random_directions_are_uniform() -> None:
    first = np.stack([directions.random_rotation(4, seed)[:, 0] for seed in range(3000)])
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose(first.T @ first / 3000, np.eye(4) / 4, atol=0.03)
    frame = directions.random_frame(9, 4, seed=1)
    np.testing.assert_allclose(frame.T @ frame, np.eye(4), atol=1e-12)
    with pytest.raises(ValueError, match="1 to 3"):
        directions.random_frame(3, 4, seed=1)


def spread(count: int = 400) -> np.ndarray:
    """Codes of unequal variance, skewed, with one dead unit."""
    generator = np.random.default_rng(3)
    mixing = generator.standard_normal((6, 6)) * np.arange(1, 7)
    return np.hstack([generator.exponential(size=(count, 6)) @ mixing + 2, np.zeros((count, 1))])


def test_principal_directions_are_those_of_scikit_learn() -> None:
    codes = spread()
    ours = directions.principal_directions(codes, 4)
    theirs = PCA(4, svd_solver="full").fit(codes).components_.T
    np.testing.assert_allclose(np.abs((ours * theirs).sum(axis=0)), 1, atol=1e-10)
    assert ((((codes - codes.mean(axis=0)) @ ours) ** 3).sum(axis=0) > 0).all(), "the long tail is shown"
    assert directions.principal_directions(codes, 7).shape == (7, 6), "no variance, no direction"


def test_whitened_codes_have_unit_covariance() -> None:
    codes = spread()
    found = directions.whitening(codes)
    white = (codes - found.mean) @ found.matrix
    covariance = np.cov(white, rowvar=False)
    np.testing.assert_allclose(covariance[:6, :6], np.eye(6), atol=1e-6)
    np.testing.assert_allclose(white[:, 6], 0, atol=1e-6)
    np.testing.assert_allclose(found.matrix, found.matrix.T, atol=1e-10)


def test_independent_components_of_a_mixture_are_found() -> None:
    generator = np.random.default_rng(8)
    sources = generator.exponential(size=(3000, 3))
    mixing = generator.standard_normal((3, 3))
    columns, converged = directions.independent_directions(sources @ mixing, 3, seed=0)
    assert converged
    found = sources @ mixing @ columns
    match = np.abs(np.corrcoef(sources.T, found.T)[:3, 3:])
    assert (match.max(axis=0) > 0.99).all()
    again, _ = directions.independent_directions(sources @ mixing, 3, seed=0)
    np.testing.assert_array_equal(columns, again)


def test_scores_of_a_row_say_what_it_shares() -> None:
    histogram = unit_scores.class_histogram(np.array([[1, 1, 1, 1], [0, 1, 2, 2]]), 3)
    np.testing.assert_array_equal(histogram, [[0, 4, 0], [1, 1, 2]])
    np.testing.assert_allclose(unit_scores.purity(histogram), [1, 0.5])
    np.testing.assert_allclose(unit_scores.entropy(histogram), [0, 1.5])
    np.testing.assert_allclose(unit_scores.selectivity(np.array([[3.0, 1, 1], [0, 0, 0]])), [0.5, np.nan])
    with pytest.raises(ValueError, match="not negative"):
        unit_scores.selectivity(np.array([[-1.0, 1]]))


def test_coherence_is_the_mean_over_pairs() -> None:
    shown = np.random.default_rng(0).integers(0, 256, (5, 1, 4, 4)).astype(np.uint8)
    shown[2] = 0
    flat = shown.reshape(5, -1).astype(np.float64)
    cosines = [
        flat[a] @ flat[b] / (np.linalg.norm(flat[a]) * np.linalg.norm(flat[b])) if a != 2 != b else 0.0
        for a in range(5)
        for b in range(a)
    ]
    assert unit_scores.coherence(shown) == pytest.approx(np.mean(cosines))
    assert unit_scores.coherence(np.stack([shown[0]] * 3)) == pytest.approx(1)
    with pytest.raises(ValueError, match="two images"):
        unit_scores.coherence(shown[:1])


def test_likeness_is_the_mean_cosine_of_all_pairs() -> None:
    codes = np.random.default_rng(0).normal(size=(6, 9))
    codes[2] = 0
    units = codes / np.maximum(np.linalg.norm(codes, axis=1, keepdims=True), 1e-300)
    pairs = [float(units[a] @ units[b]) for a in range(6) for b in range(6) if a != b]
    assert unit_scores.likeness(codes) == pytest.approx(np.mean(pairs))
    with pytest.raises(ValueError, match="two codes"):
        unit_scores.likeness(codes[:1])
