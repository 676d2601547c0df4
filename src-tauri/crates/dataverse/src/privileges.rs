//! Which tables the signed-in user may read.

use std::collections::HashSet;

use serde::Deserialize;

use crate::Result;
use crate::client::Client;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privileges {
    role_privileges: Vec<Privilege>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Privilege {
    privilege_id: String,
}

impl Client {
    /// The ids of the signed-in user's privileges, from their roles and teams; in lower case.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub async fn user_privileges(&self) -> Result<HashSet<String>> {
        let user = self.who_am_i().await?.user_id;
        let path = format!("systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()");
        let reply: Privileges = self.get_json(&path).await?;
        let ids = reply.role_privileges.into_iter();
        Ok(ids
            .map(|privilege| privilege.privilege_id.to_ascii_lowercase())
            .collect())
    }
}
