//! The guard against listening on a network without authentication.

use std::net::SocketAddr;

use anyhow::bail;

/// Refuses an address that other machines can reach, unless callers must authenticate. `key` names the settings that
/// would add authentication.
///
/// # Errors
/// The address is not a loopback address and `has_auth` is false. The error names the setting to change; the process
/// must not start.
pub fn bind_guard(address: SocketAddr, has_auth: bool, key: &str) -> anyhow::Result<()> {
    if has_auth || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    bail!(
        "won't listen on {address}, which is not a loopback address, without authentication: set {key}, or bind 127.0.0.1 or ::1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_bound_without_authentication() {
        for (address, has_auth, allowed) in [
            ("127.0.0.1:80", false, true),
            ("[::1]:80", false, true),
            ("[::ffff:127.0.0.1]:80", false, true),
            ("0.0.0.0:80", false, false),
            ("[::]:80", false, false),
            ("10.0.0.1:80", false, false),
            ("10.0.0.1:80", true, true),
        ] {
            let result = bind_guard(address.parse().unwrap(), has_auth, "ingest.token");
            assert_eq!(result.is_ok(), allowed, "{address}");
        }
        let error = bind_guard("0.0.0.0:80".parse().unwrap(), false, "ingest.token").unwrap_err();
        assert!(error.to_string().contains("ingest.token"), "{error}");
    }
}
