//! Tokens that are really signed. The key lies in this folder for everybody to see: it vouches for
//! nothing but the sample organisation.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// An RSA key of 2048 bits, PKCS #8.
const KEY: &[u8] = include_bytes!("signing-key.der");
/// Where the modulus lies in the DER of a public key of 2048 bits, and how long it is, in bytes.
const MODULUS: std::ops::Range<usize> = 9..265;
/// The public exponent of the key, 65537.
const EXPONENT: &str = "AQAB";

fn key() -> Option<&'static KeyPair> {
    static PAIR: OnceLock<Option<KeyPair>> = OnceLock::new();
    PAIR.get_or_init(|| {
        KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(KEY), &PKCS_RSA_SHA256).ok()
    })
    .as_ref()
}

/// Names the key.
fn key_id(modulus: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&modulus[..15])
}

fn modulus() -> &'static [u8] {
    key()
        .and_then(|key| key.der_bytes().get(MODULUS))
        .unwrap_or(&[0; 15])
}

/// The key set.
pub fn keys(issuer: &str) -> Value {
    let modulus = modulus();
    json!({"keys": [{
        "kty": "RSA", "use": "sig", "kid": key_id(modulus), "x5t": key_id(modulus),
        "n": URL_SAFE_NO_PAD.encode(modulus), "e": EXPONENT, "issuer": issuer,
    }]})
}

/// A JWT with these claims.
pub fn sign(claims: &Value) -> String {
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": key_id(modulus())});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let content = format!("{}.{}", encode(&header), encode(claims));
    let signature = key()
        .and_then(|key| key.sign(content.as_bytes()).ok())
        .unwrap_or_default();
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
}
