"""The paper's attack: L-BFGS in the box on c N(r) + loss, and a search for the largest c that still succeeds.

Szegedy et al. 2013, section 4.1. One tick is one forward and backward pass of all rows; every row has its own
weight, history, step and place in its own search. Rows that are finished leave the batch.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from types import ModuleType

import torch
from torch import Tensor

from blindspots.science import boxed, kernels, lbfgs
from blindspots.science.attacks.goals import Goals
from blindspots.science.attacks.norm_terms import Norm, norm_term, norm_value
from blindspots.science.measures import Classifier

MEMORY = 5
ARMIJO = 1e-4
ROUNDING = 1e-6  # relative: differences of the objective below it are float32 noise
SHRINK = 0.35  # of a step that was refused
STALLED = 1e-3  # a step this short that is still refused ends an inner solve
STATIONARY = 1e-6  # in pixels: the projected gradient over the curvature
FIRST_SHARE = 0.75  # of the weight at which a linear loss would end on the boundary
BRACKET = (0.7, 1.4)  # factors of c until both a failing and a succeeding weight are known
PATIENCE = 0.02  # tight: an inner solve ends when a step is shorter than this share of the change
TIGHT_INNER = 6  # tight: or after so many ticks
CLOSE_ENOUGH = 1.002  # tight: the bracket's ratio at which the search ends
EXTENSION = 3  # tight: rows without success may use this many times `max_ticks`


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the weight of a row moves.

    paper: inner solves start at the original, run to convergence, c falls from `initial_c` by `growth` until
    one succeeds, and only their ends count. Otherwise (tight) solves go on from where they are, c is
    bracketed and bisected from an estimate, and any adversarial trial counts.
    """

    paper: bool
    norm: Norm
    initial_c: float
    growth: float
    bisections: int
    max_weights: int
    max_inner: int
    max_ticks: int


@dataclass
class State:
    """One search per row; arrays (n, d) or (n,), histories (n, memory, d), trace (n, weights, 4)."""

    index: Tensor
    original: Tensor
    x: Tensor
    trial: Tensor
    gradient: Tensor
    first_gradient: Tensor
    best: Tensor
    steps: Tensor
    changes: Tensor
    trace: Tensor
    best_size: Tensor
    c: Tensor
    good_c: Tensor
    bad_c: Tensor
    size: Tensor
    loss: Tensor
    first_loss: Tensor
    length: Tensor
    expected: Tensor
    residual: Tensor
    succeeds: Tensor
    finished: Tensor
    count: Tensor
    inner: Tensor
    weights: Tensor
    refined: Tensor
    ticks: Tensor

    def rows(self, index: Tensor) -> "State":
        """Some rows only, in that order."""
        return State(*(getattr(self, field.name)[index].contiguous() for field in fields(self)))

    def put(self, index: Tensor, rows: "State") -> None:
        """Write rows back to their places."""
        for field in fields(self):
            getattr(self, field.name)[index] = getattr(rows, field.name)


def search_weights(
    model: Classifier, images: Tensor, goals: Goals, plan: Plan, *, fused: bool, tick: Callable[[], None]
) -> State:
    """Search the weight of each row to its end. images: (n, c, h, w), none of which reaches its goal already.

    In the state returned `best_size` is infinite where nothing was found, and `x` is the last attempt.
    """
    shape = tuple(images.shape[1:])
    whole = state = _begin(images.flatten(1).contiguous(), plan)
    glance = 4 if images.device.type == "cpu" else 16  # ticks between looks at who is finished
    for ticks in range(1, EXTENSION * plan.max_ticks + 1):
        _tick(model, state, goals, plan, shape, fused=fused, first=ticks == 1)
        tick()
        if ticks >= plan.max_ticks:
            state.finished |= state.best_size.isfinite() | plan.paper
        if ticks % glance == 0 or ticks == plan.max_ticks:
            stay = (~state.finished).nonzero()[:, 0]
            if len(stay) == 0:
                break
            if len(stay) <= 0.75 * len(state.index):
                if state is not whole:
                    whole.put(state.index, state)
                state, goals = state.rows(stay), goals.rows(stay)
    if state is not whole:
        whole.put(state.index, state)
    return whole


def _begin(original: Tensor, plan: Plan) -> State:
    n, d = original.shape
    device = original.device
    columns: dict[str, Tensor] = {name.name: torch.zeros(n, device=device) for name in fields(State)}
    for name in ("original", "x", "trial", "best"):
        columns[name] = original.clone()
    for name in ("gradient", "first_gradient"):
        columns[name] = torch.zeros_like(original)
    for name in ("steps", "changes"):
        columns[name] = torch.zeros(n, MEMORY, d, device=device)
    for name in ("count", "inner", "weights", "refined", "ticks"):
        columns[name] = torch.zeros(n, dtype=torch.int64, device=device)
    for name in ("succeeds", "finished"):
        columns[name] = torch.zeros(n, dtype=torch.bool, device=device)
    columns["index"] = torch.arange(n, device=device)
    columns["length"] = torch.ones(n, device=device)
    columns["best_size"] = torch.full((n,), float("inf"), device=device)
    columns["bad_c"] = torch.full((n,), float("inf"), device=device)
    columns["trace"] = torch.full((n, plan.max_weights, 4), float("nan"), device=device)
    return State(**columns)


def _tick(
    model: Classifier,
    state: State,
    goals: Goals,
    plan: Plan,
    shape: tuple[int, ...],
    *,
    fused: bool,
    first: bool,
) -> None:
    """Evaluate all trials; accept or refuse them; end inner solves; set the next trials."""
    step, keep = (kernels, kernels) if fused else (lbfgs, boxed)
    point = state.trial.reshape(-1, *shape).detach().requires_grad_(True)
    with torch.enable_grad():
        logits = model(point)
    answers = logits.detach()
    loss, by_logits = goals.cross_entropy(answers)
    (gradient,) = torch.autograd.grad(logits, point, by_logits)
    gradient = gradient.flatten(1).contiguous()
    reached = goals.reached(answers)
    state.ticks += ~state.finished
    if first:
        _first(state, plan, loss, gradient, by_logits)
    else:
        if not plan.paper:
            keep.keep_shorter(
                state.best, state.best_size, state.trial, state.original, reached, plan.norm == "l1"
            )
        _accept(state, plan, loss, gradient, reached, step=step)
        _next_weights(state, plan, keep)
    pull, stiffness = norm_term(state.x - state.original, state.c, plan.norm)
    step.descend(
        state.trial, state.x, state.original, state.gradient, pull, stiffness, state.steps, state.changes,
        state.count, state.length, state.expected, state.residual,
    )  # fmt: skip


def _first(state: State, plan: Plan, loss: Tensor, gradient: Tensor, by_logits: Tensor) -> None:
    """The evaluation at the originals: the start of every solve, and the estimate of the first weight."""
    state.gradient, state.first_gradient = gradient, gradient.clone()
    state.loss, state.first_loss = loss, loss.clone()
    if plan.paper:
        state.c.fill_(plan.initial_c)
        return
    # by_logits is sigmoid(gap) times shares that sum to 1 over the losers; the gap is the margin, smoothed.
    steep = gradient / by_logits.clamp(min=0).sum(dim=1, keepdim=True).clamp(min=1e-12)
    gap = loss.expm1().clamp(min=1e-6).log().clamp(min=1e-3)
    gap = torch.where(loss > 20, loss, gap)
    if plan.norm == "l1":
        state.c = FIRST_SHARE * steep.abs().amax(dim=1) / 4
    elif plan.norm == "l2":
        state.c = FIRST_SHARE * steep.norm(dim=1) / 2
    else:
        state.c = FIRST_SHARE * steep.square().sum(dim=1) / (4 * gap)
    state.c.clamp_(min=1e-12)


def _accept(
    state: State, plan: Plan, loss: Tensor, gradient: Tensor, reached: Tensor, *, step: ModuleType
) -> None:
    """Armijo's test of every trial; x moves where it holds, else the step is shortened. Both teach
    curvature."""
    size = norm_value(state.trial, state.original, plan.norm)
    before, after = state.c * state.size + state.loss, state.c * size + loss
    accepted = after <= before + ARMIJO * state.expected + ROUNDING * before.abs()
    accepted &= after.isfinite()
    moved = (state.trial - state.x).square().sum(dim=1)
    change = (state.trial - state.original).square().sum(dim=1)
    usable = gradient.sum(dim=1).isfinite() & (moved > 1e-14)
    step.push_pair(
        state.steps, state.changes, state.count, state.x, state.trial, state.gradient, gradient, usable
    )
    settled = torch.where(accepted, before - after <= 1e-7 * before.abs(), state.length < STALLED)
    if not plan.paper:
        settled |= accepted & (moved < PATIENCE**2 * change)
    chosen = accepted[:, None]
    state.x = torch.where(chosen, state.trial, state.x)
    state.gradient = torch.where(chosen, gradient, state.gradient)
    state.size = torch.where(accepted, size, state.size)
    state.loss = torch.where(accepted, loss, state.loss)
    state.succeeds = torch.where(accepted, reached, state.succeeds)
    state.length = torch.where(accepted, (2 * state.length).clamp(max=1), SHRINK * state.length)
    state.inner += 1
    limit = plan.max_inner if plan.paper else TIGHT_INNER
    state.residual = torch.where(settled | (state.inner >= limit), 0.0, state.residual)


def _next_weights(state: State, plan: Plan, keep: ModuleType) -> None:
    """Where an inner solve has ended: note it, learn from it which way the weight goes, and begin the
    next."""
    ended = (state.residual <= STATIONARY) & ~state.finished
    _note(state, ended)
    good, bad = ended & state.succeeds, ended & ~state.succeeds
    if plan.paper:
        keep.keep_shorter(state.best, state.best_size, state.x, state.original, good, plan.norm == "l1")
        state.refined += ended & (state.good_c > 0)
    state.good_c = torch.where(good, state.c, state.good_c)
    state.bad_c = torch.where(bad, state.c, state.bad_c)
    state.weights += ended
    has_good, has_bad = state.good_c > 0, state.bad_c.isfinite()
    between = (state.good_c * state.bad_c).sqrt()
    if plan.paper:
        unbracketed = torch.where(has_good, 2 * state.good_c, state.c / plan.growth)
        done = has_good & (state.refined >= plan.bisections)
    else:
        fall = BRACKET[0] ** (1 + state.weights // 3)  # faster and faster while nothing succeeds
        unbracketed = torch.where(has_good, BRACKET[1] * state.c, fall * state.c)
        done = has_good & has_bad & (state.bad_c <= CLOSE_ENOUGH * state.good_c)
    state.c = torch.where(ended, torch.where(has_good & has_bad, between, unbracketed), state.c)
    state.finished |= ended & (done | (state.weights >= plan.max_weights))
    state.inner = torch.where(ended, 0, state.inner)
    state.length = torch.where(ended, 1.0, state.length)
    if plan.paper:
        _restart(state, ended & ~state.finished)


def _restart(state: State, rows: Tensor) -> None:
    """Back to the original, whose evaluation is known."""
    chosen = rows[:, None]
    state.x = torch.where(chosen, state.original, state.x)
    state.gradient = torch.where(chosen, state.first_gradient, state.gradient)
    state.loss = torch.where(rows, state.first_loss, state.loss)
    state.size = torch.where(rows, 0.0, state.size)
    state.succeeds &= ~rows


def _note(state: State, ended: Tensor) -> None:
    """One entry of the trace: weight, distortion, loss, success."""
    rms = (state.x - state.original).square().mean(dim=1).sqrt()
    entry = torch.stack([state.c, rms, state.loss, state.succeeds.float()], dim=1)
    row = torch.arange(len(ended), device=ended.device)
    slot = state.weights.clamp(max=state.trace.shape[1] - 1)
    state.trace[row, slot] = torch.where(ended[:, None], entry, state.trace[row, slot])
