"""Whatever machine the tests run on, it is no instance of the vendor's."""

from pathlib import Path

import pytest

from relay.credentials import chain


@pytest.fixture(autouse=True)
def no_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "PRODUCT_FILE", Path("/nowhere"))
