"""`stsfm ask`: a sentence in, one command and its report out.

stsfm ask "Find change points in [nile]"                     brackets may be left out
stsfm ask "Select a model from [recurrent] for [airline] within 5 minutes"
stsfm ask "Сравни lstm и gru на airline на 12 шагов"         English or Russian
stsfm ask "Which series drives which?" data=my.csv           a file of yours
  KEY=VALUE       words of the command that answers, as for it: protocol.horizon=6 runs_dir=DIR
  --dry-run       what was understood, and the command; nothing is run or written
  --budget 10m    a limit of time: 90s, 10m, 2h
  --yes           don't ask before models are trained (asked on a terminal only)
  --llm           let the language model at STSFM_LLM_URL choose among the names: docs/llm.md
  --replay        the same, from what it answered before; no network
"""

from __future__ import annotations

import math
import re
import sys
from functools import partial
from typing import TYPE_CHECKING

from stsfm.mistakes import Mistake, did_you_mean
from stsfm.request import split_home

if TYPE_CHECKING:
    from stsfm.asking.plan import Plan
    from stsfm.asking.selector import Selector

USAGE = __doc__.partition("\n\n")[2]
FLAGS = ("--budget", "--dry-run", "--llm", "--quiet", "--replay", "--yes")


def main(args: list[str]) -> int:
    """Understand, show, keep, do, report. The exit code is 2 where no request was understood."""
    if {"-h", "--help"} & set(args) or not args:
        print(f"usage:\n{USAGE}", end="")
        return 0 if args else 2
    budget, args = _budget(args)
    flags = [word for word in args if word.startswith("-")]
    for flag in flags:
        if flag not in (*FLAGS, "-q"):
            raise Mistake(f"unknown option {flag!r}.{did_you_mean(flag, FLAGS)} `stsfm ask --help`")
    prompt, *more = [word for word in args if word not in flags] or [""]
    if strange := next((w for w in more if not re.match(r"\+{0,2}[A-Za-z][\w./]*=", w)), ""):
        raise Mistake(f'{strange!r}: wanted one prompt in quotes, then key=value: stsfm ask "…"')
    from stsfm.asking.answers import Ambiguous, Refused
    from stsfm.asking.rules import Keywords

    selector = Keywords()
    try:
        return _answer(prompt, more, flags, budget, selector)
    except (Ambiguous, Refused) as error:
        from stsfm.asking.near import nearest

        sys.stderr.write(f"stsfm ask: {error}\n")
        if isinstance(error, Refused):
            near = nearest(prompt, selector, selector.names)
            sys.stderr.write(
                "\n".join(["these would be understood:", *(f"  {n}" for n in near), ""])
            )
        return 2


def _budget(args: list[str]) -> tuple[int | None, list[str]]:
    """--budget 10m or --budget=10m in seconds, and the other words."""
    rest, found = [], None
    left = iter(args)
    for word in left:
        if word == "--budget" or word.startswith("--budget="):
            from stsfm.launchers.limits import seconds

            text = word.partition("=")[2] or next(left, "")
            found = math.ceil(seconds(text, "--budget") or 0)
        else:
            rest.append(word)
    return found, rest


def _answer(
    prompt: str, more: list[str], flags: list[str], budget: int | None, selector: Selector
) -> int:
    from stsfm.asking import plan
    from stsfm.asking.resolve import resolve
    from stsfm.screen import Screen

    files = [word.partition("=")[2] for word in more if word.startswith("data=")]
    given = files[-1] if files else None
    screen = Screen(quiet=bool({"-q", "--quiet"} & set(flags)))
    by_rule = partial(resolve, prompt, selector, data=given, step=plan.step_of)
    model = None
    if {"--llm", "--replay"} & set(flags):
        from stsfm.asking.llm import helped

        model = helped.exchanges(split_home(more)[0] / "_asks", replay="--replay" in flags)
        understood = helped.understand(prompt, by_rule, model, screen.warn, data=given,
                                       step=plan.step_of)  # fmt: skip
    else:
        understood = by_rule()
    planned = plan.plan(prompt, plan.budgeted(understood, budget), more)
    for line in planned.lines():
        screen.say(line)
    if "--dry-run" in flags:
        return 0
    if planned.long and "--yes" not in flags and not _agreed(planned):
        return 0
    planned.keep()
    outcome = plan.do(planned, screen)
    if outcome.code == 0:
        wording = [helped.wording(model, screen.warn)] if model else []
        plan.report(planned, outcome, screen, *wording)
    if model:
        model.keep(planned.folder)
    return outcome.code


def _agreed(planned: Plan) -> bool:
    """Asked where somebody is there to answer."""
    if not sys.stdin.isatty() or (planned.folder / "ask.json").is_file():
        return True
    sys.stderr.write("this trains models. Go on? [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("", "y", "yes", "д", "да")
