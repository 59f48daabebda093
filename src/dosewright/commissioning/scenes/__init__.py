"""Scenes looked at before they are used: are parts where they may be, and what do they look like."""
