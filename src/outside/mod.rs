//! How other servers are asked: one way for whoever is a client.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

/// An agent in the making, without a bound on how long it waits: every status is an answer, and over TLS a server is believed by
/// what this machine believes.
pub fn agent() -> ConfigBuilder<AgentScope> {
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
        .root_certs(RootCerts::PlatformVerifier);
    Agent::config_builder()
        .http_status_as_error(false)
        .tls_config(tls.build())
}

/// Not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address of a server: http:// or https://, its name, and where it is another than usual a port of 1 to 65535"
)]
pub struct NoAddress(String);

/// The address of a server, to which paths are added, without a slash at its end. A port that is none is refused: whoever
/// connects would take the usual one instead.
pub fn address(url: &str) -> Result<String, NoAddress> {
    let no_address = || NoAddress(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| no_address())?;
    let authority = uri.authority().ok_or_else(no_address)?;
    let host = authority.host();
    let behind_user = authority.as_str().rsplit('@').next().unwrap_or_default();
    let has_port = behind_user != host;
    let is_port = authority.port_u16().is_some_and(|port| port > 0);
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    match is_web && !host.is_empty() && has_port == is_port && uri.query().is_none() {
        true => Ok(url.trim_end_matches('/').to_owned()),
        false => Err(no_address()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::as_it_is("http://127.0.0.1:8465", "http://127.0.0.1:8465")]
    #[case::with_a_path("https://ledger.example/here/", "https://ledger.example/here")]
    #[case::ipv6("http://[::1]:80/", "http://[::1]:80")]
    #[case::host_of_digits("http://80:80", "http://80:80")]
    #[case::with_a_user("http://me@ledger.example", "http://me@ledger.example")]
    #[case::ipv6_without_port("http://[::1]", "http://[::1]")]
    fn an_address_of_a_server(#[case] url: &str, #[case] address: &str) {
        assert_eq!(super::address(url), Ok(address.to_owned()));
    }

    #[rstest]
    #[case::port_of_letters("http://127.0.0.1:8O81")]
    #[case::port_too_large("http://127.0.0.1:80810")]
    #[case::port_zero("http://127.0.0.1:0")]
    #[case::no_port("http://127.0.0.1:")]
    #[case::port_that_ends_like_the_host("http://a:a")]
    #[case::no_scheme("127.0.0.1:8465")]
    #[case::no_host("http://")]
    #[case::another_scheme("ftp://ledger.example")]
    #[case::a_query("http://ledger.example/?here")]
    #[case::empty("")]
    fn no_address_of_a_server(#[case] url: &str) {
        assert_eq!(address(url), Err(NoAddress(url.to_owned())));
    }
}
