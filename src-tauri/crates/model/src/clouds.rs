//! Microsoft's clouds: which hosts sign in, which hold environments, which list them, and where the
//! portal pages of each lie. From Microsoft's documentation of national clouds.

use url::Url;

use crate::urls::is_loopback;

/// One of Microsoft's clouds.
#[derive(Debug, PartialEq, Eq)]
pub struct Cloud {
    /// A word for it: `commercial`, `gcc`, `gcc-high`, `dod`, `china`.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Hosts of one authority; the first is the one to use.
    pub authorities: &'static [&'static str],
    /// What follows `org.` or `org.api.` in an environment's host; `*` stands for a region's number.
    environments: &'static str,
    /// The host of the Global Discovery Service.
    pub discovery: &'static str,
    /// The host of the portal with the app registrations.
    pub portal: &'static str,
    /// The host of the Power Platform admin center.
    pub admin_center: &'static str,
}

const COMMERCIAL_AUTHORITIES: &[&str] = &[
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoft.com",
    "sts.windows.net",
];
const US_GOVERNMENT_AUTHORITIES: &[&str] = &["login.microsoftonline.us", "login.usgovcloudapi.net"];

/// All clouds. `crm9` alone does not prove GCC, but it is where GCC's environments are; the
/// sign-in is the same.
pub static CLOUDS: [Cloud; 5] = [
    Cloud {
        id: "gcc",
        name: "US Government GCC",
        authorities: COMMERCIAL_AUTHORITIES,
        environments: "crm9.dynamics.com",
        discovery: "globaldisco.crm9.dynamics.com",
        portal: "entra.microsoft.com",
        admin_center: "gcc.admin.powerplatform.microsoft.us",
    },
    Cloud {
        id: "commercial",
        name: "Commercial",
        authorities: COMMERCIAL_AUTHORITIES,
        environments: "crm*.dynamics.com",
        discovery: "globaldisco.crm.dynamics.com",
        portal: "entra.microsoft.com",
        admin_center: "admin.powerplatform.microsoft.com",
    },
    Cloud {
        id: "gcc-high",
        name: "US Government GCC High",
        authorities: US_GOVERNMENT_AUTHORITIES,
        environments: "crm.microsoftdynamics.us",
        discovery: "globaldisco.crm.microsoftdynamics.us",
        portal: "portal.azure.us",
        admin_center: "high.admin.powerplatform.microsoft.us",
    },
    Cloud {
        id: "dod",
        name: "US Government DoD",
        authorities: US_GOVERNMENT_AUTHORITIES,
        environments: "crm.appsplatform.us",
        discovery: "globaldisco.crm.appsplatform.us",
        portal: "portal.azure.us",
        admin_center: "admin.appsplatform.us",
    },
    Cloud {
        id: "china",
        name: "China (21Vianet)",
        authorities: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        environments: "crm.dynamics.cn",
        discovery: "globaldisco.crm.dynamics.cn",
        portal: "portal.azure.cn",
        admin_center: "admin.powerplatform.partner.microsoftonline.cn",
    },
];

impl Cloud {
    /// The cloud of this word.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| cloud.id == id)
    }

    /// The commercial cloud, where nothing says otherwise.
    #[must_use]
    pub fn commercial() -> &'static Self {
        Self::by_id("commercial").unwrap_or(&CLOUDS[0])
    }

    /// The cloud whose environments have such hosts.
    #[must_use]
    pub fn of_environment(environment: &Url) -> Option<&'static Self> {
        let host = environment.host_str()?;
        CLOUDS
            .iter()
            .find(|cloud| cloud.organization(host).is_some())
    }

    /// The cloud whose sign-in service this is.
    #[must_use]
    pub fn of_authority(authority: &Url) -> Option<&'static Self> {
        let host = authority.host_str()?;
        let mut found = CLOUDS
            .iter()
            .filter(|cloud| cloud.authorities.contains(&host));
        // Two clouds share an authority; what is more common stands for both.
        found
            .clone()
            .find(|cloud| cloud.id == "commercial")
            .or_else(|| found.next())
    }

    /// The address of its sign-in service.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("https://{}/", self.authorities[0])
    }

    /// The address of an environment there, as an example.
    #[must_use]
    pub fn example(&self) -> String {
        format!("https://contoso.{}/", self.environments.replace('*', ""))
    }

    /// The name of the organisation in an environment's host, and whether it is the host of its API.
    fn organization<'a>(&self, host: &'a str) -> Option<(&'a str, bool)> {
        let (name, rest) = host.split_once('.')?;
        let (rest, is_api) = match rest.strip_prefix("api.") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let fits = match self.environments.split_once('*') {
            Some((before, after)) => rest
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|region| {
                    region.len() <= 2 && region.bytes().all(|digit| digit.is_ascii_digit())
                }),
            None => rest == self.environments,
        };
        (fits && !name.is_empty() && host != self.discovery).then_some((name, is_api))
    }
}

/// Whether a sign-in service may be believed in without being named by the user: one of Microsoft's
/// over https, or for an environment on this computer one that is here too.
#[must_use]
pub fn is_known_authority(authority: &Url, environment: &Url) -> bool {
    let is_microsoft = authority.scheme() == "https"
        && authority.port().is_none()
        && Cloud::of_authority(authority).is_some();
    is_microsoft || (is_loopback(environment) && is_loopback(authority))
}

/// Whether two addresses are one authority: the same origin, two of Microsoft's names for it, or
/// two names of this computer with the same port.
#[must_use]
pub fn is_same_authority(one: &Url, other: &Url) -> bool {
    if one.origin() == other.origin() {
        return true;
    }
    if one.scheme() != other.scheme()
        || one.port_or_known_default() != other.port_or_known_default()
    {
        return false;
    }
    if is_loopback(one) && is_loopback(other) {
        return true;
    }
    let (Some(ours), Some(theirs)) = (one.host_str(), other.host_str()) else {
        return false;
    };
    one.scheme() == "https"
        && one.port().is_none()
        && CLOUDS
            .iter()
            .any(|cloud| cloud.authorities.contains(&ours) && cloud.authorities.contains(&theirs))
}

/// Whether an origin provably belongs to an environment: `org.api.crm4.dynamics.com` to
/// `org.crm4.dynamics.com` and the other way round, or both are on this computer.
#[must_use]
pub fn belongs_to(environment: &Url, candidate: &Url) -> bool {
    if environment.origin() == candidate.origin() {
        return true;
    }
    if is_loopback(environment) && is_loopback(candidate) {
        return true;
    }
    twin(environment).is_some_and(|twin| twin.origin() == candidate.origin())
}

/// The other origin of an environment with a documented host: its API's, or the API's pages'.
#[must_use]
pub fn twin(environment: &Url) -> Option<Url> {
    if environment.scheme() != "https" || environment.port().is_some() {
        return None;
    }
    let host = environment.host_str()?;
    let (name, is_api) = Cloud::of_environment(environment)?.organization(host)?;
    let region = &host[name.len() + if is_api { ".api.".len() } else { 1 }..];
    let middle = if is_api { "" } else { "api." };
    Url::parse(&format!("https://{name}.{middle}{region}/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn an_environments_host_tells_its_cloud() {
        for (host, cloud) in [
            ("norrvale.crm.dynamics.com", Some("commercial")),
            ("norrvale.crm4.dynamics.com", Some("commercial")),
            ("norrvale.api.crm21.dynamics.com", Some("commercial")),
            ("norrvale.crm9.dynamics.com", Some("gcc")),
            ("norrvale.crm.microsoftdynamics.us", Some("gcc-high")),
            ("norrvale.crm.appsplatform.us", Some("dod")),
            ("norrvale.crm.dynamics.cn", Some("china")),
            ("norrvale.crmx.dynamics.com", None),
            ("norrvale.crm123.dynamics.com", None),
            ("norrvale.crm4.dynamics.com.evil.example", None),
            ("a.b.crm4.dynamics.com", None),
            ("crm4.dynamics.com", None),
            ("globaldisco.crm.dynamics.com", None),
            ("localhost", None),
        ] {
            let found = Cloud::of_environment(&url(&format!("https://{host}/")));
            assert_eq!(found.map(|cloud| cloud.id), cloud, "{host}");
        }
    }

    #[test]
    fn only_named_authorities_and_this_computers_own_are_believed_in() {
        let real = "https://norrvale.crm4.dynamics.com/";
        let here = "http://localhost:8400/";
        for (environment, authority, known) in [
            (
                real,
                "https://login.microsoftonline.com/t/oauth2/authorize",
                true,
            ),
            (real, "https://login.windows.net/", true),
            (real, "https://login.chinacloudapi.cn/", true),
            (real, "http://login.microsoftonline.com/", false),
            (real, "https://login.microsoftonline.com:8443/", false),
            (
                real,
                "https://login.microsoftonline.com.evil.example/",
                false,
            ),
            (
                real,
                "https://evil.example/login.microsoftonline.com",
                false,
            ),
            (real, "http://localhost:8401/", false),
            (here, "http://127.0.0.1:8401/", true),
            (here, "https://evil.example/", false),
        ] {
            let found = is_known_authority(&url(authority), &url(environment));
            assert_eq!(found, known, "{authority} for {environment}");
        }
    }

    #[test]
    fn an_authority_has_other_names_but_no_other_port() {
        let microsoft = "https://login.microsoftonline.com/";
        for (one, other, same) in [
            (microsoft, "https://login.windows.net/t/token", true),
            (microsoft, "https://login.windows.net:444/", false),
            (microsoft, "http://login.windows.net/", false),
            (microsoft, "https://login.microsoftonline.us/", false),
            (
                microsoft,
                "https://login.microsoftonline.com@evil.example/",
                false,
            ),
            (
                "https://login.chinacloudapi.cn/",
                "https://login.partner.microsoftonline.cn/",
                true,
            ),
            ("http://localhost:99/", "http://127.0.0.1:99/", true),
            ("http://localhost:99/", "http://127.0.0.1:98/", false),
            (
                "https://sts.own.example/",
                "https://sts.own.example/x",
                true,
            ),
            ("https://sts.own.example/", "https://other.example/", false),
        ] {
            assert_eq!(
                is_same_authority(&url(one), &url(other)),
                same,
                "{one} {other}"
            );
        }
    }

    #[test]
    fn the_second_origin_of_an_environment_is_its_own_and_no_other() {
        let environment = "https://norrvale.crm4.dynamics.com/";
        for (one, other, belongs) in [
            (environment, "https://norrvale.api.crm4.dynamics.com", true),
            ("https://norrvale.api.crm4.dynamics.com/", environment, true),
            (environment, "https://other.api.crm4.dynamics.com/", false),
            (
                environment,
                "https://norrvale.api.crm5.dynamics.com/",
                false,
            ),
            (environment, "http://norrvale.api.crm4.dynamics.com/", false),
            (
                environment,
                "https://norrvale.api.crm4.dynamics.com:8443/",
                false,
            ),
            (
                environment,
                "https://norrvale.api.crm4.dynamics.com.evil.example/",
                false,
            ),
            (environment, "http://localhost:1/", false),
            ("http://localhost:1/", "http://127.0.0.1:2/", true),
            ("http://localhost:1/", "https://evil.example/", false),
            (
                "https://crm.own.example/",
                "https://api.own.example/",
                false,
            ),
        ] {
            assert_eq!(belongs_to(&url(one), &url(other)), belongs, "{one} {other}");
        }
        assert_eq!(twin(&url("https://own.example/")), None);
    }
}
