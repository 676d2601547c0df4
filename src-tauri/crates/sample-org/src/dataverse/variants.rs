//! What the documentation leaves open: each way the service may behave can be switched on.

use serde::{Deserialize, Serialize};

/// How error codes are spelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeForm {
    #[default]
    Hex,
    Decimal,
    Empty,
}

/// What a missing privilege is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivilegeText {
    /// `Principal user (Id=…) is missing prvReadaccount privilege …`
    #[default]
    Principal,
    /// `SecLib::AccessCheckEx failed. …`
    AccessCheck,
    /// `SecLib::CheckPrivilege failed. …`
    CheckPrivilege,
}

/// How the context of a delta reply is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextForm {
    #[default]
    Delta,
    /// Without `/$delta` at its end.
    Plain,
    /// Without `/api`, as in a documented reply.
    WithoutApi,
}

/// The switches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variants {
    /// Status of ExpiredVersionStamp.
    pub expired_status: u16,
    pub error_code: CodeForm,
    pub privilege_text: PrivilegeText,
    pub delta_context: ContextForm,
    /// A delta without changes comes without `value`.
    pub delta_without_value: bool,
    /// Where annotations are asked for, a tracked scan ends without a delta link.
    pub delta_link_withheld: bool,
    /// Status of the refusal to track a table that is not enabled.
    pub untracked_status: u16,
    /// Status of the refusal to track without organisation-level read.
    pub tracking_depth_status: u16,
    /// `/$count` begins with a byte order mark.
    pub count_mark: bool,
    /// RetrieveTotalRecordCount gives zeros: nothing was counted yet.
    pub not_counted: bool,
    /// A paging cookie must come back byte for byte.
    pub strict_cookies: bool,
    /// Status of an unknown set.
    pub unknown_set_status: u16,
    /// Rows of a page, however many are asked for: a short page is no sign of the end.
    pub largest_page: usize,
}

impl Variants {
    /// # Errors
    /// A sentence, where a status is none of a refusal's.
    pub fn check(&self) -> Result<(), String> {
        let statuses = [
            self.expired_status,
            self.untracked_status,
            self.tracking_depth_status,
            self.unknown_set_status,
        ];
        if self.largest_page == 0 {
            return Err("A page has at least one row.".to_owned());
        }
        match statuses.iter().find(|status| !(400..600).contains(*status)) {
            Some(status) => Err(format!("{status} is no status of a refusal.")),
            None => Ok(()),
        }
    }
}

impl Default for Variants {
    fn default() -> Self {
        Self {
            expired_status: 400,
            error_code: CodeForm::Hex,
            privilege_text: PrivilegeText::Principal,
            delta_context: ContextForm::Delta,
            delta_without_value: false,
            delta_link_withheld: false,
            untracked_status: 400,
            tracking_depth_status: 403,
            count_mark: false,
            not_counted: false,
            strict_cookies: false,
            unknown_set_status: 400,
            largest_page: 5_000,
        }
    }
}
