"""`python -m crnn_hf.cli`, the same as `crnn-hf`."""

import sys

from crnn_hf.cli import main

sys.exit(main())
