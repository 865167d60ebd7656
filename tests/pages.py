"""What a page of the documentation tells the reader to type and to write, found in its Markdown."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Page:
    """A Markdown page, by its name from the top of the checkout."""

    name: str

    @property
    def text(self) -> str:
        return (ROOT / self.name).read_text()

    def fences(self, language: str) -> list[str]:
        """The body of every fenced block of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def section(self, heading: str) -> str:
        return self.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]

    @property
    def commands(self) -> "list[list[Line]]":
        """Every line to type, block by block."""
        return [_lines(block) for block in self.fences("sh")]

    @property
    def typed(self) -> "list[Line]":
        """Every line to type from top to bottom, those of transcripts, too."""
        fences = re.findall(r"^```(sh|console)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        return [
            line
            for language, body in fences
            for line in (_lines(body) if language == "sh" else [_transcript(body)])
        ]

    @property
    def files(self) -> dict[str, str]:
        """Path → text of the files that the reader is told to write: `path`, then a fence."""
        named = r"^`([\w./]+\.\w+)`\n\n```\w+\n(.*?)^```$"
        return dict(re.findall(named, self.text, re.MULTILINE | re.DOTALL))


class Line(NamedTuple):
    """A line to type: what it needs that is not there, the exit code it has to end with, and what
    it prints where the page shows that."""

    command: str
    needs: str = ""
    code: int = 0
    prints: str = ""


def _lines(block: str) -> list[Line]:
    found = []
    for line in block.replace("\\\n", " ").splitlines():
        command, _, comment = line.partition("  #")
        if command.strip():
            needs = re.fullmatch(r"needs (.+)", comment.strip())
            code = re.search(r"exit (\d+)", comment)
            said = needs[1] if needs else "", int(code[1]) if code else 0
            found.append(Line(command.strip(), *said))
    return found


def _transcript(body: str) -> Line:
    command, _, printed = body.removeprefix("$ ").partition("\n")
    return Line(command, prints=printed)


def shell(command: str, cwd: Path, *, code: int = 0, **environ: str) -> str:
    """What a shell prints for a command that has to end with `code`, and never with a trace."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    clean |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    words = ["bash", "-c", command]
    done = subprocess.run(
        words, cwd=cwd, env=clean | environ, capture_output=True, text=True, timeout=300
    )
    printed = done.stdout + done.stderr
    assert done.returncode == code, f"{command}\nexit {done.returncode}, wanted {code}\n{printed}"
    assert "Traceback" not in printed, f"{command}\n{printed}"
    return printed if code else done.stdout
