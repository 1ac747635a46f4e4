"""Browsers that come to an installation from outside."""

import httpx2

from installation import Installation


def session_cookie(installation: Installation) -> dict[str, str]:
    """The Cookie header of a signed-in browser."""
    answer = httpx2.post(f"{installation.base_url}/api/v1/session", json={"token": installation.token})
    assert answer.status_code == 204, answer.text
    return {"Cookie": answer.headers["set-cookie"].split(";")[0]}
