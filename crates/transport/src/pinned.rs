//! Enrolment believes exactly one CA: the one whose fingerprint stands in the invite. The chain is then
//! verified by rustls as ever, with that CA as its only root.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};

/// Stands in the error when no certificate of the chain has the fingerprint.
pub(crate) const MISMATCH: &str = "no certificate has the invite's fingerprint";

/// A CA known by its fingerprint; holds the certificate once a server has shown it.
#[derive(Debug, Clone)]
pub struct PinnedCa {
    /// SHA-256 in lower-case hexadecimal.
    fingerprint: String,
    seen: Arc<Mutex<Option<CertificateDer<'static>>>>,
    provider: Arc<CryptoProvider>,
}

impl PinnedCa {
    pub fn new(fingerprint: &str) -> Self {
        let fingerprint = fingerprint.to_ascii_lowercase();
        Self { fingerprint, seen: Arc::default(), provider: Arc::new(ring::default_provider()) }
    }

    /// The CA (PEM), after a handshake.
    pub fn pem(&self) -> Option<String> {
        use base64::Engine as _;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let text = base64::engine::general_purpose::STANDARD.encode(seen.as_ref()?);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        let body = lines.join("\n");
        Some(format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"))
    }

    fn matches(&self, cert: &CertificateDer<'_>) -> bool {
        let digest: String =
            Sha256::digest(cert).iter().map(|byte| format!("{byte:02x}")).collect();
        digest == self.fingerprint
    }
}

impl ServerCertVerifier for PinnedCa {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = intermediates.iter().find(|cert| self.matches(cert));
        let ca = found.ok_or_else(|| Error::General(MISMATCH.to_owned()))?.clone().into_owned();
        let mut roots = RootCertStore::empty();
        roots.add(ca.clone())?;
        let provider = Arc::clone(&self.provider);
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let verified =
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(ca);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
