//! The one function that builds an HTTP client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::carrier::Carrier;
use crate::error::TransportError;
use crate::pinned::PinnedCa;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A line that gives nothing for this long is broken; one that is slow is not.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections are kept for the next request, of the same run or of one soon after.
const KEEP_ALIVE: Duration = Duration::from_secs(90);

/// How this app calls itself: what the town's office sees of its version.
const AGENT: &str = concat!("yaoguan/", env!("CARGO_PKG_VERSION"));

/// Whom to believe.
#[derive(Debug, Clone)]
pub enum Trust {
    /// The town's own CA (PEM), and nobody else.
    Ca(String),
    /// The CA with this fingerprint, not seen yet: enrolment.
    Fingerprint(PinnedCa),
    /// Public CAs: the town stands behind a proxy.
    Public,
}

/// Connections to the town, kept from one run of syncing to the next: a sync soon after another then costs one
/// round trip and not three. Clones share them.
#[derive(Clone, Default)]
pub struct Connections {
    kept: Arc<Mutex<Option<(String, reqwest::Client)>>>,
    carrier: Option<Arc<dyn Carrier>>,
}

impl Connections {
    /// Everything goes by another way than HTTPS.
    pub fn carried_by(carrier: Arc<dyn Carrier>) -> Self {
        Self { carrier: Some(carrier), ..Self::default() }
    }

    pub(crate) fn carrier(&self) -> Option<Arc<dyn Carrier>> {
        self.carrier.clone()
    }

    /// A client for a town under this CA (PEM; empty: public ones). The one that is there is used again.
    pub(crate) fn client(&self, ca_pem: &str) -> Result<reqwest::Client, TransportError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, client)) = kept.as_ref()
            && of == ca_pem
        {
            return Ok(client.clone());
        }
        let trust = if ca_pem.is_empty() { Trust::Public } else { Trust::Ca(ca_pem.to_owned()) };
        let new = client(trust)?;
        *kept = Some((ca_pem.to_owned(), new.clone()));
        Ok(new)
    }

    /// Lets go of them: the line changed, or broke. Nobody waits on what a dead connection will not bring.
    pub fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether one may be there.
    pub fn is_kept(&self) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// A client: rustls with ring, no platform verifier (it panics on Android), no proxy from the
/// environment, no redirects.
#[allow(clippy::disallowed_methods, reason = "this is the one function that builds a client")]
pub fn client(trust: Trust) -> Result<reqwest::Client, TransportError> {
    let bad = |error: &dyn std::fmt::Display| TransportError::Identity(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(&e))?;
    let mut config = match trust {
        Trust::Ca(pem) => {
            let mut roots = RootCertStore::empty();
            let cert = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| bad(&e))?;
            roots.add(cert).map_err(|e| bad(&e))?;
            builder.with_root_certificates(roots).with_no_client_auth()
        }
        Trust::Fingerprint(pinned) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(pinned))
            .with_no_client_auth(),
        Trust::Public => {
            let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .user_agent(AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(IDLE_TIMEOUT)
        .pool_idle_timeout(KEEP_ALIVE)
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(client)
}
