"""The figures of an adversarial training: errors by arm, how they fell, how robust the networks became."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from blindspots.experiments import drawing
from blindspots.experiments.adversarial_training_arms import ARMS, BASE, ArmName
from blindspots.experiments.base import Figure, Outcome
from blindspots.experiments.parameters import Array, Theme

DASHES = ("solid", "dash", "dot", "dashdot")
SHOWN_ROUNDS = 500
FADED = 0.12  # opacity of a band


def draw_test_error(outcome: Outcome, theme: Theme) -> Any:
    """A point per seed and the mean of each arm; the paper's numbers with their intervals."""
    palette, arms = drawing.colours(theme), _arms(outcome)
    figure = go.Figure(layout=drawing.layout(theme))
    seeds = [(_short(arm), run["test_error"], run["seed"]) for arm in arms for run in arm["runs"]]
    figure.add_scatter(
        x=[error for _, error, _ in seeds], y=[name for name, _, _ in seeds],
        customdata=[seed for _, _, seed in seeds], mode="markers", name="one seed",
        marker={"color": palette.accent, "size": 7, "opacity": 0.5},
        hovertemplate="%{y}, seed %{customdata}<br>test error %{x:.2%}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[arm["test_error_mean"] for arm in arms], y=[_short(arm) for arm in arms],
        mode="markers", name="mean",
        marker={"color": palette.text, "symbol": "line-ns-open", "size": 18, "line": {"width": 2}},
        hovertemplate="%{y}<br>mean test error %{x:.2%}<extra></extra>",
    )  # fmt: skip
    printed = [arm for arm in arms if arm["paper"] is not None]
    if printed:
        figure.add_scatter(
            x=[arm["paper"] for arm in printed], y=[_short(arm) for arm in printed], mode="markers",
            name="the paper, 95 % of 10,000 images",
            marker={"color": palette.reference, "symbol": "diamond", "size": 9},
            error_x={
                "type": "data", "symmetric": False, "color": palette.reference, "thickness": 1.5, "width": 4,
                "array": [arm["paper_high"] - arm["paper"] for arm in printed],
                "arrayminus": [arm["paper"] - arm["paper_low"] for arm in printed],
            },
            hovertemplate="%{y}<br>printed %{x:.1%}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "test error"}, "tickformat": ".1%", "rangemode": "tozero", "showgrid": True},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": False},
        showlegend=True,
    )
    return figure


def draw_curves(outcome: Outcome, theme: Theme) -> Any:
    """Test error after every round: mean over the seeds, and their range."""
    errors = outcome.result.array("test_error")  # (arms, seeds, rounds)
    rounds = errors.shape[2]
    shown = np.unique(np.linspace(0, rounds - 1, min(rounds, SHOWN_ROUNDS)).round().astype(np.int64))
    figure = go.Figure(layout=drawing.layout(theme))
    for place, arm in enumerate(_arms(outcome)):
        mine, x = errors[place][:, shown], shown + 1
        colour = _line(place, theme)
        if len(mine) > 1:
            figure.add_scatter(
                x=np.concatenate([x, x[::-1]]), y=np.concatenate([mine.max(axis=0), mine.min(axis=0)[::-1]]),
                fill="toself", mode="none", fillcolor=colour["color"], opacity=FADED, hoverinfo="skip",
                legendgroup=arm["arm"], showlegend=False, visible=_first_seen(arm),
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=mine.mean(axis=0), mode="lines", line=colour, name=_short(arm), legendgroup=arm["arm"],
            visible=_first_seen(arm),
            hovertemplate=f"{arm['title']}<br>round %{{x}}<br>test error %{{y:.2%}}<extra></extra>",
        )  # fmt: skip
    settled = errors[:, :, rounds // 4 :]
    top = float(np.clip(1.15 * np.quantile(settled, 0.98), 0.01, 1.05))
    figure.update_layout(
        xaxis={"title": {"text": "round"}},
        yaxis={"title": {"text": "test error"}, "tickformat": ".1%", "range": [0, top]},
        showlegend=True,
    )
    return figure


def draw_robust_error(outcome: Outcome, theme: Theme) -> Any:
    """Share of the attacked test images that a change of some size turns wrong, mean over the seeds."""
    lengths = outcome.result.array("nearest_l2")  # (arms, seeds, images)
    radii = np.array(outcome.result.summary["radii"], dtype=np.float64)
    fine = np.linspace(0, 1.1 * radii.max(), 60)
    figure = go.Figure(layout=drawing.layout(theme))
    for place, arm in enumerate(_arms(outcome)):
        flat = np.sort(lengths[place].ravel())
        figure.add_scatter(
            x=fine, y=_share_within(flat, fine), mode="lines", line=_line(place, theme), name=_short(arm),
            legendgroup=arm["arm"],
            hovertemplate=f"{arm['title']}<br>radius %{{x:.2f}}<br>%{{y:.1%}} wrong<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=radii, y=_share_within(flat, radii), mode="markers", marker=_line(place, theme, marker=True),
            legendgroup=arm["arm"], showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "allowed change, L2 norm"}, "rangemode": "tozero"},
        yaxis={"title": {"text": "test images turned wrong"}, "tickformat": ".0%", "range": [0, 1.02]},
        showlegend=True,
    )
    return figure


def draw_distortion(outcome: Outcome, theme: Theme) -> Any:
    """Mean distortion to the nearest wrong class and to a random one, before and after."""
    palette, arms = drawing.colours(theme), _arms(outcome)
    figure = go.Figure(layout=drawing.layout(theme))
    for key, name, colour in (
        ("mean_distortion", "nearest wrong class", palette.accent),
        ("mean_distortion_random", "random class, as in the paper", palette.reference),
    ):
        known = [arm for arm in arms if arm[key] is not None]
        figure.add_scatter(
            x=[arm[key] for arm in known], y=[_short(arm) for arm in known], mode="markers", name=name,
            marker={"color": colour, "size": 10},
            hovertemplate="%{y}<br>mean distortion %{x:.4f}<extra></extra>",
        )  # fmt: skip
        before = next((arm[key] for arm in known if arm["arm"] == BASE), None)
        if before is not None:
            figure.add_vline(x=before, line={"color": colour, "dash": "dot", "width": 1})
    figure.update_layout(
        xaxis={"title": {"text": "mean distortion (root mean square per pixel)"}, "rangemode": "tozero"},
        yaxis={"type": "category", "autorange": "reversed", "showgrid": True},
        showlegend=True,
    )
    return figure


def draw_pools(outcome: Outcome, theme: Theme) -> Any:
    """How large the changes of each round's new examples are, layer by layer."""
    arms = [arm["arm"] for arm in _arms(outcome)]
    with_pools: tuple[ArmName, ...] = ("all", "input", "layer1", "layer2", "noise")
    chosen = next((name for name in with_pools if name in arms), None)
    if chosen is None:
        return drawing.empty(theme, "No arm of this job has a pool.")
    sizes = outcome.result.array("pool_distortion")[arms.index(chosen)]  # (seeds, rounds, layers)
    figure = go.Figure(layout=drawing.layout(theme))
    rounds = np.arange(2, sizes.shape[1] + 1)
    for layer in range(sizes.shape[2]):
        mean = sizes[:, 1:, layer].mean(axis=0)
        if np.isfinite(mean).any():
            figure.add_scatter(
                x=rounds, y=np.where(np.isfinite(mean), mean, None), mode="lines", line=_line(layer, theme),
                name="pixels" if layer == 0 else f"hidden layer {layer}",
                hovertemplate="round %{x}<br>%{y:.4f}<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        xaxis={"title": {"text": "round"}},
        yaxis={"title": {"text": "mean change per unit"}, "rangemode": "tozero"},
        showlegend=True,
    )
    return figure


def _arms(outcome: Outcome) -> list[dict[str, Any]]:
    arms: Any = outcome.result.summary["arms"]
    return list(arms)


def _short(arm: dict[str, Any]) -> str:
    return ARMS[arm["arm"]].short


def _first_seen(arm: dict[str, Any]) -> bool | str:
    """Eight lines are too many at once: those of one layer wait in the legend."""
    return "legendonly" if arm["arm"] in ("input", "layer1", "layer2") else True


def _line(place: int, theme: Theme, *, marker: bool = False) -> dict[str, Any]:
    """Five colours, then the same with dashes."""
    palette = drawing.colours(theme)
    cycle = (palette.text, palette.accent, palette.reference, palette.good, palette.warning)
    colour = {"color": cycle[place % len(cycle)]}
    return colour if marker else {**colour, "dash": DASHES[place // len(cycle) % len(DASHES)]}


def _share_within(ascending: Array, radii: Array) -> Array:
    return np.searchsorted(ascending, radii, side="right") / len(ascending)


FIGURES: Mapping[str, Figure] = {
    "test_error": Figure(
        title="Test error of every way of training",
        reading="Each pale point is one network, the mark is the mean of an arm; diamonds are the paper's "
        "printed numbers. Arms whose points overlap are not told apart by eye: see the tests in the table.",
        formula=r"\text{test error} = \tfrac1n \#\{ i : \arg\max z(x_i) \ne y_i \}",
        source="Szegedy et al. 2013, section 4; intervals: Wilson 1927",
        draw=draw_test_error,
    ),
    "curves": Figure(
        title="Test error while the networks learnt",
        reading="Lines are means over the seeds, bands reach from the best to the worst seed; click a name "
        "in the legend to show or hide an arm. The steep beginning is cut off.",
        formula=r"\text{round } t: \ \min_\theta \ \overline{\mathrm{CE}}(\text{clean}) + \sum_k w_k \, "
        r"\overline{\mathrm{CE}}(g_k, P_k) + \text{decay}",
        source="Szegedy et al. 2013, section 4; sizes and weights of the pools are ours",
        draw=draw_curves,
    ),
    "robust_error": Figure(
        title="How many test images a small change turns wrong",
        reading="At each radius, the share of the attacked images that have a wrong answer within that L2 "
        "distance; lower is more robust, and the left end is the error without any change.",
        formula=r"e(\varepsilon) = \text{share of images with } d \le \varepsilon, \ d = \lVert r \rVert_2 "
        r"\text{ of the nearest error found, } 0 \text{ if wrong already}",
        source="Attack: Szegedy et al. 2013, section 4.1, in mode nearest with polish",
        draw=draw_robust_error,
    ),
    "distortion": Figure(
        title="How far the test images are from an error",
        reading="Further right is more robust; the dotted lines mark weight decay only, the networks before "
        "adversarial training.",
        formula=r"\overline{\lVert r \rVert_2 / \sqrt n}, \ n \text{ pixels, over all attacked images; } 0 "
        r"\text{ for an image that is wrong already}",
        source="Szegedy et al. 2013, section 4.1 and table 1",
        draw=draw_distortion,
    ),
    "pools": Figure(
        title="How large the changes in the pools are",
        reading="Mean change of the examples made in each round, in the arm with all pools if there is one: "
        "a rising line says that the layers above need larger changes to be fooled.",
        formula=r"\overline{\lVert r_k \rVert_2 / \sqrt{d_k}}, \ d_k \text{ units of layer } k",
        source="Szegedy et al. 2013, section 4",
        draw=draw_pools,
    ),
}
