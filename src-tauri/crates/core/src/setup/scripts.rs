//! Scripts that register the app and all that belongs to it: one for the Azure CLI, one for
//! PowerShell with Microsoft Graph. They keep nothing and send nothing anywhere else.
//!
//! Commands and bodies are those of Microsoft's documentation: `az ad app`, and the resources
//! application, servicePrincipal, oAuth2PermissionGrant and passwordCredential of Microsoft Graph.

use salesmirror_model::clouds::Cloud;
use salesmirror_model::parse_guid;
use serde_json::{Value, json};

/// "Dynamics CRM", the same in every tenant.
const DYNAMICS_CRM: &str = "00000007-0000-0000-c000-000000000000";
/// Its delegated permission `user_impersonation`.
const USER_IMPERSONATION: &str = "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4";

/// What is to be registered.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Name of the app registration.
    pub name: &'a str,
    /// The cloud.
    pub cloud: &'static Cloud,
    /// Tenant: id or domain, where it is known.
    pub tenant: Option<&'a str>,
    /// Whether the platform is Mobile and desktop, without a secret.
    pub public_client: bool,
    /// Fixed port of the redirect URI.
    pub redirect_port: Option<u16>,
}

/// The scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scripts {
    /// For Bash, with the Azure CLI.
    pub azure_cli: String,
    /// For PowerShell, with the module Microsoft.Graph.Authentication.
    pub graph: String,
}

/// Writes the scripts.
#[must_use]
pub fn scripts(wanted: &Wanted<'_>) -> Scripts {
    // What cannot be seen has no business in a name.
    let name = wanted.name.replace(char::is_control, " ");
    let port = wanted
        .redirect_port
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let uri = format!("http://localhost{port}/oauth/callback");
    Scripts {
        azure_cli: azure_cli(wanted, &name, &uri),
        graph: graph(wanted, &name, &uri),
    }
}

/// A word that Bash takes as it is.
fn in_bash(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text that PowerShell takes as it is. It takes typographic quotation marks for plain ones.
fn in_powershell(text: &str) -> String {
    let mut quoted = String::from("'");
    for letter in text.chars() {
        quoted.push(letter);
        if matches!(
            letter,
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}'
        ) {
            quoted.push(letter);
        }
    }
    quoted.push('\'');
    quoted
}

/// A text of an OData filter.
fn in_odata(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn permission() -> Value {
    json!([{
        "resourceAppId": DYNAMICS_CRM,
        "resourceAccess": [{"id": USER_IMPERSONATION, "type": "Scope"}],
    }])
}

fn azure_cli(wanted: &Wanted<'_>, name: &str, uri: &str) -> String {
    let cloud = match wanted.cloud.id {
        "gcc-high" | "dod" => "AzureUSGovernment",
        "china" => "AzureChinaCloud",
        _ => "AzureCloud",
    };
    let tenant = wanted
        .tenant
        .map(|tenant| format!(" --tenant {}", in_bash(tenant)))
        .unwrap_or_default();
    // A domain cannot be compared with the id that the CLI tells.
    let right_tenant = match wanted.tenant.and_then(parse_guid) {
        Some(id) => format!(r#" || [ "$tenant" != {} ]"#, in_bash(&id.to_string())),
        None => String::new(),
    };
    let platform = match wanted.public_client {
        true => "--public-client-redirect-uris \"$redirect_uri\" --is-fallback-public-client true",
        false => "--web-redirect-uris \"$redirect_uri\"",
    };
    let secret = match wanted.public_client {
        true => "",
        false => {
            r#"
say "Making a client secret for 24 months"
expires=$(date -u -d '+24 months' +%Y-%m-%d 2>/dev/null || date -u -v+24m +%Y-%m-%d)
secret=$(az ad app credential reset --id "$client_id" --append --display-name Salesmirror \
  --end-date "$expires" --query password --output tsv)
"#
        }
    };
    let values = match wanted.public_client {
        true => "",
        false => {
            r#"echo "Client secret (value):     $secret"
echo "Secret expires on:         $expires"
echo "The secret is shown this once. Paste it now."
"#
        }
    };
    format!(
        r#"#!/usr/bin/env bash
# Registers an app for Salesmirror: its redirect URI, the permission Dynamics CRM user_impersonation,
# consent for everybody where you may give it{with_secret}. It keeps nothing.
set -euo pipefail

name={name_word}
redirect_uri={uri_word}
say() {{ printf '%s\n' "$*" >&2; }}

az cloud set --name {cloud}
tenant=$(az account show --query tenantId --output tsv 2>/dev/null || true)
if [ -z "$tenant" ]{right_tenant}; then
  az login{tenant} --allow-no-subscriptions --output none
  tenant=$(az account show --query tenantId --output tsv)
fi

# A second app of the same name would only confuse: the first one may be in use.
existing=$(az ad app list --filter {filter} --query '[].appId' --output tsv)
if [ -n "$existing" ]; then
  say "There is an app named \"$name\" already: $existing"
  say "Nothing was changed. In Salesmirror choose \"An app exists already\" and use this one."
  exit 1
fi

manifest=$(mktemp)
trap 'rm -f "$manifest"' EXIT
cat > "$manifest" <<'JSON'
{permission}
JSON

say "Registering the app"
client_id=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg \
  {platform} \
  --required-resource-accesses "@$manifest" --query appId --output tsv)
az ad sp create --id "$client_id" --output none

say "Granting consent for everybody in the tenant"
granted=no
for pause in 5 10 20; do
  # The new app takes a moment to be known everywhere.
  sleep "${{SETUP_PAUSE:-$pause}}"
  if az ad app permission admin-consent --id "$client_id"; then
    granted=yes
    break
  fi
done
if [ "$granted" = no ]; then
  say "Consent was not granted: that takes an administrator, and everything else goes on."
  say "Salesmirror has a link to send to one, in the step API permission."
fi
{secret}
echo
echo "Directory (tenant) ID:     $tenant"
echo "Application (client) ID:   $client_id"
{values}"#,
        with_secret = if wanted.public_client {
            ""
        } else {
            ", and a client secret"
        },
        name_word = in_bash(name),
        uri_word = in_bash(uri),
        filter = in_bash(&format!("displayName eq {}", in_odata(name))),
        permission = permission(),
    )
}

/// JSON that survives any code page: everything beyond ASCII is escaped.
fn ascii(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            escaped.push(letter);
            continue;
        }
        let mut units = [0; 2];
        for unit in letter.encode_utf16(&mut units) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

fn graph(wanted: &Wanted<'_>, name: &str, uri: &str) -> String {
    let environment = match wanted.cloud.id {
        "gcc-high" => " -Environment USGov",
        "dod" => " -Environment USGovDoD",
        "china" => " -Environment China",
        _ => "",
    };
    let tenant = wanted
        .tenant
        .map(|tenant| format!(" -TenantId {}", in_powershell(tenant)))
        .unwrap_or_default();
    let mut application = json!({
        "displayName": name,
        "signInAudience": "AzureADMyOrg",
        "requiredResourceAccess": permission(),
    });
    if wanted.public_client {
        application["publicClient"] = json!({"redirectUris": [uri]});
        application["isFallbackPublicClient"] = true.into();
    } else {
        application["web"] = json!({"redirectUris": [uri]});
    }
    let principal = json!({"appId": "CLIENT_ID"});
    let grant = json!({
        "clientId": "PRINCIPAL_ID",
        "consentType": "AllPrincipals",
        "resourceId": "DYNAMICS_ID",
        "scope": "user_impersonation",
    });
    let password = json!({
        "passwordCredential": {"displayName": "Salesmirror", "endDateTime": "END_DATE"},
    });
    let secret = match wanted.public_client {
        true => String::new(),
        false => format!(
            r#"
Write-Host 'Making a client secret for 24 months'
$expires = (Get-Date).ToUniversalTime().AddMonths(24).ToString('yyyy-MM-dd')
$password = @'
{}
'@
$password = $password.Replace('END_DATE', "${{expires}}T00:00:00Z")
$secret = Invoke-MgGraphRequest -Method POST -Uri "v1.0/applications/$($app.id)/addPassword" -Body $password -ContentType 'application/json'
"#,
            ascii(&password)
        ),
    };
    let values = match wanted.public_client {
        true => "",
        false => {
            r#"Write-Host "Client secret (value):     $($secret.secretText)"
Write-Host "Secret expires on:         $expires"
Write-Host 'The secret is shown this once. Paste it now.'
"#
        }
    };
    format!(
        r#"# Registers an app for Salesmirror: its redirect URI, the permission Dynamics CRM user_impersonation,
# consent for everybody where you may give it{with_secret}. It keeps nothing.
# Needs the module: Install-Module Microsoft.Graph.Authentication -Scope CurrentUser
$ErrorActionPreference = 'Stop'
$name = {name_word}

Connect-MgGraph -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All'{tenant}{environment} -NoWelcome
$context = Get-MgContext

# A second app of the same name would only confuse: the first one may be in use.
$filter = [uri]::EscapeDataString({filter})
$existing = (Invoke-MgGraphRequest -Method GET -Uri "v1.0/applications?`$filter=$filter&`$select=appId").value
if ($existing) {{
    Write-Warning "There is an app named ""$name"" already: $($existing[0].appId)"
    Write-Warning 'Nothing was changed. In Salesmirror choose "An app exists already" and use this one.'
    return
}}

Write-Host 'Registering the app'
$application = @'
{application}
'@
$app = Invoke-MgGraphRequest -Method POST -Uri 'v1.0/applications' -Body $application -ContentType 'application/json'
$principal = @'
{principal}
'@
$principal = $principal.Replace('CLIENT_ID', $app.appId)
$own = Invoke-MgGraphRequest -Method POST -Uri 'v1.0/servicePrincipals' -Body $principal -ContentType 'application/json'

Write-Host 'Granting consent for everybody in the tenant'
try {{
    $dynamics = Invoke-MgGraphRequest -Method GET -Uri "v1.0/servicePrincipals(appId='{DYNAMICS_CRM}')"
    $grant = @'
{grant}
'@
    $grant = $grant.Replace('PRINCIPAL_ID', $own.id).Replace('DYNAMICS_ID', $dynamics.id)
    $null = Invoke-MgGraphRequest -Method POST -Uri 'v1.0/oauth2PermissionGrants' -Body $grant -ContentType 'application/json'
}} catch {{
    Write-Warning "Consent was not granted: $($_.Exception.Message)"
    Write-Warning 'That takes an administrator, and everything else goes on. Salesmirror has a link to send to one, in the step API permission.'
}}
{secret}
Write-Host ''
Write-Host "Directory (tenant) ID:     $($context.TenantId)"
Write-Host "Application (client) ID:   $($app.appId)"
{values}"#,
        with_secret = if wanted.public_client {
            ""
        } else {
            ", and a client secret"
        },
        name_word = in_powershell(name),
        filter = in_powershell(&format!("displayName eq {}", in_odata(name))),
        application = ascii(&application),
        principal = ascii(&principal),
        grant = ascii(&grant),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, public_client: bool) -> Wanted<'_> {
        Wanted {
            name,
            cloud: Cloud::commercial(),
            tenant: Some("norrvale.example"),
            public_client,
            redirect_port: None,
        }
    }

    /// The JSON here-strings of a script, in their order.
    fn bodies(script: &str) -> Vec<Value> {
        let mut bodies = Vec::new();
        let mut rest = script;
        while let Some((_, after)) = rest.split_once("@'\n") {
            let (body, after) = after.split_once("\n'@").expect("an end");
            bodies.push(serde_json::from_str(body).expect(body));
            rest = after;
        }
        bodies
    }

    /// The bodies as Microsoft Graph documents them.
    #[test]
    fn the_bodies_are_those_that_microsoft_graph_documents() {
        let hostile = "Sales'mirror ‘x’ \"$(rm)\" `n Ünïcode";
        let found = bodies(&scripts(&wanted(hostile, false)).graph);
        let access = json!([{
            "resourceAppId": "00000007-0000-0000-c000-000000000000",
            "resourceAccess": [{"id": "78ce3f0f-a1ce-49c2-8cde-64b5c0896db4", "type": "Scope"}],
        }]);
        assert_eq!(
            found,
            [
                json!({
                    "displayName": hostile,
                    "signInAudience": "AzureADMyOrg",
                    "requiredResourceAccess": access,
                    "web": {"redirectUris": ["http://localhost/oauth/callback"]},
                }),
                json!({"appId": "CLIENT_ID"}),
                json!({
                    "clientId": "PRINCIPAL_ID", "consentType": "AllPrincipals",
                    "resourceId": "DYNAMICS_ID", "scope": "user_impersonation",
                }),
                json!({"passwordCredential": {"displayName": "Salesmirror", "endDateTime": "END_DATE"}}),
            ]
        );
        let public = bodies(&scripts(&wanted("Salesmirror", true)).graph);
        assert_eq!(public.len(), 3, "a public client has no secret");
        assert_eq!(public[0]["isFallbackPublicClient"], true);
        assert_eq!(
            public[0]["publicClient"]["redirectUris"][0],
            "http://localhost/oauth/callback"
        );
        assert!(public[0].get("web").is_none());
    }

    #[test]
    fn each_cloud_is_asked_in_its_own_way() {
        for (cloud, az, graph) in [
            ("commercial", "AzureCloud", ""),
            ("gcc", "AzureCloud", ""),
            ("gcc-high", "AzureUSGovernment", " -Environment USGov "),
            ("dod", "AzureUSGovernment", " -Environment USGovDoD "),
            ("china", "AzureChinaCloud", " -Environment China "),
        ] {
            let found = scripts(&Wanted {
                cloud: Cloud::by_id(cloud).unwrap(),
                ..wanted("Salesmirror", false)
            });
            assert!(
                found
                    .azure_cli
                    .contains(&format!("az cloud set --name {az}\n"))
            );
            assert_eq!(found.graph.contains("-Environment"), !graph.is_empty());
            assert!(found.graph.contains(graph), "{cloud}");
        }
    }

    #[test]
    fn names_cannot_leave_their_quotation_marks() {
        for (name, bash, powershell) in [
            ("Sales mirror", "'Sales mirror'", "'Sales mirror'"),
            ("O'Brien", r"'O'\''Brien'", "'O''Brien'"),
            ("$(id) `id`", "'$(id) `id`'", "'$(id) `id`'"),
            ("a’b", "'a’b'", "'a’’b'"),
        ] {
            assert_eq!(in_bash(name), bash);
            assert_eq!(in_powershell(name), powershell);
        }
        let found = scripts(&wanted("two\nlines", false));
        assert!(found.azure_cli.contains("name='two lines'\n"));
    }
}
