"""The demonstration: an invented head, its plan and planned dose."""
