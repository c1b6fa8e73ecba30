//! What a town as a process does with bodies, heads and connections that no phone would send: each gets an
//! answer with a code or is let go, memory stays bounded, and phones are served afterwards.

mod files;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use yaoguan_field::Phone as Store;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;
use yaoguan_transport::{Trust, client};
use yaoguan_wire::limits::MAX_DECODED_BYTES;
use yaoguan_wire::proof::{Claims, DeviceKey, body_hash};

use crate::GRID;
use crate::phone::Phone;
use crate::program::now;
use crate::town::Town;

/// The process never held more than this.
const MEMORY_KIB: u64 = 256 * 1024;

/// An enrolled phone whose key a hostile program has.
pub(crate) struct Attacker {
    http: reqwest::Client,
    url: String,
    device: yaoguan_model::DeviceId,
    key: DeviceKey,
}

impl Attacker {
    pub(crate) fn of(town: &Town, phone: &Phone) -> Self {
        let store = Store::open(&phone.data, std::sync::Arc::new(System), "en").unwrap();
        let identity = store.store().identity().unwrap().unwrap();
        let key = DeviceKey::from_pem(&identity.private_key).unwrap();
        let http = client(Trust::Ca(identity.ca_pem)).unwrap();
        Self { http, url: town.url.clone(), device: identity.device, key }
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>, zstd: bool) -> Option<(u16, Value)> {
        let url = format!("{}{path}", self.url);
        let claims = Claims {
            htm: "POST".to_owned(),
            htu: url.clone(),
            iat: System.now_s(),
            bh: body_hash(&body),
        };
        let proof = self.key.prove(self.device, &claims).unwrap();
        let mut request = self.http.post(url).header("dpop", proof);
        if zstd {
            request = request.header("content-encoding", "zstd");
        }
        // A connection that is closed before the body is through is an answer too.
        let response = request.body(body).send().await.ok()?;
        let status = response.status().as_u16();
        let zstd = response.headers().get("content-encoding").is_some_and(|value| value == "zstd");
        let bytes = response.bytes().await.unwrap_or_default();
        let bytes = yaoguan_wire::body::decompress(&bytes, zstd).unwrap();
        Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}

fn request() -> Value {
    json!({
        "protocol": 1, "replica": "EREREREREREREREREREREQ",
        "push": { "tokens": ["AAAAAAAAAAAAAAAAAAAAAQ"], "next": "AAAAAAAAAAAAAAAAAAAAAQ", "counter": 9 }, "scope_version": 0,
        "clock": { "device": 0, "boot_elapsed": 0 },
        "replicas": ["EREREREREREREREREREREQ"],
    })
}

/// A request whose one record holds this JSON as a value.
fn with_value(value: &str) -> Vec<u8> {
    let mut request = request();
    request["records"] = json!([{
        "id": "01a20baa-e572-73fc-8231-376a75240f79", "kind": "hazard",
        "created_by": "01a20baa-e572-73fc-8231-376a75240f79",
        "context": [[0, 1]], "writes": [[0, 1, { "title": "@" }]],
    }]);
    request.to_string().replace("\"@\"", value).into_bytes()
}

fn squeezed(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// Many small values in few bytes: what costs memory is not the text.
fn many_values() -> Vec<u8> {
    let list = format!("[{}0]", "[],".repeat(3_000_000));
    squeezed(&with_value(&list))
}

fn bodies() -> Vec<(&'static str, Vec<u8>, bool)> {
    let frame = squeezed(request().to_string().as_bytes());
    let skippable = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 0, 0, 0, 0];
    let mut future = request();
    future["protocol"] = json!(99);
    let mut twice = request().to_string();
    twice.insert_str(1, "\"protocol\":1,");
    vec![
        ("10 MB", vec![b' '; 10 << 20], false),
        ("not zstd", b"hello".to_vec(), true),
        ("half a frame", frame[..frame.len() / 2].to_vec(), true),
        ("two frames", [frame.clone(), frame.clone()].concat(), true),
        ("garbage behind a frame", [frame.clone(), vec![7; 100]].concat(), true),
        ("a skippable frame", [skippable.to_vec(), frame].concat(), true),
        ("a bomb", squeezed(&vec![b' '; MAX_DECODED_BYTES + 1]), true),
        ("a bomb of a gigabyte", bomb(), true),
        ("many values", many_values(), true),
        ("deep lists", vec![b'['; 900_000], false),
        ("deep objects", "{\"a\":".repeat(150_000).into_bytes(), false),
        ("deep, squeezed", squeezed(&vec![b'['; MAX_DECODED_BYTES - 1]), true),
        ("wrong types", br#"{"protocol":"one"}"#.to_vec(), false),
        ("a list", b"[]".to_vec(), false),
        ("nothing", Vec::new(), false),
        ("NUL bytes", vec![0; 1000], false),
        ("a lone surrogate", with_value(r#""\ud800""#), false),
        (
            "not UTF-8",
            [b"{\"protocol\":\"".to_vec(), vec![0xFF, 0xFE], b"\"}".to_vec()].concat(),
            false,
        ),
        ("a fraction", with_value("1.5"), false),
        ("an exponent", with_value("1e400"), false),
        ("a huge integer", with_value(&"9".repeat(400)), false),
        ("2^53", with_value("9007199254740992"), false),
        ("a key twice", twice.into_bytes(), false),
        ("a key twice in a value", with_value(r#"{"a":1,"a":2}"#), false),
        ("the future", future.to_string().into_bytes(), false),
    ]
}

/// A gigabyte of spaces, of which the frame does not say how much it is.
fn bomb() -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    let block = vec![b' '; 1 << 20];
    for _ in 0..1024 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap()
}

fn assert_refused(what: &str, answer: Option<(u16, Value)>) {
    let Some((status, body)) = answer else { return };
    assert!((400..500).contains(&status), "{what}: {status} {body}");
    assert!(body["code"].as_str().is_some_and(|code| !code.is_empty()), "{what}: {status} {body}");
}

fn memory_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn hostile_bodies_and_heads_are_answered_and_memory_stays_bounded() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let attacker = Attacker::of(&town, &phone);
    let before = memory_kib(town.server_id());
    in_time(async {
        for path in ["/v1/sync", "/v1/reconcile", "/v1/enrol"] {
            for (what, body, zstd) in bodies() {
                // What a route does not know it does not read.
                let is_of_sync = body.windows(7).any(|word| word == b"records");
                if is_of_sync && path != "/v1/sync" {
                    continue;
                }
                assert_refused(&format!("{path}, {what}"), attacker.post(path, body, zstd).await);
            }
        }
        // What a schema does not take is a verdict, with its record alone.
        for value in [r#""a\u0000b""#, "null", "[[[[1]]]]", r#"{"a":{"b":{"c":1}}}"#] {
            let (status, body) = attacker.post("/v1/sync", with_value(value), false).await.unwrap();
            assert_eq!(
                (status, &body["verdicts"][0]["verdict"]),
                (200, &json!("refused")),
                "{value}"
            );
        }
        // The worst of them at the same time.
        let worst = [bomb(), many_values(), squeezed(&vec![b'['; MAX_DECODED_BYTES - 1])];
        let mut at_once = tokio::task::JoinSet::new();
        for n in 0..60 {
            let Attacker { http, url, device, key } = &attacker;
            let key = DeviceKey::from_pem(&key.to_pem().unwrap()).unwrap();
            let one = Attacker { http: http.clone(), url: url.clone(), device: *device, key };
            let body = worst[n % worst.len()].clone();
            at_once.spawn(async move { one.post("/v1/sync", body, true).await });
        }
        while let Some(answer) = at_once.join_next().await {
            let answer = answer.unwrap();
            // Also: not now.
            if answer.as_ref().is_none_or(|(status, _)| *status != 503) {
                assert_refused("at once", answer);
            }
        }
        let large = "x".repeat(100_000);
        let head = attacker.http.get(format!("{}/healthz", town.url)).header("x-large", large);
        let head = head.send().await.ok().map(|response| response.status().as_u16());
        assert!(head.is_none_or(|status| (400..500).contains(&status)), "{head:?}");
    });
    let held = memory_kib(town.server_id());
    println!("hostile: {} bodies, VmHWM {before} KiB before, {held} KiB after", bodies().len());
    assert!(held < MEMORY_KIB, "{held} KiB");
    phone.add("hazard", &["category=fire", "severity=general", &format!("grid={GRID}")]);
    assert_eq!(phone.sync()["sent"], 1);
    town.assert_sound();
}

#[test]
fn thousands_of_connections_that_say_nothing_do_not_keep_a_phone_out() {
    let town = Town::serving();
    let phone = town.phone("a", "chief", GRID);
    let address = town.url.trim_start_matches("https://").to_owned();
    let (mut open, mut made) = (Vec::new(), 0);
    // As many as this process may have; the town is limited as it is.
    for _ in 0..3_000 {
        match TcpStream::connect(&address) {
            Ok(stream) => open.push(stream),
            // This process has no more handles: let some go and go on.
            Err(_) => drop(open.drain(..open.len() / 2)),
        }
        made += 1;
    }
    phone.add("hazard", &["category=fire", "severity=general", &format!("grid={GRID}")]);
    // One address has three quarters of the places at most, and those that say nothing lose theirs.
    let begun = now();
    while phone.run(&["sync"]).code != Some(0) {
        assert!(begun.elapsed() < Duration::from_secs(40), "the phone is kept out");
    }
    let held = memory_kib(town.server_id());
    let waited = begun.elapsed().as_secs();
    println!(
        "connections: {made} made and left, VmHWM {held} KiB, a phone synced after {waited} s"
    );
    assert!(held < MEMORY_KIB, "{held} KiB");
    drop(open);
    assert_eq!(phone.sync()["sent"], 0);
}

/// Says something, waits for the end of the connection or an answer; what came and after how long.
fn exchange(address: &str, said: &[u8]) -> (String, Duration) {
    let begun = now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    _ = stream.write_all(said);
    let mut heard = Vec::new();
    _ = stream.read_to_end(&mut heard);
    (String::from_utf8_lossy(&heard).into_owned(), begun.elapsed())
}

#[test]
fn whoever_speaks_slowly_or_nonsense_is_let_go() {
    let mut town = Town::demo();
    town.serve_with("127.0.0.1:0", &["--behind-proxy"]);
    let plain = town.url.trim_start_matches("http://").to_owned();
    let half_body = "POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"code\":";
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("silence", Vec::new()),
        ("half a head", b"POST /v1/sync HTTP/1.1\r\nhost: x\r\nx-half".to_vec()),
        ("half a body", half_body.as_bytes().to_vec()),
        ("nonsense", b"\x00\xFF\x16\x03garbage\r\n\r\n".repeat(10)),
        ("nonsense behind a request", b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n\x00\x01garbage\r\n\r\n".to_vec()),
        ("half of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a chunk that is none", b"POST /v1/enrol HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec()),
        ("two lengths", b"POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_vec()),
        ("a length and chunks", b"POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        ("a head of 100 kB", format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(100_000)).into_bytes()),
    ];
    std::thread::scope(|scope| {
        for (what, said) in cases {
            let plain = &plain;
            scope.spawn(move || {
                let (heard, after) = exchange(plain, &said);
                println!("{what}: {:.1} s, {:.40?}", after.as_secs_f32(), heard);
                // Half of HTTP/2 is idle, and that takes 75 s: what is read ends with this test's patience.
                if what != "half of HTTP/2" {
                    assert!(after < Duration::from_secs(35), "{what}: {after:?}");
                }
                if what == "half a body" {
                    assert!(
                        heard.starts_with("HTTP/1.1 408") && heard.contains("timeout"),
                        "{heard}"
                    );
                }
                if what == "a head of 100 kB" {
                    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 4"), "{heard}");
                }
            });
        }
    });
    // A handshake that does not come.
    let mut town = Town::serving();
    let (heard, after) = exchange(town.url.trim_start_matches("https://"), b"");
    assert!(heard.is_empty() && after < Duration::from_secs(25), "{after:?}");
    assert!(town.stop().success());
}

#[test]
fn streams_that_are_reset_at_once_do_not_keep_others_out() {
    let mut town = Town::demo();
    town.serve_with("127.0.0.1:0", &["--behind-proxy"]);
    let address = town.url.trim_start_matches("http://").to_owned();
    let made = in_time(async {
        let tcp = tokio::net::TcpStream::connect(&address).await.unwrap();
        let (mut send, connection) = h2::client::handshake(tcp).await.unwrap();
        tokio::spawn(connection);
        for n in 0..20_000_u32 {
            let Ok(mut ready) = send.ready().await else { return n };
            let request = http::Request::get("http://x/readyz").body(()).unwrap();
            let Ok((answer, mut stream)) = ready.send_request(request, true) else { return n };
            stream.send_reset(h2::Reason::CANCEL);
            drop(answer);
            send = ready;
        }
        20_000
    });
    let begun = now();
    let (heard, _) =
        exchange(&address, b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
    let (held, after) = (memory_kib(town.server_id()), begun.elapsed());
    println!(
        "resets: {made} streams of one connection, VmHWM {held} KiB, next answer after {after:?}"
    );
    assert!(held < MEMORY_KIB && after < Duration::from_secs(5), "{held} KiB, {after:?}");
}
