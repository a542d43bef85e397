"""How hypothesis runs here: without deadlines, and the same way every time in CI."""

import os

from hypothesis import settings

settings.register_profile("relay", deadline=None)
settings.register_profile("relay-ci", deadline=None, derandomize=True)
settings.load_profile("relay-ci" if os.environ.get("CI") else "relay")
