//! Which tables the signed-in user may read, and how far.

use std::collections::HashMap;

use serde::Deserialize;

use crate::Result;
use crate::client::Client;

/// How far a privilege reaches: the access levels of a security role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Depth {
    /// The user's own rows.
    Basic,
    /// Those of the user's business unit.
    Local,
    /// Those of the business unit and the ones below it.
    Deep,
    /// All rows of the organisation.
    Global,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privileges {
    role_privileges: Vec<Privilege>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privilege {
    privilege_id: String,
    /// A word, or the number of the enumeration (`PrivilegeDepth`).
    #[serde(default)]
    depth: serde_json::Value,
}

impl Privilege {
    /// What is not understood counts as everything: a read that is refused says why.
    fn depth(&self) -> Depth {
        match (self.depth.as_str(), self.depth.as_u64()) {
            (Some("Basic"), _) | (_, Some(0)) => Depth::Basic,
            (Some("Local"), _) | (_, Some(1)) => Depth::Local,
            (Some("Deep"), _) | (_, Some(2)) => Depth::Deep,
            _ => Depth::Global,
        }
    }
}

impl Client {
    /// The signed-in user's privileges by their ids (in lower case), from their roles and teams, with
    /// the widest depth of each.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn user_privileges(&self) -> Result<HashMap<String, Depth>> {
        let user = self.who_am_i().await?.user_id;
        let path = format!("systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()");
        let reply: Privileges = self.get_json(&path).await?;
        let mut depths = HashMap::new();
        for privilege in reply.role_privileges {
            let depth = privilege.depth();
            let id = privilege.privilege_id.to_ascii_lowercase();
            let widest = depths.entry(id).or_insert(depth);
            *widest = depth.max(*widest);
        }
        Ok(depths)
    }
}
