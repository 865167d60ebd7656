"""A table for a paper: booktabs, and letters that mean something to LaTeX escaped."""

from __future__ import annotations

import unicodedata

from stsfm.tables.grid import Grid
from stsfm.tables.sheet import EXPLORATORY, Sheet
from stsfm.tables.sheets import sheets
from stsfm.tables.table import Table

MARKS = {"best": r"\textbf{{{}}}", "second": r"\underline{{{}}}", "": "{}"}
PLAIN = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "_": r"\_", "%": r"\%", "&": r"\&",
    "#": r"\#", "$": r"\$", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "—": "---", "–": "--", "…": r"\dots{}", "|": r"\textbar{}", "“": "``", "”": "''",
    "’": "'", "‘": "`", "\u00a0": "~",
}  # fmt: skip
MATHEMATICS = {
    "<": "<", ">": ">", "±": r"\pm", "·": r"\cdot", "−": "-", "†": r"^\dagger", "≥": r"\geq",
    "≤": r"\leq", "×": r"\times", "→": r"\to", "←": r"\leftarrow", "↔": r"\leftrightarrow",
    "√": r"\surd", "∞": r"\infty", "∈": r"\in", "∑": r"\sum", "∏": r"\prod", "∫": r"\int",
    "∂": r"\partial", "∇": r"\nabla", "≈": r"\approx", "≠": r"\neq", "≡": r"\equiv",
    "∘": r"\circ", "⊙": r"\odot", "⊗": r"\otimes", "⊕": r"\oplus", "‖": r"\|", "∪": r"\cup",
    "∩": r"\cap", "⟨": r"\langle", "⟩": r"\rangle", "≪": r"\ll", "≫": r"\gg", "∼": r"\sim",
    "⊤": r"\top", "⊆": r"\subseteq", "∝": r"\propto", "⌊": r"\lfloor", "⌋": r"\rfloor",
    "°": r"^\circ", "⌈": r"\lceil", "⌉": r"\rceil", "′": "'", "½": r"\frac12", "ℓ": r"\ell",
    "∥": r"\|",
}  # fmt: skip
CAPITALS = "ΓΔΘΛΞΠΣΦΨΩ"  # the others look like Latin ones
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
KNOWN = 0x17F  # the last of the letters, accented ones included, that LaTeX takes as they are


def as_latex(shown: Table | Grid | Sheet) -> str:
    """A table environment for each sheet: booktabs, so \\usepackage{booktabs} in the preamble."""
    return "\n".join(map(_latex, sheets(shown)))


def _latex(sheet: Sheet) -> str:
    stamp = [EXPLORATORY] if sheet.exploratory else []
    words = " ".join([sheet.caption, *sheet.footnotes, *stamp])
    return "\n".join(
        [
            r"\begin{table}", r"\centering", rf"\caption{{{escaped(words)}}}", *tabular(sheet),
            r"\end{table}", *(f"% {note}" for note in sheet.notes), "",
        ]
    )  # fmt: skip


def tabular(sheet: Sheet) -> list[str]:
    """The lines of a sheet, without what is around them in a paper."""
    align = "".join("l" if k in sheet.words else "r" for k in range(len(sheet.heads[-1])))
    body = [[MARKS[c.mark].format(escaped(c.text)) for c in line] for line in sheet.body]
    return [
        rf"\begin{{tabular}}{{{align}}}", r"\toprule", *_spanning(sheet),
        " & ".join(map(escaped, sheet.heads[-1])) + r" \\", r"\midrule",
        *(" & ".join(line) + r" \\" for line in body), r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip


def _spanning(sheet: Sheet) -> list[str]:
    """Headings over several columns, each with a rule under it."""
    lines = []
    for level in sheet.spans:
        cells, rules, first = [], [], 1
        for text, width in level:
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(text)}}}" if text else "")
            rules += [rf"\cmidrule(lr){{{first}-{first + width - 1}}}"] if text else []
            first += width
        lines += [" & ".join(cells) + r" \\", " ".join(rules)]
    return lines


def escaped(text: str) -> str:
    """Text that means nothing to LaTeX; letters that are none of its own as mathematics.

    One that has no name there is left as it is, and wants xelatex.
    """
    return "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    if letter.isascii() or letter in PLAIN:
        return PLAIN.get(letter) or (f"${letter}$" if letter in MATHEMATICS else letter)
    if name := MATHEMATICS.get(letter) or _greek(letter):
        return f"${name}$"
    kind, _, of = unicodedata.decomposition(letter).partition(" ")
    if kind in ("<super>", "<sub>"):  # ², ₜ
        low = "".join(map(_escaped, "".join(chr(int(code, 16)) for code in of.split())))
        return f"${'^' if kind == '<super>' else '_'}{{{low.strip('$')}}}$"
    base, marks = (parts := unicodedata.normalize("NFD", letter))[0], parts[1:]
    if len(marks) == 1 and marks in ACCENTS and (letter == "ŷ" or ord(letter) > KNOWN):
        return rf"$\{ACCENTS[marks]}{{{base}}}$"
    return letter


def _greek(letter: str) -> str:
    r"""\alpha, \Delta; "" for other letters."""
    alphabet, *_, name = unicodedata.name(letter, "NONE NONE").replace("LAMDA", "LAMBDA").split()
    if alphabet != "GREEK" or (letter.isupper() and letter not in CAPITALS):
        return ""
    return f"\\{name.title() if letter.isupper() else name.lower()}"
