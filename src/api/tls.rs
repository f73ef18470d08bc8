//! TLS by rustls: a certificate and its key from PEM files, which can be read again while connections are open.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what should be there.
        why: String,
    },
    /// Both can be read, and do not go together.
    #[error("{} and {}: {error}", cert.display(), key.display())]
    Pair {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why not.
        error: rustls::Error,
    },
}

/// A certificate with its key, and where they were read.
#[derive(Debug)]
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    in_use: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads a certificate chain, the server's own first, and the private key of the first.
    pub fn read(cert: PathBuf, key: PathBuf) -> Result<Tls, TlsError> {
        let in_use = RwLock::new(pair(&cert, &key)?);
        Ok(Tls { cert, key, in_use })
    }

    /// Reads both again for the connections to come; where they cannot be used, those in use stay.
    pub fn read_again(&self) -> Result<(), TlsError> {
        let pair = pair(&self.cert, &self.key)?;
        *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(())
    }

    /// The server's side of a handshake. It has no deadline of its own.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsAcceptor::from(self.in_use()).accept(stream).await
    }

    fn in_use(&self) -> Arc<ServerConfig> {
        let in_use = self.in_use.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&in_use)
    }
}

fn pair(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |path: &Path, why: String| TlsError::File {
        path: path.to_owned(),
        why,
    };
    let chain =
        CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong(cert, told(&error)))?;
    if chain.is_empty() {
        let why = "there is no certificate in it (-----BEGIN CERTIFICATE-----)";
        return Err(wrong(cert, why.to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| {
        let why = match error {
            pem::Error::NoItemsFound => {
                "there is no unencrypted private key in it (-----BEGIN PRIVATE KEY-----)".to_owned()
            }
            error => told(&error),
        };
        wrong(key, why)
    })?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let built = builder
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, secret)
        });
    let mut config = built.map_err(|error| TlsError::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        error,
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// An error of a file in the words of the system.
fn told(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        error => format!("it is no PEM: {error}"),
    }
}

#[cfg(test)]
mod tests;
