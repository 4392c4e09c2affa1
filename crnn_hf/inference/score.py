"""`python -m crnn_hf.inference.score DATA --model MODEL --output FILE`: as `crnn-hf score`, by one process or several.

`accelerate launch -m crnn_hf.inference.score …` and `torchrun -m crnn_hf.inference.score …` start several. They want a
module to start; nothing imports this one, so that the command line stays above the rest of the package.
"""

import sys

from crnn_hf.cli import main

if __name__ == "__main__":
    sys.exit(main(["score", *sys.argv[1:]]))
