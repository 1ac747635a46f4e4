"""The sign-in page of an installation with one user, in a real browser."""

from playwright.sync_api import Browser, expect

from installation import Installation


def test_the_token_can_be_pasted(browser: Browser, installation: Installation) -> None:
    profile = browser.new_context(base_url=installation.base_url)
    page = profile.new_page()
    page.goto("/models")
    page.wait_for_url("**/login")
    page.get_by_label("Token").fill(installation.token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("nav")).to_contain_text("History")
    expect(page.locator(".account")).to_have_count(0)
    profile.close()
