"""A server that goes away and comes back takes neither the music nor the sentence along."""

import socket

from playwright.sync_api import expect

NOW = "document.querySelector('audio').currentTime"


def test_the_page_goes_on_after_a_restart(visit, serve, library_folder, tiny_checkpoint):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["--model", str(tiny_checkpoint), "--port", str(port)]
    at = serve(library_folder, *command)
    page = visit("/?q=calm", at=at)
    page.locator(".cover-button").first.click()
    page.wait_for_function(f"{NOW} > 0.1")
    page.evaluate("window.same = document.querySelector('audio')")
    page.fill(".search-input input", "calm and not yet")
    serve.kill(at)
    popup = page.locator("#popup")
    expect(popup).to_be_visible()
    page.wait_for_timeout(2500)
    box, player = popup.bounding_box(), page.locator(".player").bounding_box()
    assert box["y"] + box["height"] <= player["y"]
    serve(library_folder, *command)
    expect(popup).to_be_hidden(timeout=60_000)
    expect(page.locator(".search-input input")).to_have_value("calm and not yet")
    assert page.evaluate("same === document.querySelector('audio')")
    expect(page.locator(".player .title")).not_to_have_text("Nothing plays yet")
    page.locator(".search-input .q-field__append .q-icon").click()
    page.wait_for_timeout(300)
    expect(page.locator(".search-input input")).to_have_value("")  # it is not typed again
    page.fill(".search-input input", "calm")
    page.keyboard.press("Enter")
    expect(page.locator(".results .track").first).to_be_visible()
