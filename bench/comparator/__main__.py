"""`python -m bench.comparator PORT`: serve until SIGTERM, with the settings that standard input has as JSON."""

import json
import sys

import uvicorn

from bench.comparator.app import build

if __name__ == "__main__":
    uvicorn.run(
        build(json.load(sys.stdin)),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="warning",
    )
