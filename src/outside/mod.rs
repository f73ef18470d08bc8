//! How other servers are asked: one way for whoever is a client.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring::default_provider;
use ureq::Agent;
use ureq::config::ConfigBuilder;
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
