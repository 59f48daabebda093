"""Wishes completed by the site's settings: what holds where the user says nothing."""

import os
from dataclasses import replace

from dosewright.commissioning.phantom import Phantom
from dosewright.formats.text.site_settings import Output, SiteSettings
from dosewright.workflow.goals import Goals
from dosewright.workflow.request import Wishes


def settled(wishes: Wishes, settings: SiteSettings, phantom: Phantom | None = None) -> Wishes:
    """Return the wishes with everything decided that settings and phantom decide."""
    ours = settings.calculation
    of_phantom = ""
    if phantom is not None and phantom.dose_to_water is not None:
        of_phantom = "water" if phantom.dose_to_water else "medium"
    outside = wishes.remove_outside
    return replace(
        wishes,
        goals=Goals.usual(settings.goals) if wishes.goals_assumed else wishes.goals,
        goal_scope=wishes.goal_scope or settings.goals.scope,
        dose_to=wishes.dose_to or of_phantom or ours.dose_to,
        remove_outside=ours.remove_dose_outside_external if outside is None else outside,
        threads=wishes.threads or min(ours.threads, len(os.sched_getaffinity(0))),
    )


def outputs(wishes: Wishes, settings: SiteSettings) -> Output:
    """Return which files are written: those of the settings, and those asked for beside them."""
    return settings.output.model_copy(update=dict.fromkeys(wishes.write, True))
