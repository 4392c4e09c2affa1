"""Lets the tests of scripts import them; a script finds its neighbours as it does when it is run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
