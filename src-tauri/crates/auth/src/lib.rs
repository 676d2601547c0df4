//! Entra ID sign-in, token endpoint, secret store.
