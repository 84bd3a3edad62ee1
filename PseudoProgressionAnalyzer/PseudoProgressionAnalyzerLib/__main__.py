"""``python -m PseudoProgressionAnalyzerLib``: the command line where no console script is installed."""

import sys

from .commandline import main

sys.exit(main())
