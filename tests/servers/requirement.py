"""What happens to a test that this machine cannot run."""

import os
from typing import NoReturn

import pytest


def not_run(reason: str) -> NoReturn:
    """Skips the test, or fails it where the run requires everything (REQUIRE_REAL=1)."""
    if os.environ.get("REQUIRE_REAL") == "1":
        pytest.fail(f"REQUIRE_REAL=1, but {reason}", pytrace=False)
    pytest.skip(reason)
