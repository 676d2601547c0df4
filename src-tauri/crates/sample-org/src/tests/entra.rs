//! What a sign-in gives where nothing is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Bench, CALLBACK, Pairs, Seen, claims, pairs, refresh, text};

#[tokio::test]
async fn a_tenant_has_many_names_and_one_issuer() {
    let bench = Bench::new().await;
    let description = bench.org.description();
    let (authority, id) = (&description.authority_url, &description.tenant_id);
    let own = format!("{authority}{id}/v2.0");
    let any = format!("{authority}{{tenantid}}/v2.0");
    for (name, issuer, path) in [
        (id.as_str(), &own, id.as_str()),
        (&description.tenant_domain, &own, id),
        ("NORRVALE.onmicrosoft.example", &own, id),
        ("common", &any, "common"),
        ("organizations", &any, "organizations"),
    ] {
        let url = bench.endpoint(name, "v2.0/.well-known/openid-configuration");
        let (status, document) = bench.fetch(&url, "none").await;
        assert_eq!(status, 200, "{name}");
        assert_eq!(text(&document, "issuer"), issuer, "{name}");
        let token = format!("{authority}{path}/oauth2/v2.0/token");
        assert_eq!(text(&document, "token_endpoint"), token, "{name}");
        bench.control("consent", r#"{"mode":"accept"}"#).await;
        let code = bench.code(name, &Pairs::new()).await;
        let form = bench.redemption(&code);
        let (status, tokens) = bench.token(name, &Pairs::new(), &form).await;
        assert_eq!(status, 200, "{name}: {tokens}");
        assert_eq!(text(&claims(&tokens["id_token"]), "iss"), own, "{name}");
    }
}

#[tokio::test]
async fn instance_discovery_knows_this_authority_among_the_real_ones() {
    let bench = Bench::new().await;
    let url = bench.endpoint("common", "discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flocalhost%2Fnorrvale.example%2Foauth2%2Fv2.0%2Fauthorize");
    let (status, document) = bench.fetch(&url, "none").await;
    assert_eq!(status, 200);
    let expected = bench.endpoint("norrvale.example", "v2.0/.well-known/openid-configuration");
    assert_eq!(text(&document, "tenant_discovery_endpoint"), expected);
    let aliases = document["metadata"].to_string();
    for host in [
        "\"localhost\"",
        "login.microsoftonline.us",
        "login.chinacloudapi.cn",
    ] {
        assert!(aliases.contains(host), "{host} in {aliases}");
    }
}

#[tokio::test]
async fn id_tokens_are_signed_by_the_published_key() {
    let bench = Bench::new().await;
    let mut changes = pairs(&[("nonce", "n-7")]);
    changes.insert("state".to_owned(), "s".to_owned());
    let tokens = bench.sign_in(&changes).await;
    let id_token = text(&tokens, "id_token");
    let description = bench.org.description();
    let claims = claims(&tokens["id_token"]);
    assert_eq!(text(&claims, "nonce"), "n-7");
    assert_eq!(text(&claims, "aud"), description.client_id);
    assert_eq!(text(&claims, "tid"), description.tenant_id);
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    for name in ["sub", "oid", "name", "preferred_username"] {
        text(&claims, name);
    }
    let url = bench.endpoint("common", "discovery/v2.0/keys");
    let (_, keys) = bench.fetch(&url, "none").await;
    let decode = |value: &str| URL_SAFE_NO_PAD.decode(value).expect("base64");
    let key = ring::signature::RsaPublicKeyComponents {
        n: decode(text(&keys["keys"][0], "n")),
        e: decode(text(&keys["keys"][0], "e")),
    };
    let (content, signature) = id_token.rsplit_once('.').expect("a signature");
    key.verify(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        content.as_bytes(),
        &decode(signature),
    )
    .expect("a good signature");
}

#[tokio::test]
async fn conditions_are_met_by_signing_in_again() {
    let bench = Bench::new().await;
    let tokens = bench.sign_in(&Pairs::new()).await;
    bench
        .control("user", r#"{"user":0,"condition":"mfa"}"#)
        .await;
    let (status, _) = bench
        .token(
            "common",
            &Pairs::new(),
            &refresh(&bench, &tokens, &bench.scope()),
        )
        .await;
    assert_eq!(status, 400);
    let again = bench.sign_in(&Pairs::new()).await;
    let (status, body) = bench
        .token(
            "common",
            &Pairs::new(),
            &refresh(&bench, &again, &bench.scope()),
        )
        .await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn refresh_replies_come_in_three_kinds() {
    let bench = Bench::new().await;
    let tokens = bench.sign_in(&Pairs::new()).await;
    let form = refresh(&bench, &tokens, &bench.scope());
    // Kind, whether a refresh token comes, and how the old one fares afterwards.
    for (kind, has_token, old) in [
        ("rotate", true, 200),
        ("none", false, 200),
        ("single_use", true, 400),
    ] {
        bench
            .control("variants", &format!(r#"{{"refresh_reply":"{kind}"}}"#))
            .await;
        let (status, reply) = bench.token("common", &Pairs::new(), &form).await;
        assert_eq!(status, 200, "{kind}: {reply}");
        assert_eq!(reply.get("refresh_token").is_some(), has_token, "{kind}");
        let (status, reply) = bench.token("common", &Pairs::new(), &form).await;
        assert_eq!(status, old, "{kind}: {reply}");
    }
}

#[tokio::test]
async fn single_page_apps_redeem_across_origins_and_their_sign_in_lasts_a_day() {
    let bench = Bench::new().await;
    bench
        .control(
            "app",
            r#"{"redirect_uris":[{"uri":"http://localhost/oauth/callback","platform":"spa"}]}"#,
        )
        .await;
    bench.control("consent", r#"{"mode":"accept"}"#).await;
    let code = bench.code("common", &Pairs::new()).await;
    let mut form = bench.redemption(&code);
    form.remove("client_secret");
    let origin = pairs(&[("origin", "http://localhost:4711")]);
    let (status, tokens) = bench.token("common", &origin, &form).await;
    assert_eq!(status, 200, "{tokens}");
    let mut form = refresh(&bench, &tokens, &bench.scope());
    form.remove("client_secret");
    assert_eq!(bench.token("common", &origin, &form).await.0, 200);
    bench.control("entra", r#"{"advance_s":86401}"#).await;
    let (status, body) = bench.token("common", &origin, &form).await;
    assert_eq!(
        (status, &body["error_codes"][0]),
        (400, &Value::from(700_084))
    );
}

#[tokio::test]
async fn an_administrator_consents_for_everybody() {
    for address in ["adminconsent", "v2.0/adminconsent"] {
        let bench = Bench::new().await;
        bench
            .control("tenant", r#"{"user_consent":"admin_only"}"#)
            .await;
        let description = bench.org.description();
        let query = pairs(&[
            ("client_id", &description.client_id),
            ("redirect_uri", CALLBACK),
            ("state", "s-9"),
        ]);
        let endpoint = bench.endpoint(&description.tenant_id, address);
        let Seen::Page(200, page) = bench.browse(&endpoint, &query).await else {
            panic!("a page that asks");
        };
        assert!(page.contains("Accept"), "{page}");
        let with = |name: &str, value: &str| {
            let mut query = query.clone();
            query.insert(name.to_owned(), value.to_owned());
            query
        };
        let Seen::Callback(answer) = bench
            .browse(&endpoint, &with("sample_consent", "cancel"))
            .await
        else {
            panic!("a redirect");
        };
        assert_eq!(
            (answer["error"].as_str(), answer["state"].as_str()),
            ("access_denied", "s-9")
        );
        let mut query = with("sample_consent", "accept");
        query.insert("user".to_owned(), "1".to_owned());
        let Seen::Page(400, page) = bench.browse(&endpoint, &query).await else {
            panic!("users cannot");
        };
        assert!(page.contains("AADSTS90093"), "{page}");
        let Seen::Callback(answer) = bench
            .browse(&endpoint, &with("sample_consent", "accept"))
            .await
        else {
            panic!("a redirect");
        };
        assert_eq!(answer["admin_consent"], "True");
        assert_eq!(
            (answer["tenant"].as_str(), answer["state"].as_str()),
            (description.tenant_id.as_str(), "s-9")
        );
        let (_, users) = bench.control_reply("GET", "user", "").await;
        bench
            .sign_in(&pairs(&[("login_hint", text(&users[1], "mail"))]))
            .await;
    }
}

#[tokio::test]
async fn a_device_is_signed_in_from_another_browser() {
    let bench = Bench::new().await;
    let description = bench.org.description();
    let client = ("client_id", description.public_client_id.as_str());
    let begin = bench
        .http
        .post(bench.endpoint("common", "oauth2/v2.0/devicecode"));
    let scope = bench.scope();
    let reply = begin
        .form(&[client, ("scope", &scope)])
        .send()
        .await
        .expect("a reply");
    let device: Value = reply.json().await.expect("JSON");
    let form = pairs(&[
        client,
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", text(&device, "device_code")),
    ]);
    assert_eq!(
        bench.token("common", &Pairs::new(), &form).await.1["error"],
        "authorization_pending"
    );
    let answer = [
        ("user_code", text(&device, "user_code")),
        ("user", "0"),
        ("answer", "accept"),
    ];
    let page = bench
        .http
        .post(text(&device, "verification_uri"))
        .form(&answer);
    assert_eq!(page.send().await.expect("a page").status(), 200);
    let (status, tokens) = bench.token("common", &Pairs::new(), &form).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        bench
            .call("WhoAmI", text(&tokens, "access_token"))
            .send()
            .await
            .expect("a reply")
            .status(),
        200
    );
}

#[tokio::test]
async fn the_password_grant_works_once_somebody_consented() {
    let bench = Bench::new().await;
    let description = bench.org.description();
    let body = format!(
        r#"{{"client_id":"{}","consent":"admin"}}"#,
        description.public_client_id
    );
    bench.control("app", &body).await;
    let (_, users) = bench.control_reply("GET", "user", "").await;
    let mail = text(&users[2], "mail");
    let form = pairs(&[
        ("grant_type", "password"),
        ("client_id", &description.public_client_id),
        ("username", mail),
        ("password", "Norrvale-2026!"),
        ("scope", &bench.scope()),
        ("client_info", "1"),
    ]);
    let (status, tokens) = bench.token("organizations", &Pairs::new(), &form).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(
        text(&claims(&tokens["id_token"]), "preferred_username"),
        mail
    );
    let info = URL_SAFE_NO_PAD
        .decode(text(&tokens, "client_info"))
        .expect("base64");
    let info: Value = serde_json::from_slice(&info).expect("JSON");
    assert_eq!(text(&info, "utid"), description.tenant_id);
}

#[tokio::test]
async fn form_post_brings_the_code_in_a_form() {
    let bench = Bench::new().await;
    bench.control("consent", r#"{"mode":"accept"}"#).await;
    let changes = pairs(&[("response_mode", "form_post")]);
    let Seen::Page(200, page) = bench.authorize("common", &changes).await else {
        panic!("a form");
    };
    assert!(
        page.contains(&format!("action=\"{CALLBACK}\"")) && page.contains("name=\"code\""),
        "{page}"
    );
}

#[tokio::test]
async fn variants_of_errors_and_callbacks_are_switched() {
    let bench = Bench::new().await;
    bench.control("variants", r#"{"trace_separator":"crlf","error_uri":false,"callback_iss":true,"session_state":false}"#).await;
    bench.control("consent", r#"{"mode":"accept"}"#).await;
    let Seen::Callback(answer) = bench.authorize("common", &Pairs::new()).await else {
        panic!("a redirect");
    };
    assert!(
        answer.contains_key("iss") && !answer.contains_key("session_state"),
        "{answer:?}"
    );
    let (_, body) = bench
        .token("common", &Pairs::new(), &bench.redemption("0.Awrong"))
        .await;
    assert!(
        text(&body, "error_description").contains("\r\nTrace ID: "),
        "{body}"
    );
    assert!(body.get("error_uri").is_none());
}
