"""`python -m bridge` is the command `rma-bridge`."""

import sys

from bridge.cli import main

sys.exit(main())
