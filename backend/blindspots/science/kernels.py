"""The per-image arithmetic of the attacks, fused into a few passes per row.

Numba, float32, one thread, the GIL released.

Every function has a twin of the same name and arguments in `boxed` or `lbfgs`, in torch for GPUs; tests hold
the two equal. Arrays are C-contiguous, (n, d) float32 unless said, and changed in place where the twin says
so.
"""

# ruff: noqa: PLR0917  (kernels take arrays by position)
# numba infers the types of the kernels; their torch twins state them
# mypy: disable-error-code="no-untyped-def"

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from torch import Tensor

FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinity keep their meaning

ROOT_STEPS = 24
ROOT_TOLERANCE = np.float32(2e-3)  # of the margin to be crossed; the walk aims past the boundary by more
FLAT = np.float32(1e-30)
LEAST_CURVATURE = np.float32(0.2)  # Powell's damping
ZERO, HALF, ONE, FOUR = np.float32(0), np.float32(0.5), np.float32(1), np.float32(4)


def compiled(kernel: Callable[..., Any]) -> Any:
    """Compile at the first call, and keep the machine code on disk where a folder for it can be written."""
    try:
        return numba.njit(fastmath=FAST, nogil=True, cache=True, error_model="numpy")(kernel)
    except RuntimeError:  # numba found no folder that it may write to
        return numba.njit(fastmath=FAST, nogil=True, error_model="numpy")(kernel)


def _on_tensors(kernel: Callable[..., None]) -> Callable[..., None]:
    """The kernel for CPU tensors, which it reads and changes without a copy, and numbers."""

    def call(*arguments: Any) -> None:
        kernel(*[a.numpy() if isinstance(a, Tensor) else np.float32(a) for a in arguments])

    return call


@compiled
def _keep_shorter(best, best_size, x, original, reached, ones):
    n, d = x.shape
    for row in range(n):
        if not reached[row]:
            continue
        size = ZERO
        for i in range(d):
            change = x[row, i] - original[row, i]
            size += abs(change) if ones else change * change
        if size < best_size[row]:
            best_size[row] = size
            for i in range(d):
                best[row, i] = x[row, i]


@compiled
def _crossing(v, g, root):
    """g . clip(v - root g, 0, 1) and the rate at which it falls."""
    value, rate = ZERO, ZERO
    for i in range(v.size):
        free = v[i] - root * g[i]
        boxed = min(max(free, ZERO), ONE)
        value += g[i] * boxed
        rate += g[i] * g[i] if free == boxed else ZERO
    return value, rate


@compiled
def _walk_step(x, original, slope, gradient, margin, excess, weight, size, turned, pull, averaging):
    n, d = x.shape
    v = np.empty(d, np.float32)
    for row in range(n):
        u, x0, g, new = x[row], original[row], slope[row], gradient[row]
        level, start, square, away = ZERO, ZERO, ZERO, ZERO
        turn, before = ZERO, ZERO
        kept, drawn = averaging[row], pull[row]
        for i in range(d):
            change = u[i] - x0[i]
            away += change * change
            difference = new[i] - g[i]
            turn += difference * difference
            before += g[i] * g[i]
            g[i] += (ONE - kept) * difference
            v[i] = u[i] - drawn * change
            level += g[i] * u[i]
            start += g[i] * v[i]
            square += g[i] * g[i]
        size[row] = away
        turned[row] = turn / max(before, FLAT)
        tolerance = ROOT_TOLERANCE * (abs(margin[row]) + excess[row])
        level -= margin[row] + excess[row]
        root = _root(v, g, level, start, square, tolerance)
        weight[row] = drawn / (FOUR * max(root, FLAT))
        for i in range(d):
            u[i] = min(max(v[i] - root * g[i], ZERO), ONE)


@compiled
def _root(v, g, level, start, square, tolerance):
    """The mu >= 0 with g . clip(v - mu g) = level: safeguarded Newton on a falling, piecewise linear
    function."""
    if not (start > level) or not (square > FLAT):
        return ZERO
    low, high = ZERO, np.float32(np.inf)
    root = (start - level) / square
    for _ in range(ROOT_STEPS):
        value, rate = _crossing(v, g, root)
        over = value - level
        if abs(over) <= tolerance:
            break
        if over > ZERO:
            low = root
        else:
            high = root
        guess = root + over / rate if rate > FLAT else np.float32(np.inf)
        if low < guess < high:
            root = guess
        elif high < np.inf:
            root = HALF * (low + high)
        elif rate > FLAT:
            root = guess
        else:
            break  # every pixel is at its bound: nearer to the boundary the box does not reach
    return root


@compiled
def _push_pair(steps, changes, count, x, trial, gradient, trial_gradient, used):
    n, d = x.shape
    memory = steps.shape[1]
    for row in range(n):
        if used[row]:
            slot = count[row] % memory
            for i in range(d):
                steps[row, slot, i] = trial[row, i] - x[row, i]
                changes[row, slot, i] = trial_gradient[row, i] - gradient[row, i]
            count[row] += 1


@compiled
def _descend(
    trial, x, original, gradient, pull, stiffness, steps, changes, count, length, expected, residual
):
    n, d = x.shape
    wide = stiffness.shape[1] > 1
    q, w, free = np.empty(d, np.float32), np.empty(d, np.float32), np.empty(d, np.float32)
    scratch = np.empty((3, steps.shape[1]), np.float32)
    for row in range(n):
        worst = ZERO
        for i in range(d):
            w[i] = stiffness[row, i if wide else 0]
            slope = gradient[row, i] + pull[row, i if wide else 0] * (x[row, i] - original[row, i])
            stuck = (x[row, i] <= ZERO and slope > ZERO) or (x[row, i] >= ONE and slope < ZERO)
            free[i] = ZERO if stuck else ONE
            q[i] = free[i] * slope
            worst = max(worst, abs(q[i]) / w[i])
        residual[row] = worst
        _two_loops(q, w, free, steps[row], changes[row], count[row], scratch)
        along = ZERO
        for i in range(d):
            slope = gradient[row, i] + pull[row, i if wide else 0] * (x[row, i] - original[row, i])
            trial[row, i] = min(max(x[row, i] - length[row] * q[i], ZERO), ONE)
            along += slope * (trial[row, i] - x[row, i])
        expected[row] = along


@compiled
def _two_loops(q, w, free, steps, changes, count, scratch):
    memory, d = steps.shape
    held = min(count, memory)
    share, inverse, damped = scratch[0], scratch[1], scratch[2]
    for back in range(held):
        s, y = steps[(count - 1 - back) % memory], changes[(count - 1 - back) % memory]
        quadratic, curvature, along = ZERO, ZERO, ZERO
        for i in range(d):
            step = free[i] * s[i]
            quadratic += w[i] * step * s[i]
            curvature += step * y[i]
            along += step * q[i]
        damped[back] = _damping(quadratic, curvature)
        total = quadratic + damped[back] * curvature
        inverse[back] = ONE / total if total > FLAT else ZERO
        share[back] = along * inverse[back]
        for i in range(d):
            q[i] -= share[back] * free[i] * (damped[back] * y[i] + w[i] * s[i])
    for i in range(d):
        q[i] /= w[i]
    for ahead in range(held):
        back = held - 1 - ahead
        s, y = steps[(count - 1 - back) % memory], changes[(count - 1 - back) % memory]
        along = ZERO
        for i in range(d):
            along += q[i] * free[i] * (damped[back] * y[i] + w[i] * s[i])
        rest = share[back] - inverse[back] * along
        for i in range(d):
            q[i] += rest * free[i] * s[i]


@compiled
def _damping(quadratic, curvature):
    if quadratic + curvature >= LEAST_CURVATURE * quadratic:
        return ONE
    return -(ONE - LEAST_CURVATURE) * quadratic / curvature


keep_shorter = _on_tensors(_keep_shorter)
walk_step = _on_tensors(_walk_step)
push_pair = _on_tensors(_push_pair)
descend = _on_tensors(_descend)
