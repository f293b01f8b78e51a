"""The widget itself, over a comm that only records."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import comm
import pytest

from claude_nb.widgets.base import VIEW_MIME, PageModel, script_hash


class RecordingComm(comm.base_comm.BaseComm):
    """Keeps what it would publish."""

    published: list[tuple[str, dict[str, Any]]] = []

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        self.published.append((msg_type, data))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(RecordingComm, "published", [])
    return RecordingComm.published


def test_a_widget_costs_one_comm_of_two_kilobytes(published: list[tuple[str, dict[str, Any]]]) -> None:
    model = PageModel(lambda message: None)
    assert [kind for kind, _ in published] == ["comm_open"]
    assert len(json.dumps(published[0][1])) < 2000
    assert published[0][1]["state"]["script"] == script_hash()
    model.close()


def test_messages_go_both_ways_and_none_after_the_end(published: list[tuple[str, dict[str, Any]]]) -> None:
    heard: list[dict[str, Any]] = []
    model = PageModel(heard.append)
    model.send({"k": "full"})
    assert published[-1] == ("comm_msg", {"method": "custom", "content": {"k": "full"}})
    model._widget._handle_custom_msg({"k": "ready"}, [])
    assert heard == [{"k": "ready"}]
    assert model.open
    model.close()
    model.send({"k": "late"})
    assert [kind for kind, _ in published] == ["comm_open", "comm_msg", "comm_close"]
    assert not model.open


def test_the_first_display_names_the_widget_and_reads_well_without_one(
    published: list[tuple[str, dict[str, Any]]],
) -> None:
    model = PageModel(lambda message: None)
    bundle = model.view_bundle()
    assert bundle[VIEW_MIME]["model_id"] == model.comm_id
    assert bundle["text/plain"] == "(running)"
    assert repr(model) == "(running)"
    model.close()


def test_the_package_loads_no_widget_library_before_one_is_made() -> None:
    late = ("anywidget", "ipywidgets", "IPython")
    code = f"import sys, claude_nb.widgets.live; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
