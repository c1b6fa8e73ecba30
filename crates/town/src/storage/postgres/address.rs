//! Where the database is, and which of its towns is meant: `postgres://user:password@host/database?town=NAME`.
//!
//! Beside what libpq's addresses say, `town` names the town (`town` unless said otherwise) and `sslrootcert` a
//! file with the certificates to trust. To a server on another machine TLS is spoken, whose certificate is
//! checked, unless the address says `sslmode=disable`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::TownError;

const DEFAULT_TOWN: &str = "town";
/// How long a connection may take to come about, and how long the other end may be silent.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// An address. It is never shown with its password.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(super) config: Config,
    pub(super) town: String,
    root_cert: Option<String>,
}

impl FromStr for DatabaseUrl {
    type Err = TownError;

    fn from_str(text: &str) -> Result<Self, TownError> {
        let (base, query) = text.trim().split_once('?').unwrap_or((text.trim(), ""));
        let (mut town, mut root_cert) = (DEFAULT_TOWN.to_owned(), None);
        let mut rest = Vec::new();
        let mut disabled = false;
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("town", name)) => name.clone_into(&mut town),
                Some(("sslrootcert", file)) => root_cert = Some(file.to_owned()),
                Some(("sslmode", mode)) => disabled = mode == "disable",
                Some(_) | None => rest.push(part),
            }
        }
        let unreadable =
            || TownError::Input("the address of the database cannot be read".to_owned());
        let named = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if town.is_empty() || !town.chars().all(named) {
            return Err(unreadable());
        }
        let url =
            if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        // The error would repeat the password.
        let mut config: Config = url.parse().map_err(|_| unreadable())?;
        let here = config.get_hosts().iter().all(is_here);
        config.ssl_mode(if here || disabled { SslMode::Disable } else { SslMode::Require });
        config.application_name("yaoguan-town").connect_timeout(CONNECT_TIMEOUT);
        config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
        Ok(Self { config, town, root_cert })
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

impl DatabaseUrl {
    pub(super) fn tls(&self) -> Result<MakeRustlsConnect, TownError> {
        let mut roots: RootCertStore = RootCertStore::empty();
        match &self.root_cert {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let unreadable =
                    |e: &dyn fmt::Display| TownError::Certificate(format!("{file}: {e}"));
                let all = CertificateDer::pem_file_iter(file).map_err(|e| unreadable(&e))?;
                for one in all {
                    let one = one.map_err(|e| unreadable(&e))?;
                    roots.add(one).map_err(|e| unreadable(&e))?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| TownError::Certificate(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        let database = self.config.get_dbname().unwrap_or_default();
        write!(f, "postgres://{host}/{database}?town={}", self.town)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_town_and_keeps_its_password_to_itself() {
        let url: DatabaseUrl =
            "postgres://u:geheim@db.example/county?town=yaoguan".parse().unwrap();
        assert_eq!((url.town.as_str(), url.config.get_ssl_mode()), ("yaoguan", SslMode::Require));
        assert_eq!(
            format!("{url} {url:?}"),
            ["postgres://db.example/county?town=yaoguan"; 2].join(" ")
        );
        let bad = "postgres://u:geheim@[x/county".parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(!bad.contains("geheim"), "{bad}");
    }

    #[test]
    fn tls_is_spoken_unless_the_server_is_here_or_it_is_forbidden() {
        let mode = |url: &str| url.parse::<DatabaseUrl>().unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://u@127.0.0.1/c"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost/c?connect_timeout=3"), SslMode::Disable);
        assert_eq!(mode("postgres://u@10.0.0.7/c?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@10.0.0.7/c?sslmode=prefer"), SslMode::Require);
    }
}
