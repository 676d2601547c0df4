//! What is wrong with the fields of a connection, said before anything is sent.

use salesmirror_model::{parse_guid, urls};

/// The fields as they were typed.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    /// A name for the connection.
    pub name: &'a str,
    /// Environment URL.
    pub environment: &'a str,
    /// Tenant id, domain, or `organizations`; `None` where the environment is to say.
    pub tenant: Option<&'a str>,
    /// Application (client) id.
    pub client_id: &'a str,
    /// Client secret; `None` for a public client.
    pub client_secret: Option<&'a str>,
    /// Authority URL, where it is not the commercial cloud's.
    pub authority: Option<&'a str>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name in [`Form`].
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Form<'_> {
    /// Everything that is wrong, in the order of the fields.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field, message: Option<String>| {
            if let Some(message) = message {
                problems.push(FieldProblem { field, message });
            }
        };
        add(
            "name",
            self.name
                .trim()
                .is_empty()
                .then(|| "Give the connection a name, such as the organisation's.".to_owned()),
        );
        add("environment", environment_problem(self.environment));
        add("tenant", self.tenant.and_then(tenant_problem));
        add("client_id", client_id_problem(self.client_id));
        add("client_secret", self.client_secret.and_then(secret_problem));
        add(
            "authority",
            self.authority
                .and_then(|text| urls::parse_secure(text).err())
                .map(|error| error.to_string()),
        );
        problems
    }
}

fn environment_problem(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some(
            "Enter the environment's address, such as https://contoso.crm4.dynamics.com.".into(),
        );
    }
    urls::parse_environment(text)
        .err()
        .map(|error| error.to_string())
}

pub(crate) fn tenant_problem(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return Some("Enter the tenant's id or one of its domains, or \"organizations\".".into());
    }
    // It becomes a part of an address: dots alone would climb in it.
    let fits = text
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_'))
        && text.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    (!fits).then(|| {
        "A tenant is a GUID or a domain such as contoso.onmicrosoft.com; this is neither.".into()
    })
}

fn client_id_problem(text: &str) -> Option<String> {
    parse_guid(text.trim()).is_none().then(|| {
        "This is not an application (client) ID. It is a GUID on the app registration's Overview \
         page, such as 00000000-1111-2222-3333-444444444444."
            .to_owned()
    })
}

pub(crate) fn secret_problem(text: &str) -> Option<String> {
    if text.is_empty() {
        Some("Paste the client secret's value, or choose a public client.".into())
    } else if parse_guid(text.trim()).is_some() {
        Some(
            "This is the secret's ID, not its value. Copy the Value column instead. It is readable \
             only right after the secret is made. If it's hidden now, make a new secret."
                .into(),
        )
    } else if text.trim() != text {
        Some("There is white space around the secret. Paste it again without it.".into())
    } else if text.contains(char::is_whitespace) {
        Some(
            "There is white space inside the secret. Paste its value again, and nothing else."
                .into(),
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(form: Form<'_>) -> Vec<&'static str> {
        form.problems()
            .into_iter()
            .map(|problem| problem.field)
            .collect()
    }

    const GOOD: Form<'static> = Form {
        name: "Norrvale",
        environment: "https://norrvale.crm4.dynamics.com",
        tenant: Some("norrvale.example"),
        client_id: "5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001",
        client_secret: Some("xyz~8Q"),
        authority: None,
    };

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        assert_eq!(fields(GOOD), Vec::<&str>::new());
        assert_eq!(fields(Form { name: " ", ..GOOD }), ["name"]);
        assert_eq!(
            fields(Form {
                environment: "",
                ..GOOD
            }),
            ["environment"]
        );
        assert_eq!(
            fields(Form {
                environment: "http://norrvale.example",
                ..GOOD
            }),
            ["environment"]
        );
        assert_eq!(
            fields(Form {
                tenant: None,
                ..GOOD
            }),
            Vec::<&str>::new()
        );
        for tenant in ["a b", "", "..", "../common", "a/b", "a?b"] {
            let tenant = Some(tenant);
            assert_eq!(fields(Form { tenant, ..GOOD }), ["tenant"], "{tenant:?}");
        }
        assert_eq!(
            fields(Form {
                client_id: "norrvale",
                ..GOOD
            }),
            ["client_id"]
        );
        let id_for_value = Some("5f1c0f64-2a57-4b5a-9c53-0d3f4c3ba001");
        assert_eq!(
            fields(Form {
                client_secret: id_for_value,
                ..GOOD
            }),
            ["client_secret"]
        );
        assert_eq!(
            fields(Form {
                client_secret: Some(" xyz"),
                ..GOOD
            }),
            ["client_secret"]
        );
        assert_eq!(
            fields(Form {
                client_secret: None,
                ..GOOD
            }),
            Vec::<&str>::new()
        );
    }
}
