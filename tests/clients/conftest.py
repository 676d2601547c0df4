"""The sample organisation that `cargo xtask clients` has started for this run."""

import json
import os
import subprocess
from importlib.metadata import version
from types import SimpleNamespace

import pytest
import requests

CLIENTS = {
    "test_msal": ("msal", None),
    "test_dataverse_client": ("PowerPlatform-Dataverse-Client", None),
    "test_airbyte": ("airbyte-source-microsoft-dataverse", "AIRBYTE_PYTHON"),
    "test_azure": ("azure-cli", "AZURE_PYTHON"),
}


def pytest_report_header(config):
    """Which version of which client is held against the organisation."""
    lines = []
    for module, (name, interpreter) in CLIENTS.items():
        if any(module in str(argument) for argument in config.args):
            lines.append(f"{name} {version_in(os.environ.get(interpreter) if interpreter else None, name)}")
    return lines


def version_in(interpreter, name):
    if not interpreter:
        return version(name)
    code = f"from importlib.metadata import version; print(version({name!r}))"
    return subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="session")
def org():
    """Where the organisation is and how to sign in."""
    return SimpleNamespace(**json.loads(os.environ["SAMPLE_ORG"]))


@pytest.fixture
def control(org):
    """Tells the organisation what to do."""

    def tell(path, **body):
        reply = requests.post(f"{org.control_url}/{path}", json=body, timeout=30)
        reply.raise_for_status()
        return reply.json()

    return tell
