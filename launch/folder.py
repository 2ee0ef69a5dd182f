"""The folder that a checkout's demo and `./run serve` keep their data in, used by one of them at a time."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from launch.postgres import forget_data
from launch.processes import ROOT

FOLDER: Final = ROOT / ".keel"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Have a folder to ourselves: two servers over the same data would destroy it.

    Raises
    ------
    RuntimeError
        If the folder cannot be written, or another process of ours uses it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+")
    except OSError as error:
        raise RuntimeError(f"cannot write to {folder}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise RuntimeError(
                f"{folder} is in use by process {lock.read().strip() or '(unknown)'}: stop that one first"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
        lock.truncate(0)


def forget(folder: Path) -> None:
    """Remove what earlier starts left in a folder that we hold."""
    forget_data(folder / "postgres")
    for part in folder.iterdir():
        if part.name == "lock":
            continue
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()
