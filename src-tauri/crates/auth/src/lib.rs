//! Entra ID sign-in (authorisation code with PKCE through the system browser), the token endpoint,
//! and the OS keychain.

mod authority;
mod callback;
mod error;
pub mod explain;
mod landing;
mod secrets;
mod sign_in;
mod token;

#[cfg(test)]
mod attack_tests;
#[cfg(test)]
mod tests;

pub use authority::{ClientKind, Endpoints, Registration, discover};
pub use error::AuthError;
pub use secrets::{SecretStore, SecretStoreError};
pub use sign_in::{SignIn, SignInOptions};
pub use token::{Tokens, UserClaims, client_credentials, refresh};

/// A text that cannot be printed.
pub type Secret = secrecy::SecretString;
