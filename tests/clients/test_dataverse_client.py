"""Microsoft's own client of the Dataverse Web API for Python."""

from decimal import Decimal

import msal
import pytest
from azure.core.credentials import AccessToken, TokenCredential
from elsewhere import session
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError, MetadataError

FORMATTED = "@OData.Community.Display.V1.FormattedValue"
MISSING = "11111111-2222-3333-4444-555555555555"


class ClientSecret(TokenCredential):
    """The tokens that msal gets with the app's secret."""

    def __init__(self, org) -> None:
        self.application = msal.ConfidentialClientApplication(
            org.client_id,
            client_credential=org.client_secret,
            authority=f"https://login.microsoftonline.com/{org.tenant_id}",
            http_client=session(org.authority_url),
        )

    def get_token(self, *scopes, **_):
        result = self.application.acquire_token_for_client(list(scopes))
        return AccessToken(result["access_token"], result["expires_in"])


@pytest.fixture
def client(org):
    with DataverseClient(org.environment_url, ClientSecret(org)) as made:
        yield made


def refused(action) -> HttpError:
    with pytest.raises(HttpError) as caught:
        action()
    return caught.value


def test_it_reads_a_table_page_by_page(org, client, control):
    pages = list(client.records.list_pages("contact", select=["fullname", "versionnumber"], page_size=50))
    assert len(pages) == 3 and [len(page) for page in pages] == [50, 50, 20]
    ids = {row["contactid"] for page in pages for row in page}
    assert len(ids) == 120
    assert all(row["versionnumber"] > 0 for page in pages for row in page)


def test_it_reads_one_record_with_annotations(client):
    row = client.records.list("account", top=1)[0]
    found = client.records.retrieve("account", row["accountid"], include_annotations="*")
    assert found["name"] == row["name"]
    assert found[f"_ownerid_value{FORMATTED}"]
    assert found["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] in ("systemuser", "team")
    assert found[f"statecode{FORMATTED}"] in ("Active", "Inactive")


def test_it_reads_metadata(client):
    table = client.tables.get("account")
    assert (table.entity_set_name, table.logical_name) == ("accounts", "account")
    columns = {column["LogicalName"]: column for column in client.tables.list_columns("account")}
    assert columns["revenue"]["AttributeType"] == "Money"
    assert columns["name"]["MetadataId"]
    some = client.tables.list_columns("account", select=["LogicalName"], filter="AttributeType eq 'Money'")
    assert "revenue" in {column["LogicalName"] for column in some} and "name" not in {
        column["LogicalName"] for column in some
    }
    names = {table["LogicalName"] for table in client.tables.list(select=["LogicalName"])}
    assert {"account", "contact", "lead", "opportunity", "systemuser"} <= names
    relationships = client.tables.list_table_relationships("contact")
    assert any(found.get("ReferencingAttribute") == "parentcustomerid" for found in relationships)


def test_it_creates_updates_and_deletes_a_record(client):
    # "Preferred customer" is a label: the client turns it into its number with the choice's metadata.
    created = client.records.create(
        "account",
        {"name": "Foreign & Sons «Ångström»", "revenue": 1234.5, "numberofemployees": 7, "customertypecode": "Competitor"},
    )
    found = client.records.retrieve("account", created)
    assert found["name"] == "Foreign & Sons «Ångström»" and found["numberofemployees"] == 7
    assert Decimal(str(found["revenue"])) == Decimal("1234.5") and found["customertypecode"] == 1
    assert found["statecode"] == 0 and found["createdon"].endswith("Z")
    client.records.update("account", created, {"name": "Foreign & Daughters", "revenue": None})
    changed = client.records.retrieve("account", created)
    assert (changed["name"], changed["revenue"]) == ("Foreign & Daughters", None)
    assert changed["versionnumber"] > found["versionnumber"]
    client.records.delete("account", created)
    assert client.records.retrieve("account", created) is None
    error = refused(lambda: client.records.delete("account", created))
    assert (error.status_code, error.details["service_error_code"]) == (404, "0x80040217")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("statecode eq 0", lambda row: row["statecode"] == 0),
        ("statecode eq 1", lambda row: row["statecode"] == 1),
        ("revenue gt 1000000.5", lambda row: row["revenue"] is not None and row["revenue"] > 1000000.5),
        ("revenue eq null", lambda row: row["revenue"] is None),
        ("contains(name,'en') and numberofemployees ge 10",
         lambda row: "en" in row["name"].lower() and (row["numberofemployees"] or 0) >= 10),
        ("startswith(name,'A') or not (statecode eq 0)",
         lambda row: row["name"].lower().startswith("a") or row["statecode"] != 0),
        ("createdon ge 2024-01-01T00:00:00Z", lambda row: row["createdon"] >= "2024-01-01T00:00:00Z"),
    ],
)
def test_it_filters_as_the_client_itself_would(client, condition, holds):
    select = ["name", "statecode", "revenue", "numberofemployees", "createdon"]
    everything = list(client.records.list("account", select=select))
    expected = {row["accountid"] for row in everything if holds(row)}
    found = {row["accountid"] for row in client.records.list("account", select=select, filter=condition)}
    assert found == expected
    assert len(everything) == 60


def test_it_sorts_and_takes_the_first(client):
    everything = [row["revenue"] for row in client.records.list("account", select=["revenue"], filter="revenue ne null")]
    first = client.records.list("account", select=["revenue"], filter="revenue ne null", orderby=["revenue desc"], top=5)
    assert [row["revenue"] for row in first] == sorted(everything, reverse=True)[:5]


def test_it_expands_a_lookup(client):
    rows = client.records.list(
        "account", select=["name", "_primarycontactid_value"], filter="_primarycontactid_value ne null",
        expand=["primarycontactid($select=fullname)"], top=3,
    )
    assert len(rows) == 3
    for row in rows:
        contact = row["primarycontactid"]
        assert contact["contactid"] == row["_primarycontactid_value"] and contact["fullname"]


def test_it_sends_a_batch_with_a_change_set(client):
    batch = client.batch.new()
    with batch.changeset() as changes:
        reference = changes.records.create("account", {"name": "In a batch"})
        changes.records.update("account", reference, {"numberofemployees": 3})
    batch.records.list("account", filter="name eq 'In a batch'", select=["name", "numberofemployees"])
    batch.records.retrieve("account", MISSING)
    result = batch.execute(continue_on_error=True)
    statuses = [reply.status_code for reply in result.responses]
    assert statuses == [204, 204, 200, 404], [vars(reply) for reply in result.responses]
    created = result.responses[0].entity_id
    rows = result.responses[2].data["value"]
    assert [(row["accountid"], row["numberofemployees"]) for row in rows] == [(created, 3)]
    assert result.responses[3].error_code == "0x80040217"
    client.records.delete("account", created)


def test_a_change_set_that_fails_leaves_nothing(client):
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create("account", {"name": "Half done"})
        changes.records.create("account", {"bogus": "x"})
    result = batch.execute()
    assert [reply.status_code for reply in result.responses] == [400], [vars(reply) for reply in result.responses]
    assert not list(client.records.list("account", filter="name eq 'Half done'", select=["name"]))


def test_many_records_in_one_call(client):
    ids = client.records.create("contact", [{"firstname": "One", "lastname": "Of two"}, {"firstname": "Two", "lastname": "Of two"}])
    assert len(ids) == 2
    client.records.update("contact", ids, {"jobtitle": "Twin"})
    found = client.records.list("contact", filter="jobtitle eq 'Twin'", select=["fullname"])
    assert {row["fullname"] for row in found} == {"One Of two", "Two Of two"}
    client.records.delete("contact", ids, use_bulk_delete=False)
    assert not list(client.records.list("contact", filter="jobtitle eq 'Twin'", select=["fullname"]))


def test_it_understands_what_is_refused(client):
    error = refused(lambda: list(client.records.list("account", select=["bogus"])))
    assert (error.status_code, error.details["service_error_code"]) == (400, "0x80060888")
    assert "Could not find a property named 'bogus'" in str(error)
    assert error.details["service_request_id"]
    with pytest.raises(MetadataError):
        client.records.list("nothing")


def test_a_limit_is_a_passing_error_with_a_time_to_wait(client, control):
    control("faults", match={"path_contains": "/accounts", "times": 1},
            action={"error_code": "0x80072322", "status": 429, "headers": {"Retry-After": "7"}})
    error = refused(lambda: client.records.list("account", top=1))
    assert error.is_transient and error.details["retry_after"] == 7, error.details
