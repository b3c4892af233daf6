"""Every exception that a caller of the grader may meet, in one tree.

    AutograderError
    ├── CourseError           the course's own files are not as they must be
    │   └── ReleaseError      a release or a solution cannot be made from its source
    ├── NotGradable           a submission cannot be graded as it is
    ├── Refused               nothing was begun
    │   ├── NothingThere      a path holds no submission
    │   ├── BoxUnavailable    this machine has no box, or none that holds
    │   └── Unusable          results cannot be kept in a folder
    │       └── InUse         another grader is writing there
    ├── RosterError           a roster cannot be used
    ├── DeskError             a file of the desk, such as marks.toml, cannot be used
    ├── PlanError             there is nothing to plan, or no plan
    └── KitError              the students' repository cannot be written

The message of each is made of sentences: what happened, where, and what to do next. So `str(error)` can be shown as it
is.

The rule: what a public function lets out to its caller is here. A signal stays in its own module when one part of a
wing raises it, another part always catches it, and no caller ever sees it. Those are few, and a test lists them with
their reasons. `boxed/` imports nothing of ours, so its `ProtocolError` and `NotData` are there too.
"""


class AutograderError(Exception):
    """Any of those below. Its message can be shown to people as it is."""


class CourseError(AutograderError):
    """The course's own files are not as they must be; the message is for the instructor."""


class ReleaseError(CourseError):
    """A release or a solution cannot be made from its source; the message is for the author."""


class NotGradable(AutograderError):
    """The file cannot be graded; the message tells its author why and what to do.

    `sha256` is the file's, as 64 hexadecimal digits; None where the file could not be read.
    """

    sha256: str | None = None


class Refused(AutograderError):
    """Nothing was begun; the message says why. `status` is the exit status of a command that ends with it."""

    status: int = 2


class NothingThere(Refused):
    """A path that holds no submission; the message is for the person who typed it."""


class BoxUnavailable(Refused):
    """No box can be started here, or none that holds; the message says what to do about it."""

    status = 3


class Unusable(Refused):
    """Results cannot be kept in the folder; the message says why."""


class InUse(Unusable):
    """Another grader is writing into the folder."""


class RosterError(AutograderError):
    """The roster is not as it must be; the message has a sentence for each line that is not."""


class DeskError(AutograderError):
    """A file that a person wrote for the desk is not as it must be; the message names the file and the line."""


class PlanError(AutograderError):
    """There is nothing to plan, or no plan; the message says why."""


class KitError(AutograderError):
    """The kit cannot be written; the message says why."""
