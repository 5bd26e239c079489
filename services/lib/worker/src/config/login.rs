//! The login that a server's URL may contain: `nats://user:password@host` or `nats://token@host`.
//!
//! The client library ignores it, so it is removed from the URL and passed as credentials.

use std::collections::BTreeSet;

use anyhow::ensure;
use percent_encoding::percent_decode_str;

use crate::transport::jetstream::Credentials;

/// Splits comma-separated URLs into URLs without a login and the login, which is used for all servers.
///
/// # Errors
/// The URLs contain different logins.
pub(super) fn split(urls: &str) -> anyhow::Result<(Vec<String>, Option<Credentials>)> {
    let (servers, logins): (Vec<_>, Vec<_>) = urls.split(',').map(|url| part(url.trim())).unzip();
    let mut logins: BTreeSet<_> = logins.into_iter().flatten().collect();
    ensure!(logins.len() <= 1, "the URLs of nats.url hold different logins; give all of them the same one");
    Ok((servers, logins.pop_first().map(|login| credentials(&login))))
}

fn part(url: &str) -> (String, Option<String>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((login, _)) if !login.is_empty() => {
            (format!("{scheme}://{}", &rest[login.len() + 1..]), Some(login.to_owned()))
        }
        _ => (url.to_owned(), None),
    }
}

fn credentials(login: &str) -> Credentials {
    let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match login.split_once(':') {
        Some((name, password)) => Credentials::User { name: plain(name), password: plain(password) },
        None => Credentials::Token(plain(login)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_taken_out_and_decoded() {
        let (servers, login) = split("nats://u:a%40b%2Fc@one:4222, tls://u:a%40b%2Fc@two/").unwrap();
        assert_eq!(servers, ["nats://one:4222", "tls://two/"]);
        let Some(Credentials::User { name, password }) = login else { panic!("a user and a password") };
        assert_eq!((name.as_str(), password.as_str()), ("u", "a@b/c"));
        assert!(matches!(split("token@one").unwrap(), (servers, Some(Credentials::Token(token)))
            if servers == ["nats://one"] && token == "token"));
        assert!(
            matches!(split("nats://one:4222").unwrap(), (servers, None) if servers == ["nats://one:4222"])
        );
        assert!(split("nats://a:b@one,nats://c:d@two").is_err());
    }
}
