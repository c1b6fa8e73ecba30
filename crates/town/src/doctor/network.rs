//! The port, and the certificate that phones meet there.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::{Check, Patient};
use crate::lock::Holder;
use crate::storage::sqlite::examine::Inside;

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

pub(super) fn port(listen: SocketAddr, holder: Option<&Holder>) -> Check {
    const NAME: &str = "port";
    if let Some(holder) = holder {
        let url = holder.url.as_deref().unwrap_or("…");
        return Check::ok(NAME, "served").with("url", url).with("pid", holder.pid);
    }
    match TcpListener::bind(listen) {
        Ok(_) => Check::warn(NAME, "not_served").with("address", listen),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Check::bad(NAME, "port_taken").with("address", listen)
        }
        Err(error) => {
            Check::bad(NAME, "port_refused").with("address", listen).with("detail", error)
        }
    }
}

/// What phones would meet: their address is the configured one, or the one that the town noted last.
pub(super) fn certificate(
    patient: &Patient<'_>,
    inside: &Inside,
    holder: Option<&Holder>,
) -> Vec<Check> {
    const NAME: &str = "certificate";
    if patient.behind_proxy {
        return vec![Check::ok(NAME, "certificate_of_proxy")];
    }
    let Some(holder) = holder else { return vec![Check::ok(NAME, "certificate_unseen")] };
    let url = patient.public.unwrap_or(&inside.address);
    let Some(host) = host(url) else {
        return vec![Check::warn(NAME, "address_unknown").with("url", url)];
    };
    let mut checks = Vec::new();
    if is_loopback(&host) {
        checks.push(Check::warn("address", "address_local").with("url", url));
    }
    let shaken =
        inside.ca_pem.as_deref().ok_or_else(|| "no CA".to_owned()).and_then(|ca| {
            handshake(connectable(holder.address.unwrap_or(patient.listen)), &host, ca)
        });
    checks.push(match shaken {
        Ok(()) => Check::ok(NAME, "certificate_fits").with("host", host),
        Err(detail) => {
            Check::bad(NAME, "certificate_wrong").with("host", host).with("detail", detail)
        }
    });
    checks
}

fn host(url: &str) -> Option<String> {
    let uri: axum::http::Uri = url.parse().ok()?;
    Some(uri.host()?.trim_matches(['[', ']']).to_owned())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A wildcard is not an address to connect to.
fn connectable(listen: SocketAddr) -> SocketAddr {
    let port = listen.port();
    match listen.ip() {
        ip if !ip.is_unspecified() => SocketAddr::new(ip, port),
        IpAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], port)),
        IpAddr::V6(_) => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], port)),
    }
}

/// Shakes hands as a phone does that trusts this CA alone.
fn handshake(address: SocketAddr, host: &str, ca_pem: &str) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| error.to_string();
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(|e| said(&e))?;
    roots.add(ca).map_err(|e| said(&e))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| said(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|e| said(&e))?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(|e| said(&e))?;
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).map_err(|e| said(&e))?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(|e| said(&e))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN)).map_err(|e| said(&e))?;
    while tls.is_handshaking() {
        tls.complete_io(&mut stream).map_err(|e| said(&e))?;
    }
    Ok(())
}
