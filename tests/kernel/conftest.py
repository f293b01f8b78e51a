"""Kernels for the tests of this folder: one page per version, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.frontend import VERSIONS, Frontend


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: version or "newest")
def page(request: pytest.FixtureRequest) -> Iterator[Frontend]:
    """A front end with its kernel, once for each ipykernel of the matrix."""
    with Frontend(request.param) as page:
        told = page.run("import ipykernel; print(ipykernel.__version__)").text.strip()
        assert request.param in (None, told)
        yield page
