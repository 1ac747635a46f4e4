"""Everything that can go wrong in a way that a user can act on: one tree, one shape.

Each error carries an HTTP status, a stable code, a message that says what is allowed and the next step,
and, where one input is to blame, the path of that input as the user wrote it ("images.count").
"""


class BlindspotsError(Exception):
    """Base of all errors with a message for the user."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class MalformedRequest(BlindspotsError):
    """The request cannot be read at all: not JSON, truncated, duplicate keys, wrong encoding."""

    status = 400
    code = "malformed_request"


class Unauthenticated(BlindspotsError):
    """No valid session or bearer token came with the request."""

    status = 401
    code = "unauthenticated"


class Forbidden(BlindspotsError):
    """Signed in, but this host, origin or role may not do this."""

    status = 403
    code = "forbidden"


class NotFound(BlindspotsError):
    """No such object, or it belongs to somebody else."""

    status = 404
    code = "not_found"


class Conflict(BlindspotsError):
    """The object's present state does not allow it: cancel a finished job, delete a model in use."""

    status = 409
    code = "conflict"


class TooLarge(BlindspotsError):
    """A body, image or selection is larger than the stated limit."""

    status = 413
    code = "too_large"


class UnsupportedMedia(BlindspotsError):
    """A file type that is never opened (pickle, SVG, ...) or a body that is not the promised type."""

    status = 415
    code = "unsupported_media"


class InvalidInput(BlindspotsError):
    """A readable request with a value that is out of range, unknown or inconsistent with another."""

    status = 422
    code = "invalid_input"


class RateLimited(BlindspotsError):
    """Too many attempts; try again later."""

    status = 429
    code = "rate_limited"


class Unavailable(BlindspotsError):
    """The database or another service does not answer now; nothing was changed."""

    status = 503
    code = "unavailable"


class Unreachable(BlindspotsError):
    """A server of others that a job needs does not answer. Unlike `Unavailable` it ends the job."""

    status = 502
    code = "unreachable"


class StartupError(BlindspotsError):
    """The program cannot start: port taken, folder not writable, database newer than the code."""

    code = "startup"


class Cancelled(BlindspotsError):
    """Raised inside a computation whose job was cancelled or whose lease was lost; never shown to a user."""

    code = "cancelled"


class ArtifactCorrupt(BlindspotsError):
    """A stored file is missing or no longer has the content that its name promises; it is never served."""

    code = "artifact_corrupt"
