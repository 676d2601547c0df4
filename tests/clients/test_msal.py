"""Microsoft's own sign-in library for Python, over TLS, with instance discovery on."""

import json
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests
from elsewhere import session

REDIRECT = "http://localhost:53682/oauth/callback"


class Form(HTMLParser):
    """The fields of a page's form, with what is filled in and ticked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields, self.buttons = {}, set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and (attributes.get("type") != "radio" or "checked" in attributes):
            self.fields[attributes["name"]] = attributes.get("value", "")
        if tag == "button":
            self.buttons.add((attributes.get("name"), attributes.get("value")))


def browse(address: str, answer: str) -> dict:
    """What a person does in the browser: opens the page, presses a button, and is sent back."""
    page = requests.get(address, timeout=30)
    form = Form(page.text)
    assert ("answer", answer) in form.buttons, page.text
    reply = requests.post(address.split("?")[0], data=form.fields | {"answer": answer}, allow_redirects=False, timeout=30)
    assert reply.status_code in (302, 303), reply.text
    target = reply.headers["Location"]
    assert target.startswith(REDIRECT + "?"), target
    return dict(parse_qsl(urlsplit(target).query))


@pytest.fixture(params=["by id", "common", "organizations", "as login.microsoftonline.com"])
def authority(request, org):
    tenant = {"common": "common", "organizations": "organizations"}.get(request.param, org.tenant_id)
    if request.param.startswith("as "):
        return f"https://login.microsoftonline.com/{tenant}"
    return f"{org.authority_url}{tenant}"


def public(org, authority):
    return msal.PublicClientApplication(
        org.public_client_id, authority=authority, http_client=session(org.authority_url)
    )


def confidential(org, secret=None, client=None, tenant=None):
    return msal.ConfidentialClientApplication(
        client or org.client_id,
        client_credential=secret or org.client_secret,
        authority=f"{org.authority_url}{tenant or org.tenant_id}",
        http_client=session(org.authority_url),
    )


def scopes(org):
    return [f"{org.environment_url}/user_impersonation"]


def sign_in(org, application, answer="accept"):
    flow = application.initiate_auth_code_flow(scopes(org), redirect_uri=REDIRECT)
    return application.acquire_token_by_auth_code_flow(flow, browse(flow["auth_uri"], answer))


def who_am_i(org, token):
    return requests.get(
        f"{org.environment_url}/api/data/v9.2/WhoAmI", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def test_a_public_client_signs_in_with_a_code_and_pkce(org, authority):
    result = sign_in(org, public(org, authority))
    assert result.get("token_type") == "Bearer", result
    assert result["id_token_claims"]["aud"] == org.public_client_id
    assert result["id_token_claims"]["tid"] == org.tenant_id
    assert 3_599 <= result["expires_in"] <= 86_399
    reply = who_am_i(org, result["access_token"])
    assert reply.status_code == 200 and reply.json()["UserId"]


def test_a_confidential_client_signs_in_with_a_code_and_its_secret(org):
    result = sign_in(org, confidential(org))
    assert who_am_i(org, result["access_token"]).status_code == 200, result


def test_an_expired_access_token_is_refreshed_in_silence_and_the_refresh_token_is_a_new_one(org, control):
    application = public(org, f"{org.authority_url}{org.tenant_id}")
    first = sign_in(org, application)
    account = application.get_accounts()[0]
    # While it is good, the token comes from msal's cache.
    assert application.acquire_token_silent(scopes(org), account)["access_token"] == first["access_token"]
    kept = application.token_cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)
    before = [token["secret"] for token in kept]
    control("tokens/expire")
    assert who_am_i(org, first["access_token"]).status_code == 401
    second = application.acquire_token_silent_with_error(scopes(org), account, force_refresh=True)
    assert second["access_token"] != first["access_token"], second
    assert who_am_i(org, second["access_token"]).status_code == 200
    kept = application.token_cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)
    after = [token["secret"] for token in kept]
    assert len(before) == len(after) == 1 and before != after


def test_a_revoked_refresh_token_asks_for_a_new_sign_in(org, control):
    application = public(org, f"{org.authority_url}{org.tenant_id}")
    sign_in(org, application)
    account = application.get_accounts()[0]
    control("tokens/revoke")
    result = application.acquire_token_silent_with_error(scopes(org), account, force_refresh=True)
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [50173]), result


def test_client_credentials(org):
    application = confidential(org)
    result = application.acquire_token_for_client([f"{org.environment_url}/.default"])
    assert "refresh_token" not in result and "id_token" not in result, result
    assert who_am_i(org, result["access_token"]).status_code == 200
    again = application.acquire_token_for_client([f"{org.environment_url}/.default"])
    assert again["access_token"] == result["access_token"], "it comes from the cache"


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"secret": "wrong"}, "invalid_client", 7000215),
        ({"client": "11111111-2222-3333-4444-555555555555"}, "unauthorized_client", 700016),
    ],
)
def test_wrong_credentials_are_refused_with_entras_code(org, change, error, code):
    result = confidential(org, **change).acquire_token_for_client([f"{org.environment_url}/.default"])
    assert (result["error"], result["error_codes"]) == (error, [code]), result
    assert result["trace_id"] and result["correlation_id"]
    assert f"AADSTS{code}" in result["error_description"]


def test_a_public_client_with_a_secret_is_refused(org):
    result = sign_in(org, confidential(org, client=org.public_client_id, secret="not needed"))
    assert result["error"] == "invalid_client" and result["error_codes"] in ([700025], [90023]), result


def test_who_declines_gets_no_token(org):
    result = sign_in(org, public(org, f"{org.authority_url}{org.tenant_id}"), "cancel")
    assert result["error"] == "access_denied" and "AADSTS65004" in result["error_description"], result


def test_an_unknown_tenant_has_no_configuration(org):
    with pytest.raises(ValueError, match="tenant name or GUID"):
        confidential(org, tenant="nowhere.example")


def test_a_device_code_is_typed_in_another_browser(org):
    application = public(org, f"{org.authority_url}{org.tenant_id}")
    flow = application.initiate_device_flow(scopes(org))
    assert flow["user_code"] in flow["message"] and flow["verification_uri"] in flow["message"]
    # Asked once and not again: nobody has typed the code yet.
    waiting = application.acquire_token_by_device_flow(flow | {"expires_at": 0})
    assert (waiting["error"], waiting["error_codes"]) == ("authorization_pending", [70016]), waiting
    page = requests.get(flow["verification_uri"], params={"user_code": flow["user_code"]}, timeout=30)
    form = Form(page.text)
    requests.post(flow["verification_uri"], data=form.fields | {"answer": "accept"}, timeout=30).raise_for_status()
    result = application.acquire_token_by_device_flow(flow)
    assert who_am_i(org, result["access_token"]).status_code == 200, result
    assert application.get_accounts()[0]["username"] == result["id_token_claims"]["preferred_username"]


@pytest.mark.filterwarnings("ignore:This API has been deprecated")
def test_a_password_is_taken_where_it_is_right(org):
    # Before a password flow msal asks the authority's host about the user, and leaves the port out.
    authority = f"https://login.microsoftonline.com/{org.tenant_id}"
    application = public(org, authority)
    name = sign_in(org, application)["id_token_claims"]["preferred_username"]
    application = public(org, authority)
    wrong = application.acquire_token_by_username_password(name, "guessed", scopes(org))
    assert (wrong["error"], wrong["error_codes"]) == ("invalid_grant", [50126]), wrong
    right = application.acquire_token_by_username_password(name, "Norrvale-2026!", scopes(org))
    assert who_am_i(org, right["access_token"]).status_code == 200, right


def test_one_sign_in_serves_global_discovery_with_a_token_of_its_own(org):
    application = public(org, f"{org.authority_url}{org.tenant_id}")
    first = sign_in(org, application)
    account = application.get_accounts()[0]
    second = application.acquire_token_silent([f"{org.discovery_url}/user_impersonation"], account)
    address = f"{org.discovery_url}/api/discovery/v2.0/Instances"
    ask = lambda token: requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    found = ask(second["access_token"]).json()["value"]
    assert org.environment_url in [instance["Url"].rstrip("/") for instance in found]
    # A token is for one resource.
    assert ask(first["access_token"]).status_code == 401
    assert who_am_i(org, second["access_token"]).status_code == 401


def test_conditional_access_hands_over_its_claims_and_an_interactive_sign_in_meets_it(org, control):
    application = public(org, f"{org.authority_url}{org.tenant_id}")
    sign_in(org, application)
    account = application.get_accounts()[0]
    control("user", user=account["username"], condition="mfa")
    refused = application.acquire_token_silent_with_error(scopes(org), account, force_refresh=True)
    assert refused["error"] == "interaction_required" and refused["error_codes"] == [50076], refused
    assert "access_token" in json.loads(refused["claims"])
    flow = application.initiate_auth_code_flow(scopes(org), redirect_uri=REDIRECT, claims_challenge=refused["claims"])
    result = application.acquire_token_by_auth_code_flow(flow, browse(flow["auth_uri"], "accept"))
    assert who_am_i(org, result["access_token"]).status_code == 200, result
    control("user", user=account["username"], condition="none")


def test_an_expired_secret_is_told_from_a_wrong_one(org, control):
    client = "22222222-3333-4444-5555-666666666666"
    control("app", client_id=client, name="Old", secrets=[{"value": "old-secret", "expires_in_s": -1}])
    result = confidential(org, client=client, secret="old-secret").acquire_token_for_client(
        [f"{org.environment_url}/.default"]
    )
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000222]), result
