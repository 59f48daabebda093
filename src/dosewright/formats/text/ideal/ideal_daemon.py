"""IDEAL's log_daemon.cfg, as what becomes of jobs in time, and api.cfg, which is known and not served yet."""

from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.formats.text.ideal.labels import Taking, read_sections, refuse_other_sections
from dosewright.formats.text.site_settings import Jobs

LONGEST_S = 3.2e9  # a century
PATHS = ("global logfile", "cfg_log_file", "log_daemon_logs", "logs_folder", "api_cfg", "syscfg")
STATES = ("submission_err", "unsuccessfull", "done", "killed_by_log_daem", "checking")
API = {
    "receiver": ("send result", "url to send result", "url authentication"),
    "server": ("ip host", "credentials db", "ssl cert", "ssl key"),
}


def read_log_daemon_cfg(path: Path, notes: list[str] | None = None) -> Jobs:
    """Read IDEAL's log_daemon.cfg; what has no effect here is added to `notes`."""
    sections = read_sections(path)
    problems: list[str] = []
    notes = [] if notes is None else notes
    # IDEAL's own file names the last section [Job status]; its manual gives the heading as a sentence.
    status = "dictionary of possible condor job status:"
    known = ("Time variables", "Paths", "Job status", status)
    refuse_other_sections(sections, known, problems)
    times = Taking(sections.get("time variables"), problems, notes)
    usual = Jobs()
    historic = times.number("historic after", usual.historic_after_days * 86400.0, least=1e-3, most=LONGEST_S)
    _correct_spelling(times, "unsuccessfull after", "unsuccessful after")
    lost = usual.unsuccessful_after_hours * 3600.0
    for label in ("unsuccessfull after", "unsuccessful after"):
        lost = times.number(label, lost, least=1e-3, most=LONGEST_S)
    _correct_spelling(times, "on hold untill", "on hold until")
    for label in ("on hold untill", "on hold until"):
        times.without_effect(label, "no queue holds a job here")
    _correct_spelling(times, "running_freq", "running frequency")
    for label in ("running_freq", "running frequency"):
        times.without_effect(label, "the states of jobs are looked at when they are asked for, not by a daemon")
    times.refuse_rest()
    places = Taking(sections.get("paths"), problems, notes)
    archive, failed = places.text("completed_dir", ""), places.text("failed_dir", "")
    for label in PATHS:
        places.without_effect(label, "jobs are kept in a registry, and settings in one file")
    places.refuse_rest()
    for name in ("job status", status):
        words = Taking(sections.get(name), problems, notes)
        for label in STATES:
            words.without_effect(label, "the words for the states of a job are fixed")
        words.refuse_rest()
    if problems:
        raise InputError(*problems)
    return Jobs(
        historic_after_days=historic / 86400.0,
        unsuccessful_after_hours=lost / 3600.0,
        archive=archive,
        failed_archive=failed,
    )


def _correct_spelling(taking: Taking, misspelt: str, correct: str) -> None:
    """Say where a label stands in its correct spelling, which IDEAL itself does not read; refuse both at once."""
    settings = taking.section.settings if taking.section else {}
    if correct in settings:
        one = settings[correct]
        taking.notes.append(f"{one.where}: {one.label!r} is read as IDEAL's label {misspelt!r}, the only one it knows.")
        if misspelt in settings:
            other = settings[misspelt].where
            taking.problem(one, given=f"the same label as {misspelt!r} in {other}", allowed="one of the two")


def read_api_cfg(path: Path) -> tuple[str, ...]:
    """Return the sentences that say what IDEAL's api.cfg asks for and what is not served yet; mistakes are refused."""
    sections = read_sections(path)
    problems: list[str] = []
    notes: list[str] = []
    refuse_other_sections(sections, tuple(API), problems)
    for name, labels in API.items():
        taking = Taking(sections.get(name), problems, notes)
        for label in labels:
            taking.without_effect(label, "there is no web service yet")
        taking.refuse_rest()
    if not sections:
        problems.append(str(refuse("The file holds no section", allowed="[receiver], [server]", where=path.name)))
    if problems:
        raise InputError(*problems)
    return tuple(notes)
