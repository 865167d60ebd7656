"""All benchmarks: a line each, with the bound it is to keep. Exit code 1 where one is not kept."""

import startup
import training

if __name__ == "__main__":
    kept = [training.main(), startup.main()]
    raise SystemExit(not all(kept))
