"""A page that tells whether a recording of speech is real or fake.

`CRNN_MODEL` names the model, a folder or a name on the Hub; `CRNN_BACKEND` what runs it. Without a checkout's
`crnn-hf demo`: python app.py
"""

import sys

from demo.models import serve
from demo.page import build, settings
from transformers.utils.logging import disable_progress_bar

disable_progress_bar()  # of loading, which a model as small as this has no need of
try:
    served = serve()
except (OSError, ValueError, ImportError) as error:
    sys.exit(f"The demo has no model: {error}")
page = build(served)

if __name__ == "__main__":
    page.launch(**settings())
