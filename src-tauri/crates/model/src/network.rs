//! Why a connection was not made, told from what the network said: with a proxy on the way it is
//! mostly the proxy's doing.

use std::error::Error;
use std::fmt;

use crate::Explanation;

/// Why a host cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable code: one of [`NETWORK`].
    pub code: &'static str,
    text: String,
}

/// Parts of what the HTTP client says when a proxy is in the way: it makes a tunnel for https.
const TUNNEL: &str = "tunnel error";
const WANTS_PASSWORD: &str = "proxy authorization required";
const REFUSED: &str = "tunnel error: unsuccessful";

/// What the libraries below say, and what it means to somebody who does not know them.
const MEANINGS: [(&str, &str); 5] = [
    (
        "InvalidContentType",
        "what answers there does not speak https",
    ),
    ("failed to lookup address", "no host has this name"),
    ("Connection refused", "nothing answers at this address"),
    (
        "UnknownIssuer",
        "this computer does not trust its certificate",
    ),
    ("NotValidForName", "its certificate is another host's"),
];

/// The words of the libraries, behind what they mean where that is known.
fn in_plain_words(text: &str) -> String {
    match MEANINGS.iter().find(|(part, _)| text.contains(part)) {
        Some((_, meaning)) => format!("{meaning} ({text})"),
        None => text.to_owned(),
    }
}

impl Reason {
    /// Reads an error of the HTTP client with all that caused it.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(inner) = source {
            chain.push(inner.to_string());
            source = inner.source();
        }
        let says = |part: &str| chain.iter().any(|text| text.contains(part));
        let text = match chain.last() {
            Some(innermost) => in_plain_words(innermost),
            None => "the connection failed".to_owned(),
        };
        if says(WANTS_PASSWORD) {
            return Self {
                code: "proxy_password",
                text: "the proxy wants a user name and a password".to_owned(),
            };
        }
        if says(REFUSED) {
            return Self {
                code: "proxy_refused",
                text: "the proxy makes no connection to it".to_owned(),
            };
        }
        if says(TUNNEL) {
            return Self {
                code: "proxy_unreachable",
                text: format!("the proxy does not answer: {text}"),
            };
        }
        Self {
            code: "unreachable",
            text,
        }
    }

    /// A reason of our own.
    #[must_use]
    pub fn own(text: impl Into<String>) -> Self {
        Self {
            code: "unreachable",
            text: text.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What goes wrong on the way.
pub static NETWORK: &[Explanation] = &[
    Explanation {
        code: "unreachable",
        numbers: &[],
        meaning: "A host cannot be reached.",
        cause: "The address was mistyped, the network or the proxy is down, or a certificate is not trusted.",
        fix: "Check the address, the network and the proxy, then try again.",
        page: None,
    },
    Explanation {
        code: "proxy_password",
        numbers: &[],
        meaning: "The proxy wants a user name and a password.",
        cause: "None is set, or the proxy does not know them.",
        fix: "Enter them under Settings, Network, or with `salesmirror app-settings --proxy-user NAME --proxy-password-stdin`.",
        page: None,
    },
    Explanation {
        code: "proxy_refused",
        numbers: &[],
        meaning: "The proxy makes no connection to this host.",
        cause: "The host's name was mistyped or cannot be reached from the proxy, or the proxy's rules do not let it through.",
        fix: "Check the address first. If it is right, ask whoever runs the proxy to allow this host on port 443: Microsoft's sign-in service and the environment are needed.",
        page: None,
    },
    Explanation {
        code: "proxy_unreachable",
        numbers: &[],
        meaning: "The proxy does not answer.",
        cause: "Its address was mistyped, or it is not running.",
        fix: "Check the proxy under Settings, Network, or with `salesmirror app-settings`. \"none\" goes without one.",
        page: None,
    },
];
