"""Sends what is meant for login.microsoftonline.com to the sample organisation instead.

Nothing of a client's protocol code changes: its requests leave as it wrote them, only the connection is made to
another host.
"""

import os
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

ENTRA = "https://login.microsoftonline.com"


class Elsewhere(HTTPAdapter):
    """A transport that connects to `authority` whatever host a request names."""

    def __init__(self, authority: str) -> None:
        super().__init__()
        self.origin = authority.rstrip("/")

    def send(self, request, **options):
        target = urlsplit(request.url)
        redirected = request.copy()
        redirected.url = f"{self.origin}{target.path}" + (f"?{target.query}" if target.query else "")
        return super().send(redirected, **options)


def session(authority: str) -> requests.Session:
    """A session whose requests to Entra ID reach the sample organisation."""
    made = requests.Session()
    made.mount(ENTRA, Elsewhere(authority))
    return made


def redirect_every_session(authority: str) -> None:
    """The same for all sessions of the process, for a program that makes its own.

    A request that is sent as it was prepared looks for no certificates in the environment, so that each session is
    given them.
    """
    original = requests.Session.__init__

    def initialise(self, *arguments, **options):
        original(self, *arguments, **options)
        self.mount(ENTRA, Elsewhere(authority))
        self.verify = os.environ["REQUESTS_CA_BUNDLE"]

    requests.Session.__init__ = initialise
