"""All benchmarks: a line each, with the bound it is to keep. Exit code 1 where one is not kept."""

import compare
import kalman
import ltsf
import memory
import sequences
import startup
import sweep
import training

if __name__ == "__main__":
    kept = [
        training.main(),
        sequences.main(),
        ltsf.main(),
        memory.main(),
        kalman.main(),
        startup.main(),
        sweep.main(),
        compare.main(),
    ]
    raise SystemExit(not all(kept))
