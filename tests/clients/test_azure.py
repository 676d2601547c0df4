"""The set-up's script for the Azure CLI, given to the real `az`.

A program named `az` stands before the real one: it hands every call to it, notes what it said, and
then answers as if somebody were signed in, so that the script goes on to its next call. Without an
account the real one gets as far as asking for a login; what it does not understand it refuses before.
"""

import itertools
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

AZ = Path(os.environ["AZURE_PYTHON"]).with_name("az")
SALESMIRROR = os.environ["SALESMIRROR"]
TENANT = "3cdda21d-84ed-11ee-8d11-000000000000"
CLIENT = "2da68351-94d8-11ee-8d11-000000000000"

BEFORE = f"""#!{sys.executable}
import json, os, subprocess, sys
words = sys.argv[1:]
real = subprocess.run([os.environ["REAL_AZ"], *words], capture_output=True, text=True, timeout=120)
manifest = next((open(word[1:]).read() for word in words if word.startswith("@")), None)
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps({{"words": words, "exit": real.returncode, "said": real.stderr, "manifest": manifest}}) + "\\n")
call = " ".join(word for word in words[:4] if not word.startswith("-"))
state = json.loads(os.environ["STATE"])
if call.startswith("ad app permission admin-consent") and not state["may_consent"]:
    sys.exit(1)
for begin, answer in state["answers"].items():
    if call.startswith(begin):
        print(answer)
"""


def run(tmp_path, *options, existing="", may_consent=True):
    """Runs the script; gives its result and the calls of `az`."""
    script = subprocess.run(
        [SALESMIRROR, "setup-script", "azure-cli", *options], capture_output=True, text=True, check=True
    ).stdout
    before = tmp_path / "az"
    before.write_text(BEFORE)
    before.chmod(before.stat().st_mode | stat.S_IEXEC)
    calls = tmp_path / "calls"
    calls.touch()
    answers = {
        "account show": TENANT,
        "ad app list": existing,
        "ad app create": CLIENT,
        "ad app credential": "q7~8Q-the-value",
    }
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "REAL_AZ": str(AZ),
        "CALLS": str(calls),
        "STATE": json.dumps({"answers": answers, "may_consent": may_consent}),
        "AZURE_CONFIG_DIR": str(tmp_path / "config"),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "SETUP_PAUSE": "0",
    }
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment, timeout=300)
    return done, [json.loads(line) for line in calls.read_text().splitlines()]


def is_understood(call):
    """Whether the real one took the arguments: it did it, or asked for a login."""
    return call["exit"] == 0 or (call["exit"] == 1 and "az login" in call["said"])


def option(call, name):
    return call["words"][call["words"].index(name) + 1]


def names(calls):
    return [" ".join(itertools.takewhile(lambda word: not word.startswith("-"), call["words"])) for call in calls]


def test_the_real_one_refuses_what_it_does_not_understand(tmp_path):
    """Else the other tests could not fail."""
    for words in (["ad", "app", "create", "--display-name", "x", "--web-redirect-urls", "y"], ["ad", "app", "invent"]):
        real = subprocess.run(
            [str(AZ), *words], capture_output=True, text=True, env={**os.environ, "AZURE_CONFIG_DIR": str(tmp_path)}
        )
        assert real.returncode == 2, real.stderr
        assert not is_understood({"exit": real.returncode, "said": real.stderr})


def test_an_app_with_a_secret(tmp_path):
    done, calls = run(tmp_path, "--tenant", TENANT)
    assert done.returncode == 0, done.stderr
    assert all(is_understood(call) for call in calls), calls
    assert names(calls) == [
        "cloud set",
        "account show",
        "ad app list",
        "ad app create",
        "ad sp create",
        "ad app permission admin-consent",
        "ad app credential reset",
    ]
    create = calls[3]
    assert option(create, "--web-redirect-uris") == "http://localhost/oauth/callback"
    assert option(create, "--sign-in-audience") == "AzureADMyOrg"
    assert json.loads(create["manifest"]) == [
        {
            "resourceAppId": "00000007-0000-0000-c000-000000000000",
            "resourceAccess": [{"id": "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4", "type": "Scope"}],
        }
    ]
    for value in (TENANT, CLIENT, "q7~8Q-the-value", "shown this once"):
        assert value in done.stdout


@pytest.mark.parametrize("name", ["O'Brien & Söhne", 'a "b" $(touch /tmp/x) `id` \\ c'])
def test_a_public_client_with_an_awkward_name(tmp_path, name):
    done, calls = run(tmp_path, "--public-client", "--redirect-port", "8765", "--name", name)
    assert done.returncode == 0, done.stderr
    assert all(is_understood(call) for call in calls), calls
    assert "ad app credential reset" not in names(calls)
    create = next(call for call in calls if call["words"][:3] == ["ad", "app", "create"])
    assert option(create, "--display-name") == name
    assert option(create, "--public-client-redirect-uris") == "http://localhost:8765/oauth/callback"
    assert option(create, "--is-fallback-public-client") == "true"
    assert "secret" not in done.stdout


def test_consent_that_is_refused_ends_nothing(tmp_path):
    done, calls = run(tmp_path, "--cloud", "gcc-high", may_consent=False)
    assert done.returncode == 0, done.stderr
    assert option(calls[0], "--name") == "AzureUSGovernment"
    assert "Consent was not granted" in done.stderr
    assert "q7~8Q-the-value" in done.stdout


def test_an_app_of_the_same_name_is_said_and_left_alone(tmp_path):
    done, calls = run(tmp_path, existing=CLIENT)
    assert done.returncode == 1
    assert f"already: {CLIENT}" in done.stderr
    assert "ad app create" not in names(calls)


def test_another_tenant_is_signed_in_to_first(tmp_path):
    other = "11111111-2222-3333-4444-555555555555"
    done, calls = run(tmp_path, "--cloud", "china", "--tenant", other, "--public-client")
    login = next(call for call in calls if call["words"][0] == "login")
    assert option(login, "--tenant") == other
    # It gets as far as the network, which is further than its arguments.
    assert login["exit"] != 2, login["said"]
    assert done.returncode == 0, done.stderr
