//! Cursors: where a list goes on. Signed with a key of this installation, so that nothing that comes
//! back from a caller is believed that was not given out; never an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// Bytes of the signature that are sent.
const SIGNATURE: usize = 16;

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The object's segment.
    pub object: String,
    /// Whether deleted records are listed too, in a list that is not held.
    #[serde(default)]
    pub include_deleted: bool,
    /// Records of a page.
    pub page_size: u16,
    /// Whether records come as Dataverse gave them, too.
    pub raw: bool,
    /// Where.
    pub at: Position,
}

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// After this record, in the order of ids.
    After(Uuid),
    /// Before it.
    Before(Uuid),
    /// At this place of a list that is held here.
    Held(Uuid, u64),
}

/// Signs cursors.
pub struct Signer([u8; 32]);

impl Signer {
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn mac(&self, content: &[u8]) -> Hmac<Sha256> {
        // A key of any length will do, so that this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .unwrap_or_else(|_| unreachable!("a MAC takes keys of any length"));
        mac.update(content);
        mac
    }

    /// A cursor as it is given out.
    pub fn sign(&self, cursor: &Cursor) -> String {
        // Its parts are texts and numbers, which can always be written.
        let content = serde_json::to_vec(cursor).unwrap_or_default();
        let mut bytes = self.mac(&content).finalize().into_bytes()[..SIGNATURE].to_vec();
        bytes.extend(content);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What was given out; `None` for anything else.
    pub fn read(&self, text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signature, content) = bytes.split_at_checked(SIGNATURE)?;
        self.mac(content).verify_truncated_left(signature).ok()?;
        serde_json::from_slice(content).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_out_is_read_back() {
        let signer = Signer::new([7; 32]);
        let cursor = Cursor {
            object: "contacts".into(),
            include_deleted: true,
            page_size: 100,
            raw: false,
            at: Position::After(Uuid::from_u128(5)),
        };
        let text = signer.sign(&cursor);
        assert_eq!(signer.read(&text), Some(cursor));
        assert_eq!(
            Signer::new([8; 32]).read(&text),
            None,
            "another installation"
        );
        for place in 0..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap_or_default();
            assert_eq!(signer.read(&forged), None, "{forged}");
        }
        for text in [
            "",
            "A",
            "https://evil.example/",
            &text[..20],
            &format!("{text}AAAA"),
        ] {
            assert_eq!(signer.read(text), None, "{text}");
        }
    }
}
