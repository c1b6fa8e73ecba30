//! Who asks: verifies the proof of a device against method, URL, body and the town's clock.

use yaoguan_wire::limits::PROOF_SKEW_S;
use yaoguan_wire::proof::{Proof, body_hash};

use crate::error::TownError;
use crate::people::Device;
use crate::storage::Storage;

/// The request as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub method: &'a str,
    /// Host as the caller named it (`Host` or `:authority`).
    pub host: &'a str,
    pub path: &'a str,
    /// The body as sent, before anything is decompressed.
    pub body: &'a [u8],
    /// The header `DPoP`.
    pub proof: Option<&'a str>,
    /// The town's clock, in seconds.
    pub now: i64,
}

/// Why a caller is not let in.
#[derive(Debug)]
pub enum Denied {
    Unauthorised,
    /// Everything fits but the time: the caller signs again with the town's.
    ClockSkew,
    /// The device was revoked or its account closed; a sync still says what became of its records.
    Barred(Box<Device>),
    Failed(TownError),
}

/// Finds the device that asks.
pub async fn authenticate(storage: &dyn Storage, seen: Seen<'_>) -> Result<Device, Denied> {
    let proof = seen.proof.and_then(|text| Proof::parse(text).ok()).ok_or(Denied::Unauthorised)?;
    let claims = &proof.claims;
    let here = |scheme: &str| format!("{scheme}://{}{}", seen.host, seen.path);
    let fits = claims.htm == seen.method
        && (claims.htu == here("https") || claims.htu == here("http"))
        && claims.bh == body_hash(seen.body);
    if !fits {
        return Err(Denied::Unauthorised);
    }
    let device = storage.device(proof.device).await.map_err(Denied::Failed)?;
    let device = device.ok_or(Denied::Unauthorised)?;
    proof.verify(&device.public_key).map_err(|_| Denied::Unauthorised)?;
    if claims.iat.abs_diff(seen.now) > PROOF_SKEW_S.unsigned_abs() {
        return Err(Denied::ClockSkew);
    }
    if device.barred.is_some() {
        return Err(Denied::Barred(Box::new(device)));
    }
    Ok(device)
}
