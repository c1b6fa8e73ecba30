//! The town's own CA, made once at `init`, and the leaf certificate that it renews by itself.
//!
//! Phones pin the CA by the fingerprint in their invite. The address may change without a new enrolment:
//! a new leaf is made at every start and whenever the old one nears its end.

use std::sync::{Arc, PoisonError, RwLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::error::TownError;

/// The CA outlives every phone.
const CA_YEARS: i64 = 20;
const LEAF_DAYS: i64 = 90;
/// A leaf is renewed when it has this much left.
const RENEW_BEFORE_DAYS: i64 = 30;
/// Clocks of phones may be behind: certificates hold from a little earlier.
const BACKDATED_DAYS: i64 = 2;

/// The CA, as it stands among the town's secrets.
#[derive(Clone)]
pub struct Ca {
    pub cert_pem: String,
    pub key_pem: String,
}

fn failed(error: impl std::fmt::Display) -> TownError {
    TownError::Certificate(error.to_string())
}

fn at(seconds: i64) -> Result<OffsetDateTime, TownError> {
    OffsetDateTime::from_unix_timestamp(seconds).map_err(failed)
}

impl Ca {
    /// A new CA for a town of this name; `now` in seconds since 1970.
    pub fn new(town: &str, now: i64) -> Result<Self, TownError> {
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, format!("{town} CA"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = at(now)? - Duration::days(BACKDATED_DAYS);
        params.not_after = at(now)? + Duration::days(CA_YEARS * 365);
        let cert = params.self_signed(&key).map_err(failed)?;
        Ok(Self { cert_pem: cert.pem(), key_pem: key.serialize_pem() })
    }

    pub fn der(&self) -> Result<CertificateDer<'static>, TownError> {
        CertificateDer::from_pem_slice(self.cert_pem.as_bytes()).map_err(failed)
    }

    /// SHA-256 of the certificate in hexadecimal: what phones pin.
    pub fn fingerprint(&self) -> Result<String, TownError> {
        let digest = Sha256::digest(self.der()?);
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A leaf for these hosts (names or addresses), with the CA behind it in the chain.
    pub fn leaf(&self, hosts: &[String], now: i64) -> Result<CertifiedKey, TownError> {
        let ca_key = KeyPair::from_pem(&self.key_pem).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_pem(&self.cert_pem, ca_key).map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(hosts.to_vec()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "yaoguan-town");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.not_before = at(now)? - Duration::days(BACKDATED_DAYS);
        params.not_after = at(now)? + Duration::days(LEAF_DAYS);
        let cert = params.signed_by(&key, &issuer).map_err(failed)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = ring::sign::any_supported_type(&private).map_err(failed)?;
        Ok(CertifiedKey::new(vec![cert.der().clone(), self.der()?], signing))
    }
}

/// Whether a leaf made then (seconds since 1970) is to be replaced now.
pub fn renewal_is_due(made: i64, now: i64) -> bool {
    now - made >= (LEAF_DAYS - RENEW_BEFORE_DAYS) * 86_400
}

/// Hands out the present leaf; a renewal swaps it under running connections.
#[derive(Debug)]
pub struct Leaf(RwLock<Arc<CertifiedKey>>);

impl Leaf {
    pub fn new(key: CertifiedKey) -> Self {
        Self(RwLock::new(Arc::new(key)))
    }
    pub fn renew(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for Leaf {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The server's TLS settings: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
pub fn server_config(leaf: Arc<Leaf>) -> Result<rustls::ServerConfig, TownError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_no_client_auth()
        .with_cert_resolver(leaf);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::{ServerName, UnixTime};

    use super::*;

    const NOW: i64 = 1_795_000_000;
    const DAY: i64 = 86_400;

    fn verifies(ca: &Ca, leaf: &CertifiedKey, host: &str, at: i64) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(ca.der().unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unsigned_abs()));
        let (leaf, chain) = leaf.cert.split_first().unwrap();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        verifier.verify_server_cert(leaf, chain, &name, &[], at).is_ok()
    }

    #[test]
    fn a_leaf_holds_for_its_hosts_and_its_time_under_its_own_ca() {
        let (ca, other) = (Ca::new("a", NOW).unwrap(), Ca::new("b", NOW).unwrap());
        let leaf = ca.leaf(&["town.example".to_owned(), "10.1.2.3".to_owned()], NOW).unwrap();
        assert!(verifies(&ca, &leaf, "town.example", NOW));
        assert!(verifies(&ca, &leaf, "10.1.2.3", NOW + 89 * DAY));
        assert!(!verifies(&ca, &leaf, "elsewhere.example", NOW));
        assert!(!verifies(&ca, &leaf, "town.example", NOW + 91 * DAY));
        assert!(!verifies(&other, &leaf, "town.example", NOW));
    }

    #[test]
    fn a_leaf_is_renewed_well_before_it_ends_and_the_ca_stays() {
        assert!(!renewal_is_due(NOW, NOW + 59 * DAY));
        assert!(renewal_is_due(NOW, NOW + 60 * DAY));
        let ca = Ca::new("a", NOW).unwrap();
        let hosts = ["town.example".to_owned()];
        let leaf = Leaf::new(ca.leaf(&hosts, NOW).unwrap());
        leaf.renew(ca.leaf(&["new.example".to_owned()], NOW + 60 * DAY).unwrap());
        let present = Arc::clone(&leaf.0.read().unwrap());
        // Another address, a later time: the CA that phones pinned still vouches for it.
        assert!(verifies(&ca, &present, "new.example", NOW + 140 * DAY));
    }
}
