"""Stripe's error envelope."""

from typing import Any


class Refusal(Exception):
    """Stripe refuses a call, or an action of the Dashboard or of the payer.

    `status` is the HTTP status. `stored`: the answer is kept under the call's idempotency key.
    Stripe keeps the errors of calls that had begun to execute, but not those of parameters that
    failed validation (docs.stripe.com/api/idempotent_requests).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        stored: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.stored = stored

    def body(self) -> dict[str, Any]:
        """The envelope as Stripe sends it; fields that do not apply are left out."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def missing(noun: str, identifier: str, *, param: str = "id", status: int = 404) -> Refusal:
    """There is no such object."""
    return Refusal(
        f"No such {noun}: '{identifier}'", status=status, code="resource_missing", param=param
    )
