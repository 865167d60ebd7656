"""Where a run took place: enough to do it again, or to see why it came out otherwise."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import stsfm

PACKAGES = (
    "stsfm",
    "torch",
    "lightning",
    "numpy",
    "scipy",
    "statsmodels",
    "hydra-core",
    "omegaconf",
)


def environment(threads: int) -> dict[str, Any]:
    """Versions, machine and device; and the state of the checkout that the source lies in."""
    return {
        "python": sys.version.split()[0],
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpus": os.cpu_count(),
        "threads": threads,
        "device": _device(),
        "git": _git(),
    }


def drift(recorded: dict[str, Any]) -> list[str]:
    """The packages whose version is another than a run was made with."""
    made = recorded.get("packages", {})
    now = {name: _version(name) for name in made}
    return [f"{name} {made[name]} (now {now[name]})" for name in made if made[name] != now[name]]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _device() -> str:
    torch = sys.modules.get("torch")  # a run that did not need it was not on its devices
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return platform.processor() or platform.machine()


def _git() -> dict[str, str] | None:
    """Commit and uncommitted changes of the checkout that the source lies in."""
    home = Path(stsfm.__file__).resolve().parent.parent
    if not (home / ".git").exists():
        return None
    run = lambda *words: subprocess.run(  # noqa: E731
        ["git", "-C", str(home), *words], capture_output=True, text=True, check=False
    ).stdout.strip()
    try:
        return {"commit": run("rev-parse", "HEAD"), "changes": run("diff", "HEAD")}
    except OSError:  # a checkout on a machine without git
        return None
