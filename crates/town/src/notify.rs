//! Tells systemd how the service stands (`sd_notify(3)`): one datagram each to the socket that it names.

#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The service manager; without one every word goes nowhere.
#[derive(Debug, Clone, Default)]
pub struct Notify {
    /// A path, or `@` and a name of the abstract namespace.
    socket: Option<String>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the service manager has set the environment of this process.
    pub fn from_env() -> Self {
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|us| us.parse().ok());
        let socket = std::env::var("NOTIFY_SOCKET").ok().filter(|name| !name.is_empty());
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// It listens and takes requests.
    pub fn ready(&self, url: &str) {
        self.send(&format!("READY=1\nSTATUS={url}"));
    }

    /// It finishes the requests under way.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Says at half the watchdog's time that the program still runs, for as long as it does.
    pub async fn watch(self) {
        let Some(limit) = self.watchdog else { return std::future::pending().await };
        loop {
            self.send("WATCHDOG=1");
            tokio::time::sleep(limit / 2).await;
        }
    }

    fn send(&self, state: &str) {
        let Some(name) = &self.socket else { return };
        let sent = address(name)
            .and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
        if let Err(error) = sent {
            tracing::warn!(%error, "the service manager cannot be told");
        }
    }
}

fn address(name: &str) -> std::io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => SocketAddr::from_abstract_name(name),
        #[cfg(not(target_os = "linux"))]
        Some(_) => Err(std::io::ErrorKind::Unsupported.into()),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        let n = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..n].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_service_manager_hears_ready_watchdog_and_stopping() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let name = Some(path.display().to_string());
        let notify = Notify { socket: name, watchdog: Some(Duration::from_millis(20)) };
        notify.ready("https://10.0.0.1:8443");
        assert_eq!(heard(&socket), "READY=1\nSTATUS=https://10.0.0.1:8443");
        let watching = tokio::spawn(notify.clone().watch());
        let listening = tokio::task::spawn_blocking(move || {
            let both = (heard(&socket), heard(&socket));
            (socket, both)
        });
        let (socket, both) = listening.await.unwrap();
        assert_eq!(both, ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
        watching.abort();
        while socket.set_nonblocking(true).is_ok() && socket.recv(&mut [0; 64]).is_ok() {}
        socket.set_nonblocking(false).unwrap();
        notify.stopping();
        assert_eq!(heard(&socket), "STOPPING=1");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_abstract_socket_is_understood_and_none_is_no_error() {
        let name = format!("yaoguan-notify-{}", std::process::id());
        let socket =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notify { socket: Some(format!("@{name}")), watchdog: None }.stopping();
        assert_eq!(heard(&socket), "STOPPING=1");
        Notify::default().stopping();
    }
}
