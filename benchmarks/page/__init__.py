"""The kiosk page in a real browser: a fake camera and microphone, ``mien serve --web``, and Chromium by Playwright.

For the tests, the pictures of the documentation and the measurements; none of it is installed.
"""
