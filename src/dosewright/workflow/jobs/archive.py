"""A job folder as one compressed archive and back; what is removed was read back first."""

import hashlib
import os
import secrets
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from dosewright.core.errors import InputError
from dosewright.execution.artifact import FOLDER_MODE, file_sha256, private_folder, publish, sidecar_of, verified
from dosewright.workflow.folder import JobFolder, former_request, held
from dosewright.workflow.jobs.registry import Job, Registry, State

SUFFIX = ".tar.xz"
PRESET: Final = 1  # of xz; higher ones take many times longer for a few percent
LOCK_FILE = ".lock"
CHUNK_BYTES = 1 << 20


def archive(job: Job, registry: Registry, place: str) -> Job:
    """Put a job's folder into a compressed archive below `place` (empty: beside it), and remove the folder.

    The archive is read back and every file compared by its hash before anything is removed.

    Raises
    ------
    InputError
        The job is running, archived already, has a second copy still to be made, or its folder is none of ours; or an
        archive of that name is there.
    """
    refuse_unless_at_rest(job, "archived")
    if job.copy_pending:
        raise InputError(
            f"Job {job.id} has a second copy still to be made ({job.second_copy}); "
            "`dosewright jobs tidy` tries again, then it can be archived."
        )
    folder = Path(job.folder)
    refuse_unless_ours(folder)
    path = (Path(place).expanduser() if place else folder.parent) / f"{folder.name}{SUFFIX}"
    if path.exists():
        raise InputError(f"There is an archive of that name already. Where: {path}.")
    with held(folder):
        kept = replace(job, state=State.HISTORIC, archive=str(path))
        meta = {"job": kept.as_json(), "state": job.state.value, "files": hashes(folder)}
        private_folder(path.parent)
        publish(path, lambda temporary: _pack(folder, temporary), meta)
        if _hashes_within(path) != meta["files"] or hashes(folder) != meta["files"]:
            sidecar_of(path).unlink()
            path.unlink()
            raise InputError(f"The folder changed while it was archived; it was left as it is. Where: {folder}.")
        shutil.rmtree(folder)
    return registry.change(job.id, state=State.HISTORIC, archive=str(path))


def restore(job: Job, registry: Registry) -> Job:
    """Put an archived job back into its folder, verified, and remove the archive.

    Raises
    ------
    InputError
        The job is not archived, its archive is gone or damaged, or something lies where the folder was.
    """
    if not job.archive:
        raise InputError(f"Job {job.id} is not archived. Its folder: {job.folder}.")
    path, folder = Path(job.archive), Path(job.folder)
    if folder.exists():
        raise InputError(f"Something lies where the folder of job {job.id} was. Where: {folder}.")
    meta = verified(path)
    if meta is None:
        raise InputError(f"The archive of job {job.id} is gone or damaged; nothing was restored. Where: {path}.")
    private_folder(folder.parent)
    fresh = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        with tarfile.open(path, "r:xz") as packed:
            packed.extractall(fresh, filter="data")
        if hashes(fresh) != meta["files"]:
            raise InputError(f"The archive of job {job.id} does not hold what was put into it. Where: {path}.")
        for place in (fresh, *(p for p in fresh.rglob("*") if p.is_dir())):
            place.chmod(FOLDER_MODE)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    restored = registry.change(job.id, state=State(meta["state"]), archive="")
    sidecar_of(path).unlink()
    path.unlink()
    return restored


def purge(job: Job, registry: Registry) -> None:
    """Remove a job for good: folder, archive and entry; refused while it runs, or where its folder is none of ours."""
    refuse_unless_at_rest(job, "purged", archived_too=True)
    folder = Path(job.folder)
    if folder.exists():
        refuse_unless_ours(folder)
        with held(folder):
            shutil.rmtree(folder)
    if job.archive:
        sidecar_of(Path(job.archive)).unlink(missing_ok=True)
        Path(job.archive).unlink(missing_ok=True)
    registry.remove(job.id)


def refuse_unless_at_rest(job: Job, done: str, *, archived_too: bool = False) -> None:
    """Refuse what must not be done to a job that runs or is archived."""
    if job.running:
        raise InputError(f"Job {job.id} is running and cannot be {done}. Stop it first: dosewright jobs stop {job.id}.")
    if job.archive and not archived_too:
        raise InputError(f"Job {job.id} is archived already. Where: {job.archive}.")


def refuse_unless_ours(folder: Path) -> None:
    """Refuse a folder that is gone or does not hold a request of ours, for it would be removed."""
    from_ours = folder.is_dir() and not folder.is_symlink()
    if not from_ours or former_request(JobFolder(folder)) is None:
        raise InputError(f"The folder of the job is gone or no longer one of a calculation. Where: {folder}.")


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a folder but its lock."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink() and p.name != LOCK_FILE)
    return {p.relative_to(folder).as_posix(): file_sha256(p) for p in files}


def _pack(folder: Path, to: Path) -> None:
    with tarfile.open(to, "w:xz", preset=PRESET) as packed:
        for name in hashes(folder):
            packed.add(folder / name, arcname=name, recursive=False, filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave the owner's names out."""
    member.uid = member.gid = os.getuid()
    member.uname = member.gname = ""
    return member


def _hashes_within(path: Path) -> dict[str, Any]:
    found = {}
    with tarfile.open(path, "r:xz") as packed:
        for member in packed:
            file = packed.extractfile(member)
            if file is None:
                raise InputError(f"The archive holds something that is no file. Where: {path}.")
            digest = hashlib.sha256()
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
            found[member.name] = digest.hexdigest()
    return found
