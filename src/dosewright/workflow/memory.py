"""Memory that a calculation needs, estimated before it runs, against what there is."""

from dataclasses import dataclass

from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.target import Target


@dataclass(frozen=True)
class Memory:
    sentence: str = ""


def within_memory(case: Case, target: Target) -> tuple[Case, Memory]:
    return case, Memory("memory")
