"""What pytest has to know before it loads the tests."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.builders", "tests.places")
