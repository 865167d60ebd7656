"""`stsfm new model NAME`: the two files that a model, net, loss or dataset of your own starts from.

Within a checkout they become part of the project: models/NAME.py and conf/model/NAME.yaml. Anywhere
else NAME.py is a plug-in in the working folder, with its YAML in conf/ beside it.
"""

from __future__ import annotations

import keyword
import sys
from pathlib import Path

from stsfm import options, targets
from stsfm.mistakes import Mistake, no_such

TEMPLATES = Path(__file__).with_name("templates")
KINDS = {  # what is new → (room of a checkout, group of the config)
    "model": ("models", "model"),
    "net": ("models", "model"),
    "loss": ("losses", "loss"),
    "data": ("datasets", "data"),
}
USAGE = """\
usage: stsfm new model|net|loss|data NAME

  model   learns in fit, continues a past in predict      net    an nn.Module, trained for you
  loss    prices a forecast, cell by cell                 data   a function that returns a panel
"""


def main(args: list[str]) -> int:
    """Write the two files, and say how they are run and tested."""
    if {"-h", "--help"} & set(args):
        print(USAGE, end="")
        return 0
    if len(args) != 2:
        raise Mistake("wanted what to write and its name: stsfm new model my_model")
    kind, name = args
    if kind not in KINDS:
        raise no_such("template", kind, KINDS)
    room, group = KINDS[kind]
    project = options.FOLDER.parent
    inside = (project / "pyproject.toml").is_file() and Path.cwd().is_relative_to(project)
    code = project / room / f"{name}.py" if inside else Path(f"{name}.py")
    config = (options.FOLDER if inside else Path("conf")) / group / f"{name}.yaml"
    _check_name(name, group, inside)
    for file in (code, config):
        if file.exists():
            raise Mistake(f"{file} is there already, and is left as it is; choose another name")
    module = f"stsfm.{room}.{name}" if inside else name
    for file, suffix in ((code, "py"), (config, "yaml")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled((TEMPLATES / f"{kind}.{suffix}").read_text(), kind, name, module))
        print(f"wrote {file}")
    flags = [] if inside else [f"'plugins=[{name}]'", "--config-dir conf"]
    choice = f"{group}={name}" + " model=lstm" * (group == "loss")
    print("run it:   ", " ".join(["stsfm run", choice, *flags]))
    if group == "model":
        print("check it: ", " ".join(["stsfm check", choice, *flags]))
    return 0


def _filled(text: str, kind: str, name: str, module: str) -> str:
    """A template with the names put in; it is a file that runs as it stands."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    text = text.replace(f"_target_: my_{kind}.", f"_target_: {module}.")
    return text.replace(f"My{kind.title()}", camel).replace(f"my_{kind}", name)


def _check_name(name: str, group: str, inside: bool) -> None:
    if not (name.isidentifier() and name.isascii() and name[0] != "_") or keyword.iskeyword(name):
        raise Mistake(f"{name!r} is no name: wanted letters, digits and _, such as my_{group}")
    if name != name.lower():
        raise Mistake(f"{name!r}: a file is written small, {name.lower()!r}; its class is not")
    if name in options.groups().get(group, []):
        raise Mistake(f"{group}={name} is there already; choose another name")
    if not inside and (name in sys.stdlib_module_names or targets.is_importable(name)):
        raise Mistake(f"a module {name!r} is there already, and would be taken instead of yours")
