"""How the process ends, for scripts and operators; argparse itself ends with 2."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Documented in docs/operating.md; the numbers never change."""

    CLEAN_STOP = 0
    CHECK_FAILED = 1
    USAGE = 2
    CONFIGURATION_REFUSED = 3
    COULD_NOT_START = 4
    GAVE_UP = 5
