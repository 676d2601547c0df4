//! The documents that clients read before they sign in.

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use url::Url;

use super::directory::Directory;
use super::{Call, Named, signing};

/// The OpenID configuration. A domain is answered with the tenant's id; where any tenant is meant,
/// the issuer holds a place for it.
pub fn configuration(directory: &Directory, call: &Call<'_>, named: Named) -> Response {
    let tenant = match named {
        Named::Tenant(tenant) => directory.tenants[tenant].id.to_string(),
        Named::Any => call.tenant.to_owned(),
    };
    let base = format!("{}{tenant}", call.authority);
    axum::Json(json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer(directory, call, named),
        "request_uri_parameter_supported": false,
        "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "claims_supported": ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name",
            "msgraph_host", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid",
            "ver", "at_hash", "c_hash", "email"],
        "kerberos_endpoint": format!("{base}/kerberos"),
        "tenant_region_scope": if named == Named::Any { Value::Null } else { "EU".into() },
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    }))
    .into_response()
}

/// Who vouches for tokens.
pub fn issuer(directory: &Directory, call: &Call<'_>, named: Named) -> String {
    match named {
        Named::Tenant(tenant) => {
            format!("{}{}/v2.0", call.authority, directory.tenants[tenant].id)
        }
        Named::Any => format!("{}{{tenantid}}/v2.0", call.authority),
    }
}

/// The list of authorities: this one among the real ones.
pub fn instance_discovery(call: &Call<'_>) -> Response {
    let endpoint = call.get("authorization_endpoint");
    let tenant = Url::parse(endpoint)
        .ok()
        .and_then(|url| url.path_segments()?.next().map(str::to_owned))
        .filter(|tenant| !tenant.is_empty())
        .unwrap_or_else(|| "common".to_owned());
    let own = Url::parse(call.authority).ok();
    let host = own
        .as_ref()
        .and_then(Url::host_str)
        .unwrap_or("localhost")
        .to_owned();
    let port = own
        .as_ref()
        .and_then(Url::port)
        .map_or(host.clone(), |port| format!("{host}:{port}"));
    let entry = |names: &[&str]| json!({"preferred_network": names[0], "preferred_cache": names[names.len().min(2) - 1], "aliases": names});
    axum::Json(json!({
        "tenant_discovery_endpoint": format!("{}{tenant}/v2.0/.well-known/openid-configuration", call.authority),
        "api-version": if call.get("api-version").is_empty() { "1.1" } else { call.get("api-version") },
        "metadata": [
            entry(&["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]),
            {"preferred_network": "login.partner.microsoftonline.cn", "preferred_cache": "login.partner.microsoftonline.cn",
             "aliases": ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"]},
            {"preferred_network": "login.microsoftonline.us", "preferred_cache": "login.microsoftonline.us",
             "aliases": ["login.microsoftonline.us", "login.usgovcloudapi.net"]},
            {"preferred_network": host, "preferred_cache": host, "aliases": [host, port]},
        ],
    }))
    .into_response()
}

/// The keys that sign tokens.
pub fn keys(directory: &Directory, call: &Call<'_>, named: Named) -> Response {
    axum::Json(signing::keys(&issuer(directory, call, named))).into_response()
}

/// Where an account's password is checked: here, and not at a federated service.
pub fn user_realm(rest: &str) -> Response {
    let mail = rest.trim_start_matches("userrealm/");
    let domain = mail.split_once('@').map_or("", |(_, domain)| domain);
    axum::Json(json!({
        "ver": "1.0", "account_type": "Managed", "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com", "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }))
    .into_response()
}
