"""The parts of the demo; `app.py` beside this folder puts them together."""
