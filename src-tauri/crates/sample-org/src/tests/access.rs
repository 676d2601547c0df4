//! What a token opens: the environment's two origins, Global Discovery, and nothing else.

use serde_json::Value;

use super::{Bench, Pairs, pairs, refresh, text};

#[tokio::test]
async fn one_refresh_token_serves_two_resources_and_each_token_one() {
    let bench = Bench::new().await;
    let tokens = bench.sign_in(&Pairs::new()).await;
    let description = bench.org.description();
    let scope = format!(
        "{}/user_impersonation offline_access",
        description.discovery_url
    );
    let form = refresh(&bench, &tokens, &scope);
    let (status, discovery) = bench.token("common", &Pairs::new(), &form).await;
    assert_eq!(status, 200, "{discovery}");
    assert_ne!(discovery["refresh_token"], tokens["refresh_token"]);
    let who = format!("{}/api/data/v9.2/WhoAmI", description.environment_url);
    let instances = format!("{}/api/discovery/v2.0/Instances", description.discovery_url);
    for (url, token, expected) in [
        (&who, &tokens, 200),
        (&who, &discovery, 401),
        (&instances, &discovery, 200),
        (&instances, &tokens, 401),
    ] {
        let (status, body) = bench.fetch(url, text(token, "access_token")).await;
        assert_eq!(status, expected, "{url}: {body}");
    }
    let log = bench.requests().await;
    let audiences: Vec<&Value> = log[log.len() - 4..]
        .iter()
        .map(|one| &one["audience"])
        .collect();
    assert_eq!(
        audiences,
        ["environment", "discovery", "discovery", "environment"]
    );
}

#[tokio::test]
async fn the_list_of_environments_is_what_it_was_told_to_be() {
    let bench = Bench::new().await;
    let tokens = bench.sign_in(&Pairs::new()).await;
    let description = bench.org.description();
    let scope = format!("{}/.default", description.discovery_url);
    let form = refresh(&bench, &tokens, &scope);
    let (_, reply) = bench.token("common", &Pairs::new(), &form).await;
    let token = text(&reply, "access_token").to_owned();
    let url = format!("{}/api/discovery/v2.0/Instances", description.discovery_url);
    for (control, states) in [
        ("{}", vec![0, 0, 1]),
        (r#"{"enabled":0,"disabled":0}"#, vec![0]),
        (r#"{"own":false}"#, vec![]),
        (r#"{"disabled":2}"#, vec![1, 1]),
    ] {
        bench.control("discovery", control).await;
        let (status, list) = bench.fetch(&url, &token).await;
        assert_eq!(status, 200);
        let list = list["value"].as_array().expect("always an array").clone();
        let got: Vec<i64> = list
            .iter()
            .map(|row| row["State"].as_i64().expect("a number"))
            .collect();
        assert_eq!(got, states, "{control}");
    }
    bench
        .control("discovery", r#"{"own":true,"enabled":0,"disabled":0}"#)
        .await;
    let (_, list) = bench
        .fetch(&format!("{url}?$select=ApiUrl,Url"), &token)
        .await;
    let own = list["value"][0].as_object().expect("a row");
    assert_eq!(own.len(), 2, "{own:?}");
    assert_eq!(own["ApiUrl"], description.api_url.as_str());
    assert_eq!(own["Url"], format!("{}/", description.environment_url));
    assert!(!text(&list, "@odata.context").contains("localhost"));
}

#[tokio::test]
async fn both_origins_are_the_environments_and_links_stay_on_the_one_called() {
    let bench = Bench::new().await;
    let token = bench.access_token().await;
    let description = bench.org.description();
    for origin in [&description.environment_url, &description.api_url] {
        let url = format!("{origin}/api/data/v9.2/accounts?$select=name");
        let request = bench
            .http
            .get(url)
            .bearer_auth(&token)
            .header("prefer", "odata.maxpagesize=10");
        let page: Value = request
            .send()
            .await
            .expect("a reply")
            .json()
            .await
            .expect("JSON");
        assert!(
            text(&page, "@odata.nextLink").starts_with(origin.as_str()),
            "{page}"
        );
    }
    let path = "RetrieveCurrentOrganization(AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default')";
    let reply: Value = bench
        .call(path, &token)
        .send()
        .await
        .expect("a reply")
        .json()
        .await
        .expect("JSON");
    let endpoints = reply["Detail"]["Endpoints"]["Values"].to_string();
    assert!(endpoints.contains(&description.api_url), "{endpoints}");
    assert!(
        endpoints.contains(&description.environment_url),
        "{endpoints}"
    );
}

#[tokio::test]
async fn an_app_is_known_to_the_organisation_only_with_an_application_user() {
    let bench = Bench::new().await;
    let description = bench.org.description();
    let scope = format!("{}/.default", description.environment_url);
    let form = pairs(&[
        ("grant_type", "client_credentials"),
        ("client_id", &description.client_id),
        ("client_secret", &description.client_secret),
        ("scope", &scope),
    ]);
    let (status, tokens) = bench
        .token(&description.tenant_id, &Pairs::new(), &form)
        .await;
    assert_eq!(status, 200, "{tokens}");
    for absent in ["refresh_token", "id_token", "scope"] {
        assert!(tokens.get(absent).is_none(), "{absent} in {tokens}");
    }
    let token = text(&tokens, "access_token");
    let who = format!("{}/api/data/v9.2/WhoAmI", description.environment_url);
    assert_eq!(bench.fetch(&who, token).await.0, 200);
    bench.control("app", r#"{"application_user":false}"#).await;
    let (status, body) = bench.fetch(&who, token).await;
    assert_eq!((status, text(&body["error"], "code")), (403, "0x80072560"));
}

#[tokio::test]
async fn a_stranger_to_the_organisation_gets_a_token_and_403() {
    let bench = Bench::new().await;
    bench.control("user", r#"{"user":1,"member":false}"#).await;
    let (_, users) = bench.control_reply("GET", "user", "").await;
    let tokens = bench
        .sign_in(&pairs(&[("login_hint", text(&users[1], "mail"))]))
        .await;
    let reply = bench
        .call("WhoAmI", text(&tokens, "access_token"))
        .send()
        .await
        .expect("a reply");
    assert_eq!(reply.status(), 403);
}

#[tokio::test]
async fn the_challenge_names_authority_tenant_and_resource_in_each_form() {
    let bench = Bench::new().await;
    let description = bench.org.description();
    let uri = format!(
        "{}{}/oauth2/authorize",
        description.authority_url, description.tenant_id
    );
    let resource = format!("{}/", description.environment_url);
    for (variant, expected) in [
        (
            "{}",
            format!("Bearer authorization_uri={uri}, resource_id={resource}"),
        ),
        (
            r#"{"challenge_quoted":true}"#,
            format!("Bearer authorization_uri=\"{uri}\", resource_id=\"{resource}\""),
        ),
        (
            r#"{"challenge_quoted":false,"challenge_separator":"blank"}"#,
            format!("Bearer authorization_uri={uri} resource_id={resource}"),
        ),
    ] {
        bench.control("variants", variant).await;
        let reply = bench.call("", "none").send().await.expect("a reply");
        assert_eq!(reply.status(), 401);
        assert_eq!(reply.headers()["www-authenticate"], expected, "{variant}");
    }
}
