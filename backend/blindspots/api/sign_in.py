"""The pages that stand without the frontend and without a script: signing in, and choosing a password."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from blindspots.api.auth import Authenticator, client_address, cookie_name
from blindspots.api.bodies import read_body
from blindspots.api.frontend import policy
from blindspots.api.reception import Reception
from blindspots.errors import BlindspotsError, NotFound, RateLimited, Unauthenticated, UnsupportedMedia
from blindspots.work.entrances import SESSION_SECONDS
from blindspots.work.passwords import SHORTEST
from blindspots.work.people import NAME_RULE
from blindspots.work.service import Service

# Under the policy of every other answer, no-referrer, browsers call the origin of a form's request "null".
FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} · Blindspots</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="same-origin">
{head}
<link rel="stylesheet" href="/style/sign-in.css">
</head>
<body>
<main>
<h1>Blindspots</h1>
{message}
{body}
</main>
</body>
</html>
"""

TOKEN_FORM = """<p>Open the link that <code>blindspots up</code> printed. It works once;
<code>blindspots login</code> prints a fresh one.</p>
<p>Or paste the token, which is in the file <code>token</code> of the data folder:</p>
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Sign in</button>
</form>
"""

PASSWORD_FORM = """<form method="post" action="/login">
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" value="{name}"
 maxlength="100" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="200" required>
<button type="submit">Sign in</button>
</form>
<p class="quiet">You have no name here yet, or forgot your password? An admin of your project sends you a
link.</p>
"""

JOIN_FORM = """<p>{greeting}</p>
<form method="post" action="/join">
<input type="hidden" name="code" value="{code}">
{who}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="{shortest}"
 maxlength="200" required aria-describedby="rule">
<p id="rule" class="quiet">At least {shortest} characters; a few words are better than one.</p>
<button type="submit">Save and sign in</button>
</form>
"""

NEWCOMER_FIELDS = """<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" value="{name}"
 maxlength="40" required autofocus aria-describedby="name-rule">
<p id="name-rule" class="quiet">{rule}. It stands beside your jobs and stays.</p>
<label for="display-name">Full name</label>
<input id="display-name" name="display_name" autocomplete="name" value="{display_name}" maxlength="100">
"""

router = APIRouter(include_in_schema=False)


def page(
    title: str, body: str, *, error: BlindspotsError | None = None, status: int = 200, head: str = ""
) -> Response:
    """A page without scripts; an error says what to do."""
    message = f'<p role="alert">{escape(error.message)}</p>' if error else ""
    headers = {"Content-Security-Policy": policy(), "Cache-Control": "no-store"}
    if isinstance(error, RateLimited):
        headers["Retry-After"] = str(getattr(error, "retry_after", 60))
    text = FRAME.format(title=title, head=head, message=message, body=body)
    return HTMLResponse(text, status_code=error.status if error else status, headers=headers)


def login_page(
    request: Request, *, error: BlindspotsError | None = None, name: str = "", retry: bool = False
) -> Response:
    """The sign-in page. `retry` asks the browser to come again by itself, now from this site."""
    head = '<meta http-equiv="refresh" content="0; url=/login">' if retry else ""
    people = request.app.state.reception is not None
    body = PASSWORD_FORM.format(name=escape(name, quote=True)) if people else TOKEN_FORM
    return page("Sign in", body, error=error, head=head)


def welcome(request: Request, session: str, response: Response) -> Response:
    """The answer, with the session cookie."""
    response.set_cookie(
        cookie_name(request.scope),
        session,
        max_age=int(SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.scope["scheme"] == "https",
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def farewell(request: Request, response: Response) -> Response:
    """The answer, without the session cookie and what the browser had kept of its pages."""
    secure = request.scope["scheme"] == "https"
    response.delete_cookie(cookie_name(request.scope), httponly=True, samesite="strict", secure=secure)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _home() -> Response:
    return RedirectResponse("/", status_code=303, headers={"Cache-Control": "no-store"})


async def _fields(request: Request) -> Mapping[str, str]:
    if request.headers.get("content-type", "").split(";")[0] != "application/x-www-form-urlencoded":
        raise UnsupportedMedia(
            "This address takes the form of the sign-in page; programs send a bearer token."
        )
    body = await read_body(request, limit=4096)
    found = parse_qs(body.decode("ascii", "replace"), max_num_fields=8)
    return {name: values[0].replace("\x00", "") for name, values in found.items()}


def _signed_in(request: Request, fields: Mapping[str, str]) -> Response:
    reception: Reception | None = request.app.state.reception
    address, name = client_address(request.scope), fields.get("name", "")[:100]
    try:
        if reception is None:
            authenticator: Authenticator = request.app.state.authenticator
            session = authenticator.sign_in(fields.get("token", "").strip(), address)
        else:
            session = reception.sign_in(name, fields.get("password", "")[:200], address)
    except (RateLimited, Unauthenticated) as error:
        return login_page(request, error=error, name=name)
    return welcome(request, session, _home())


@router.get("/login")
def login(request: Request, token: str = "") -> Response:
    """The sign-in link ends here; so does everybody who is not signed in.

    A browser that comes from another site's link does not send the strict cookie along, so it is asked to
    come again.
    """
    if request.state.identity is not None:
        return _home()
    if token and request.app.state.reception is None:
        return _signed_in(request, {"token": token})
    return login_page(request, retry=request.headers.get("sec-fetch-site") in ("cross-site", "same-site"))


@router.post("/login")
async def login_form(request: Request) -> Response:
    """The form of the sign-in page."""
    fields = await _fields(request)
    return await anyio.to_thread.run_sync(_signed_in, request, fields)


def join_page(
    request: Request, fields: Mapping[str, str], *, error: BlindspotsError | None = None
) -> Response:
    """Choose a password, as a newcomer a name too. Raises NotFound where the link is not good."""
    service: Service = request.app.state.service
    code = fields.get("code", "")
    offer = service.invitation(code)
    if offer["name"]:
        who = f'<input type="hidden" name="name" autocomplete="username" value="{escape(offer["name"])}">'
        greeting = f"Choose a password for <strong>{escape(offer['name'])}</strong>."
    else:
        given = {key: escape(fields.get(key, ""), quote=True) for key in ("name", "display_name")}
        who = NEWCOMER_FIELDS.format(rule=NAME_RULE, **given)
        greeting = f"You are invited to <strong>{escape(offer['project'])}</strong> as a {offer['role']}."
    body = JOIN_FORM.format(code=escape(code, quote=True), greeting=greeting, who=who, shortest=SHORTEST)
    return page("Join", body, error=error)


@router.get("/join")
def join(request: Request, code: str = "") -> Response:
    """The link that an admin sent. Looking at it does not use it up: mail programs look at links too."""
    if request.app.state.reception is None:
        raise NotFound("There is nothing at this address.")
    try:
        return join_page(request, {"code": code})
    except NotFound as error:
        return page("Join", "", error=error)


def _joined(request: Request, fields: Mapping[str, str]) -> Response:
    reception: Reception | None = request.app.state.reception
    if reception is None:
        raise NotFound("There is nothing at this address.")
    code, name, display_name, password = (
        fields.get(key, "")[:201] for key in ("code", "name", "display_name", "password")
    )
    try:
        session = reception.join(code, name, display_name, password, client_address(request.scope))
    except (NotFound, RateLimited) as error:
        return page("Join", "", error=error)
    except BlindspotsError as error:
        return join_page(request, fields, error=error)
    return welcome(request, session, _home())


@router.post("/join")
async def join_form(request: Request) -> Response:
    """The form of that page."""
    fields = await _fields(request)
    return await anyio.to_thread.run_sync(_joined, request, fields)
