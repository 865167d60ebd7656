"""What a table says, in words: who loses to whom, what is left out, and what may not be claimed."""

from __future__ import annotations

from stsfm.record.shelf import Effort
from stsfm.significance.origins import FEWEST
from stsfm.tables.cells import METRIC, seeds_of
from stsfm.tables.grid import Grid
from stsfm.tables.pivot import Pivot
from stsfm.tables.row import Row
from stsfm.tables.sheet import EXPLORATORY, digits_of
from stsfm.tables.table import Table, costs
from stsfm.words import count, lasting, listed, number

ORACLE = (
    "† An oracle is known only afterwards: such a row shows what knowing it would be worth, and is "
    "neither ranked nor the control."
)
SPREAD = "The sampling error is the standard error of the test score over origins."
UNSCALED = "without a seasonal naive error on train there is no scale"


def sentences(table: Table) -> list[str]:
    """What the table says, in words; nothing that it does not say."""
    words = []
    best = table.best_classical
    if best is not None:
        words.append(f"Best classical model on validation: {best.label}.")
        nets = [row for row in table.rows if row.records and row.is_net and not row.oracle]
        words += [_verdict(table, row, best) for row in nets]
    words += about_graphs(table)
    words += about_intervals(table)
    words += table.searched
    words += table.tested or [_untested(table)]
    words += about_failures(table)
    tried = count(table.tried, "configuration")
    words.append(f"{tried} tried under this protocol, {len(table.rows)} shown.")
    words += [] if table.effort is None else [spent(table.effort)]
    words += [f"Left out: {what}." for what in table.left_out]
    words += footnotes(table)
    return words + ([EXPLORATORY] if table.exploratory else [])


def _untested(table: Table) -> str:
    free = table.status["independent"]
    done = "No significance test" if free < FEWEST else "No difference was tested for significance"
    return f"{done}: {count(free, 'independent origin')}."


def spent(effort: Effort, where: str = "under this protocol") -> str:
    """All that was computed, shown or not."""
    of = f", of which {effort.failed} failed" if effort.failed else ""
    return f"{count(effort.runs, 'run')} {where} took {lasting(effort.seconds)} in all{of}."


def about_failures(table: Table) -> list[str]:
    """Rows without numbers, and rows whose numbers are of some of their seeds only."""
    failed = sum(not row.records for row in table.rows)
    are = "is" if failed == 1 else "are"
    words = [f"{count(failed, 'configuration')} failed and {are} ranked last."] if failed else []
    partly = [row for row in table.rows if row.records and row.failures]
    return words + [f"{row.label} has {seeds_of(row)} seeds: {row.failures[0]}." for row in partly]


def about_graphs(table: Table) -> list[str]:
    """Who read a graph, and was not run without one: no skill of space may be claimed."""
    known = [row for row in (*table.rows, *table.hidden) if row.graph]
    alone = {row.model for row in known if row.graph == "no graph"}
    unproven = sorted({row.model for row in known} - alone)
    if not unproven:
        return []
    return [
        "A gain may not come from the graph: data.space=none was not run with "
        f"{', '.join(unproven)}."
    ]


def about_intervals(table: Table) -> list[str]:
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
    without, nodes = table.unscaled
    warned = [f"{line}." for line in table.status.get("warned", ())]
    words = [f"MASE is over {nodes - without} of {nodes} nodes: {UNSCALED}."] * (without < nodes)
    words = words or [f"MASE is undefined: {UNSCALED}."]
    words *= bool(without) and not table.metrics
    return warned + words + [ORACLE] * any(row.oracle for row in table.rows)


def _verdict(table: Table, net: Row, best: Row) -> str:
    """How a net stands to the best classical model on validation, and who else is ahead of it."""
    mine, theirs = table.score(net), table.score(best)
    if mine is None or theirs is None:
        return f"{(best if mine else net).label} has no test score."
    cost = {row.label: costs(row, "test", table.metric) for row in table.rows if row.records}
    gap = cost[net.label] - cost[best.label]
    tested = table.tested and table.status["independent"] >= FEWEST  # whether it loses, that says
    behind = "is behind" if tested else "loses to"
    verb = behind if gap > 0 else "is ahead of" if gap < 0 else "equals"
    digits = digits_of(map(table.score, table.rows))
    numbers = f"{number(mine.mean, digits)} against {number(theirs.mean, digits)}"
    words = f"{net.label} {verb} {best.label}: test {METRIC[table.metric].label} {numbers}"
    others = [row for row in table.rows if row.records and not row.is_net and not row.oracle]
    classical = [row.label for row in others if row is not best]
    ahead = [name for name in classical if cost[name] < cost[net.label]]
    return f"{words}; also ahead of it: {', '.join(ahead)}." if ahead else f"{words}."


def caption(table: Table) -> str:
    """The task in a line, and what the columns hold."""
    status = table.status
    if table.metrics:
        return f"{status['headline']}. {_published(table)} {SPREAD}"
    return (
        f"{status['headline']}. MAE, RMSE, CRPS and width in {status['units']}; MASE relative to "
        "the seasonal naive error on train; skill relative to the seasonal naive error on test. "
        f"{SPREAD} Intervals are native to a model, or conformal: from its errors on the last rows "
        "of train."
    )


def _published(table: Table) -> str:
    """The metrics of a protocol by their formulas, and what its views are."""
    each = (METRIC[name] for name in table.metrics)
    words = "; ".join(f"{metric.label}: {metric.formula}" for metric in each)
    ordered = f"Rows are in the order of test {METRIC[table.metric].label} over all of the horizon"
    views = f"; {listed(table.views)} are parts of it" if table.views else ""
    return f"{words}; data in {table.status['units']}. {ordered}{views}."


def of_pivot(one: Pivot) -> list[str]:
    """What the cells of a sheet are, then what is missing from it."""
    seeds = any((v := entry.value(one.metric)) and v.sd is not None for entry in one.entries)
    words = f"Test {METRIC[one.metric].label}{', mean ± sd over seeds' if seeds else ''}"
    words += f"{_units(one)}; best and second best within a task."
    if one.ranked:
        words += (
            " Mean rank over tasks, failures last; skill: 1 − the geometric mean over tasks of "
            "MAE / MAE of the seasonal naive model."
        )
    said = [words]
    if one.without:
        keys = [axis for axis in (*one.row_axes, *one.column_axes) if "." in axis]
        said.append(f"Without {', '.join(keys)}: {', '.join(one.without)}.")
    lost = [entry for entry in one.entries if entry.row.records and entry.row.failures]
    said += [f"{e.at['model']} on {e.task.label}: {seeds_of(e.row)} seeds." for e in lost]
    return said + ([EXPLORATORY] if one.exploratory else [])


def _units(one: Pivot) -> str:
    if METRIC[one.metric].unit != "data":
        return ""
    tasks = {entry.task.data: entry.task.table.status["units"] for entry in one.entries}
    return " in " + ", ".join(
        f"{unit} ({data})" if len(tasks) > 1 else unit for data, unit in tasks.items()
    )


def of_grid(grid: Grid) -> list[str]:
    """What is said of several tasks at once: protocols that differ, families, failures, costs."""
    words = list(grid.tested)
    varied = [f"{task.label} ({task.fingerprint})" for task in grid.tasks if task.variant]
    if varied:
        words.append(
            f"Tasks of their own, since scores of different protocols are not compared: "
            f"{'; '.join(varied)}."
        )
    families = {task.family for task in grid.tasks}
    if len(families) < len(grid.tasks):
        of = "one family" if len(families) == 1 else f"{len(families)} families"
        words.append(f"{count(len(grid.tasks), 'task')} of {of}: no independent replicates.")
    words += [
        f"Ranks over {many} folds of {name}: Kendall's W = {agreed:.2f} (1: one order in all of "
        "them, 0: none)."
        for name, (many, agreed) in grid.concordance().items()
    ]
    ranks = grid.ranks()
    if unranked := [name for name in grid.models if ranks[name] is None]:
        words.append(
            f"Without a mean rank, having an oracle or no score somewhere: {listed(unranked)}."
        )
    shown = sum(len(table.rows) for table in grid.tables)
    tried = count(sum(table.tried for table in grid.tables), "configuration")
    words.append(f"{tried} tried over all tasks, {shown} shown.")
    efforts = [table.effort for table in grid.tables if table.effort]
    if len(efforts) == len(grid.tables):
        sums = ((e.tried, e.runs, e.failed, e.seconds) for e in efforts)
        words.append(spent(Effort(*map(sum, zip(*sums, strict=True))), "of these protocols"))
    return words
