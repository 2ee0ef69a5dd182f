"""CPU seconds of a process and all its descendants, the ended ones too (Linux; elsewhere 0)."""

import os
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(root: int) -> float:
    """User and system seconds of the tree below a process, as the kernel has booked them."""
    if not (PROC / "self" / "stat").exists():
        return 0.0
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended: its parent's books hold it
            continue
        pid = int(entry.name)
        ticks[pid] = sum(int(field) for field in fields[11:15])
        children.setdefault(int(fields[1]), []).append(pid)
    total, queue = 0, [root]
    while queue:
        pid = queue.pop()
        total += ticks.get(pid, 0)
        queue += children.get(pid, [])
    return total / os.sysconf("SC_CLK_TCK")
