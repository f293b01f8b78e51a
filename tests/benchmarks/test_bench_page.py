"""The budgets of the page, in a short run of the benchmark."""

from __future__ import annotations

import pytest

from tests.benchmarks.bench_page import OURS, SHORT, measure


@pytest.mark.timeout(600)
@pytest.mark.benchmark
@pytest.mark.browser
def test_a_streaming_answer_stays_within_its_budget_and_far_below_display_updates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = measure(SHORT)
    with capsys.disabled():
        print(f"\n{report.table()}")
    # Bytes are the same on any machine; seconds are not, so they are compared.
    assert all(figure.within() for figure in report.figures() if figure.unit == "kB")
    ours, per_delta = report.methods[OURS], report.methods["display update per delta"]
    assert ours.received * 10 < per_delta.received
    assert ours.renderer * 3 < per_delta.renderer
