"""What an estimate's doubt comes of, for a person at a terminal."""

from vmbmodel.plan.estimate import Doubt, Share
from vmbmodel.render.table import render_table

__all__ = ["doubt_text", "taken"]

_COLUMNS = ("answer", "name", "taken", "share", "status", "settled_by")


def doubt_text(answer: Doubt) -> str:
    """Return verdict, intervals and shares as text."""
    lines = [*answer.said(), "", *answer.ranges(), ""]
    rows, before = [], ""
    for share in answer.shares:
        row = vars(share) | {
            "answer": share.answer if share.answer != before else "",
            "name": share.name.removeprefix("reading."),
            "taken": taken(share),
            "share": f"{share.share:.0%}",
        }
        rows.append(row)
        before = share.answer
    if rows:
        lines += ["What the doubt comes of, and what settles it:"]
        lines += [render_table(rows, _COLUMNS, spare=("status", "taken"))]
    lines += [
        f"{answer.draws} draws of {len(answer.drawn)} constants and readings; yours to "
        f"choose, and not drawn: {', '.join(answer.choices)}."
    ]
    return "\n".join(lines)


def taken(share: Share) -> str:
    """Return the value of a constant and what else it may be; nothing of a reading."""
    if share.value is None:
        return ""
    value, low, high = (
        f"{float(f'{end:.3g}'):,g}" for end in (share.value, share.low, share.high)
    )
    return f"{value} ({low} - {high})"
