"""What a use case may raise. Outcomes about data are facts, never exceptions; these are about the world.

    DroptuneError
    ├── Retryable        the world is busy: the event is delivered again
    ├── NotOurs          the event is not for us: logged once, never delivered again
    ├── Refused          the caller asked for something that cannot be: told what to change
    └── ObjectGone       an object, or the generation asked for, is no longer there

Anything else that escapes is a defect of ours: it is logged with its traceback, delivered again, and ends in the
dead-letter topic.
"""


class DroptuneError(Exception):
    """Base of the tree above."""


class Retryable(DroptuneError):
    """A dependency was busy or unreachable; the same event may succeed later."""


class NotOurs(DroptuneError):
    """The event does not concern this pipeline; the message says why."""


class Refused(DroptuneError):
    """A request that can never succeed as it is; the message says what to change."""


class ObjectGone(DroptuneError):
    """The object, or the generation asked for, was deleted or replaced meanwhile."""
