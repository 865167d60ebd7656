"""What a table says, in words: who loses to whom, what is left out, and what may not be claimed."""

from __future__ import annotations

from stsfm.tables.cells import METRIC, Column, digits_of
from stsfm.tables.table import Row, Table
from stsfm.words import count

ORACLE = "† An oracle is known only afterwards: such a row shows what knowing it would be worth."


def sentences(table: Table) -> list[str]:
    """What the table says, in words; nothing that it does not say."""
    words = []
    best = table.best_classical
    if best is not None:
        words.append(f"Best classical model on validation: {best.label}.")
        words += [_verdict(table, row, best) for row in table.rows if row.records and row.is_net]
    words += _about_intervals(table)
    free = count(table.status["independent"], "independent origin")
    few = table.status["independent"] < 10
    done = "No significance test" if few else "No difference was tested for significance"
    words.append(f"{done}: {free}.")
    tried = count(table.tried, "configuration")
    words.append(f"{tried} tried under this protocol, {len(table.rows)} shown.")
    words += [f"Left out: {what}." for what in table.left_out]
    words += footnotes(table)
    if table.exploratory:
        words.append(
            "EXPLORATORY: every configuration is shown, so the best test score is optimistic."
        )
    return words


def _about_intervals(table: Table) -> list[str]:
    """Who has no intervals and why, and where nodes share theirs; rows alike in one sentence."""
    without: dict[str, list[str]] = {}
    shared: dict[int, list[str]] = {}
    for row in table.rows:
        if reason := row.intervals.get("reason"):
            without.setdefault(reason, []).append(row.label)
        if nodes := row.intervals.get("pooled_nodes"):
            shared.setdefault(nodes, []).append(row.label)
    words = [f"No intervals for {', '.join(of)}: {reason}." for reason, of in without.items()]
    for nodes, of in shared.items():
        few = f"{count(nodes, 'node')} with too few residuals"
        words.append(f"The intervals of {few} are those of all nodes: {', '.join(of)}.")
    return words


def footnotes(table: Table) -> list[str]:
    return [ORACLE] if any("oracle" in row.sees for row in table.rows) else []


def _verdict(table: Table, net: Row, best: Row) -> str:
    """How a net stands to the best classical model on validation, and who else is ahead of it."""
    key, label = table.metric, METRIC[table.metric].label
    errors = {row.label: value.mean for row in table.rows if (value := row.score("test", key))}
    if net.label not in errors or best.label not in errors:
        return f"{net.label} has no test score."
    shown = Column(label=label, get=lambda _, row: row.score("test", key))
    digits = digits_of([shown.get(table, row) for row in table.rows if row.records], shown)
    mine, theirs = errors[net.label], errors[best.label]
    verb = "loses to" if mine > theirs else "is ahead of" if mine < theirs else "equals"
    numbers = f"{mine:.{digits}f} against {theirs:.{digits}f}"
    words = f"{net.label} {verb} {best.label}: test {label} {numbers}"
    classical = [
        row.label for row in table.rows if row.records and not row.is_net and row is not best
    ]
    ahead = [name for name in classical if errors.get(name, mine) < mine]
    return f"{words}; also ahead of it: {', '.join(ahead)}." if ahead else f"{words}."


def caption(table: Table) -> str:
    status = table.status
    return (
        f"{status['headline']}. MAE, RMSE, CRPS and width in {status['units']}; MASE relative to "
        "the seasonal naive error on train; skill relative to the seasonal naive error on test. "
        "Intervals are native to a model, or conformal: from its errors on the last rows of train."
    )
