"""Folders of compiled code: the one in use is marked as used, those long out of use go."""

import os
import re
import shutil
import time
from pathlib import Path

UNUSED_DAYS = 30.0
OURS = re.compile(r"kernels-[0-9a-f]{16}")


def use_kernel_folder(folder: Path) -> Path:
    """Return the folder, made or marked as used now; where it is made, siblings unused for 30 days are removed.

    What can be neither made, marked nor removed is left alone: a cache must keep nobody from working.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        _mark_as_used(folder)
    except OSError:
        return folder
    else:
        _remove_unused(folder)
    return folder


def _mark_as_used(folder: Path) -> None:
    """Set the time of the folder itself, which reading compiled code does not."""
    try:
        os.utime(folder)
    except OSError:
        return


def _remove_unused(folder: Path) -> None:
    oldest = time.time() - UNUSED_DAYS * 86400.0
    try:
        siblings = [one for one in folder.parent.iterdir() if one != folder and OURS.fullmatch(one.name)]
    except OSError:
        return
    for sibling in siblings:
        try:
            unused = sibling.is_dir() and not sibling.is_symlink() and sibling.stat().st_mtime < oldest
        except OSError:
            continue
        if unused:
            shutil.rmtree(sibling, ignore_errors=True)
