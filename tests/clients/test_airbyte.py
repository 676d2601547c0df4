"""Airbyte's connector for Microsoft Dataverse, in an environment of its own, run as Airbyte runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PAGE = 40


@pytest.fixture
def connector(org, tmp_path):
    """Runs a command of the connector; gives its messages by kind."""
    config = {
        "url": org.environment_url,
        "tenant_id": org.tenant_id,
        "client_id": org.client_id,
        "client_secret_value": org.client_secret,
        "odata_maxpagesize": PAGE,
    }

    def run(command, *, check=True, **files):
        arguments = [command]
        for name, content in {"config": config, **files}.items():
            path = tmp_path / f"{name}.json"
            path.write_text(json.dumps(content))
            arguments += [f"--{name}", str(path)]
        program = [os.environ["AIRBYTE_PYTHON"], str(Path(__file__).with_name("airbyte_source.py")), *arguments]
        done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or not check, done.stdout[-2_000:] + done.stderr[-2_000:]
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        kinds = {}
        for message in messages:
            kind = message["type"].lower()
            kinds.setdefault(kind, []).append(message.get(kind) or message.get("connectionStatus"))
        return kinds

    run.config = config
    return run


@pytest.fixture
def streams(connector):
    [catalog] = connector("discover")["catalog"]
    return {stream["name"]: stream for stream in catalog["streams"]}


def configured(stream, mode):
    return {
        "streams": [
            {
                "stream": stream,
                "sync_mode": mode,
                "destination_sync_mode": "append",
                "cursor_field": stream.get("default_cursor_field"),
                "primary_key": stream["source_defined_primary_key"],
            }
        ]
    }


def rows(messages):
    return [record["data"] for record in messages.get("record", [])]


def test_check_takes_the_credentials_and_turns_wrong_ones_away(connector):
    [status] = connector("check")["connection_status"]
    assert status["status"] == "SUCCEEDED", status
    connector.config["client_secret_value"] = "wrong"
    [status] = connector("check")["connection_status"]
    assert status["status"] == "FAILED" and "7000215" not in json.dumps(status)


def test_discover_finds_the_tables_with_their_types(streams):
    assert {"account", "contact", "lead", "opportunity", "systemuser"} <= set(streams)
    account = streams["account"]
    assert account["source_defined_primary_key"] == [["accountid"]]
    assert account["supported_sync_modes"] == ["full_refresh", "incremental"]
    columns = account["json_schema"]["properties"]
    assert columns["revenue"]["type"] == ["null", "number"]
    assert columns["createdon"]["format"] == "date-time"
    # What DateTimeBehavior says comes from a batch of requests for metadata.
    assert streams["contact"]["json_schema"]["properties"]["birthdate"]["format"] == "date"
    assert "_primarycontactid_value" in columns


def test_a_full_refresh_reads_every_page(connector, streams):
    found = rows(connector("read", catalog=configured(streams["contact"], "full_refresh")))
    assert len(found) == 120 and len({row["contactid"] for row in found}) == 120
    assert all(row["fullname"] and row["versionnumber"] for row in found)


def test_an_incremental_stream_reads_all_and_then_only_what_changed(connector, streams, control):
    catalog = configured(streams["contact"], "incremental")
    first = connector("read", catalog=catalog)
    before = {row["contactid"]: row for row in rows(first)}
    assert len(before) == 120
    done = control("activity", creates=5, updates=20, deletes=3, tables=["contact"])
    second = connector("read", catalog=catalog, state=[first["state"][-1]])
    deleted = {row["contactid"] for row in rows(second) if row.get("_ab_cdc_deleted_at")}
    changed = {row["contactid"]: row for row in rows(second) if not row.get("_ab_cdc_deleted_at")}
    assert len(deleted) == done["deletes"]
    new = changed.keys() - before.keys()
    updated = changed.keys() & before.keys()
    assert len(new) <= done["creates"] and 0 < len(updated) <= done["updates"]
    assert all(changed[key]["versionnumber"] > before[key]["versionnumber"] for key in updated)
    # The two reads together are what the organisation holds.
    after = (before | changed).keys() - deleted
    truth = {row["contactid"] for row in rows(connector("read", catalog=configured(streams["contact"], "full_refresh")))}
    assert after == truth
    third = connector("read", catalog=catalog, state=[second["state"][-1]])
    assert rows(third) == []
