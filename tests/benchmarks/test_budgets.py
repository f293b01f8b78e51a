"""The engine's budgets, in few rounds, stretched a little: the machine that runs the tests does other things, too."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_engine import OFFICIAL, at_once, drained, imports, scripts
from tests.benchmarks.figure import Figure, table

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(180)]
SLACK = 1.2


def show(figures: list[Figure], capsys: pytest.CaptureFixture[str]) -> Figure:
    """Print the table; the figure beside the official SDK, the last one if there are several."""
    with capsys.disabled():
        print(f"\n{table(figures)}")
    return [figure for figure in figures if figure.peer == OFFICIAL][-1]


def test_importing_query_costs_a_fraction_of_the_official_sdks_import(capsys: pytest.CaptureFixture[str]) -> None:
    figure = show(imports(3), capsys)
    # CPU seconds stretch with the machine; beside the official SDK's the import may not grow unseen.
    assert figure.ratio is not None
    assert figure.ratio < 0.25


def test_draining_fifty_thousand_deltas_keeps_its_share_of_the_official_sdks_cpu(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show(drained(3), capsys).within(SLACK)


def test_a_script_that_asks_once_costs_less_than_half(capsys: pytest.CaptureFixture[str]) -> None:
    ratio = show(scripts(2), capsys).ratio
    assert ratio is not None
    assert ratio < 0.5


def test_many_sessions_at_once_cost_less_than_with_the_official_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    ratio = show(at_once(2, 32), capsys).ratio
    assert ratio is not None
    assert ratio < 0.8


def test_a_figure_tells_whether_it_keeps_its_budgets() -> None:
    figure = Figure("x", 0.3, "s", "peer", 1.0, 0.3, most=0.25, most_ratio=0.35)
    assert not figure.within()
    assert figure.within(SLACK)
    assert table([figure]).splitlines()[-1] == "| x | 0.3 s | peer: 1 s | 0.30 × | ≤ 0.25 s, ≤ 0.35 × | **no** |"
