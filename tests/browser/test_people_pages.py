"""Two people in two browsers: an invitation, a name of one's own, a token, a role that changes, a way out."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from team import PASSWORD, Team

pytestmark = pytest.mark.parametrize("team", ["sqlite"], indirect=True)


@pytest.fixture
def profiles(browser: Browser, team: Team) -> Iterator[list[BrowserContext]]:
    """Two browsers that know nothing of each other."""
    made = [browser.new_context(base_url=team.url, viewport={"width": 1280, "height": 800}) for _ in range(2)]
    yield made
    for profile in made:
        profile.close()


def signed_in(profile: BrowserContext, name: str) -> Page:
    """A page of somebody who has just signed in by the form."""
    page = profile.new_page()
    page.goto("/history")
    page.wait_for_url("**/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_be_visible()
    return page


def test_a_newcomer_joins_and_both_see_the_same_job(team: Team, profiles: list[BrowserContext]) -> None:
    admin = signed_in(profiles[0], "pam")
    admin.goto("/people")
    admin.get_by_label("For a").select_option("member")
    admin.get_by_role("button", name="Make a link").click()
    link = admin.locator(".once code").inner_text()
    newcomer = profiles[1].new_page()
    newcomer.goto(link)
    newcomer.get_by_label("Name", exact=True).fill("grace")
    newcomer.get_by_label("Full name").fill("Grace H.")
    newcomer.get_by_label("Password").fill("a password of several words")
    newcomer.get_by_role("button", name="Save and sign in").click()
    newcomer.get_by_label("Account of Grace H.").click()
    expect(newcomer.locator(".menu")).to_contain_text("member of this project")
    newcomer.goto(f"/jobs/{team.main.job}")
    expect(newcomer.locator("h1")).to_contain_text("canary")
    newcomer.goto(f"/jobs/{team.other.job}")
    expect(newcomer.locator("h1")).to_contain_text("not here")
    admin.goto("/people")
    admin.get_by_label("Role of grace").select_option("viewer")
    newcomer.goto("/people")
    expect(newcomer.get_by_text("Who works in this project.")).to_be_visible()
    newcomer.get_by_label("Account of Grace H.").click()
    newcomer.get_by_role("button", name="Sign out").click()
    newcomer.wait_for_url("**/login")
    newcomer.goto("/history")
    newcomer.wait_for_url("**/login")


def test_a_token_is_shown_once_and_revoked(team: Team, profiles: list[BrowserContext]) -> None:
    page = signed_in(profiles[0], "mia")
    page.goto("/account")
    page.get_by_label("What it is for").fill("a notebook")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator(".once code").inner_text()
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx2.get(f"{team.url}/api/v1/jobs", headers=bearer).status_code == 200
    page.reload()
    row = page.locator("tr", has_text="a notebook")
    expect(row).to_be_visible()
    assert token not in page.content()
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    assert httpx2.get(f"{team.url}/api/v1/jobs", headers=bearer).status_code == 401


def test_the_project_is_chosen_in_the_top_bar(profiles: list[BrowserContext]) -> None:
    page = signed_in(profiles[0], "root")
    page.goto("/history")
    expect(page.locator("tbody")).to_contain_text("canary")
    page.get_by_label("Project", exact=True).select_option("other")
    page.wait_for_url("**/")
    page.goto("/history")
    expect(page.locator("tbody")).to_contain_text("of the others")
    expect(page.locator("tbody")).not_to_contain_text("canary")
    page.goto("/audit?action=job_submit")
    expect(page.locator("tbody")).to_contain_text("job submit")


@pytest.mark.parametrize("address", ["/people", "/account", "/audit", "/login"])
def test_the_pages_fit_a_telephone(team: Team, profiles: list[BrowserContext], address: str) -> None:
    cookie = team.clients["root"].headers["Cookie"].partition("=")
    if address != "/login":
        profiles[0].add_cookies([{"name": cookie[0], "value": cookie[2], "url": team.url}])
    page = profiles[0].new_page()
    page.set_viewport_size({"width": 380, "height": 800})
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room
