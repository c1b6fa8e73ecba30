//! The proof of a device in each request, in the shape of DPoP (RFC 9449 §4.2): a JWS (RFC 7515, compact)
//! signed with ES256 by the device's P-256 key, in the header `DPoP`. Both ends are here.
//!
//! Replays are harmless by the push chain, so no `jti` is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use yaoguan_model::{DeviceId, Env};

/// Name of the HTTP header.
pub const HEADER: &str = "dpop";
const TYPE: &str = "dpop+jwt";
const ALGORITHM: &str = "ES256";
/// A proof is some 350 characters; what is longer is none.
const MAX_PROOF_BYTES: usize = 1_024;

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// HTTP method.
    pub htm: String,
    /// URL without query and fragment.
    pub htu: String,
    /// Seconds since 1970, by the town's clock as last learnt.
    pub iat: i64,
    /// SHA-256 of the body as sent (compressed), base64url.
    pub bh: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    typ: String,
    alg: String,
    kid: DeviceId,
}

/// A key or proof that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    #[error("not a proof of a device")]
    Shape,
    #[error("not a P-256 key")]
    Key,
    #[error("the signature does not verify")]
    Signature,
}

/// The device's key.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    pub fn generate(env: &dyn Env) -> Self {
        loop {
            let bytes: Vec<u8> = env.random_16().into_iter().chain(env.random_16()).collect();
            // All but one in 2^32 random strings are keys.
            if let Ok(key) = SigningKey::from_slice(&bytes) {
                return Self(key);
            }
        }
    }

    /// PKCS#8.
    pub fn from_pem(pem: &str) -> Result<Self, BadProof> {
        SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| BadProof::Key)
    }

    /// PKCS#8.
    pub fn to_pem(&self) -> Result<String, BadProof> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|_| BadProof::Key)?;
        Ok(pem.to_string())
    }

    /// SPKI.
    pub fn public_pem(&self) -> Result<String, BadProof> {
        self.0.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| BadProof::Key)
    }

    /// The value of the header.
    pub fn prove(&self, device: DeviceId, claims: &Claims) -> Result<String, BadProof> {
        let header = Header { typ: TYPE.to_owned(), alg: ALGORITHM.to_owned(), kid: device };
        let part = |json: Result<Vec<u8>, serde_json::Error>| {
            json.map(|bytes| B64.encode(bytes)).map_err(|_| BadProof::Shape)
        };
        let signed =
            [part(serde_json::to_vec(&header))?, part(serde_json::to_vec(claims))?].join(".");
        let signature: Signature = self.0.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", B64.encode(signature.to_bytes())))
    }
}

/// A proof as received, not yet verified.
#[derive(Debug)]
pub struct Proof<'a> {
    pub device: DeviceId,
    pub claims: Claims,
    signed: &'a str,
    signature: Signature,
}

impl<'a> Proof<'a> {
    /// Reads the header's value.
    pub fn parse(text: &'a str) -> Result<Self, BadProof> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(BadProof::Shape);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(BadProof::Shape)?;
        let (header, claims) = signed.split_once('.').ok_or(BadProof::Shape)?;
        let bytes = |part: &str| B64.decode(part).map_err(|_| BadProof::Shape);
        let header: Header =
            serde_json::from_slice(&bytes(header)?).map_err(|_| BadProof::Shape)?;
        if header.typ != TYPE || header.alg != ALGORITHM {
            return Err(BadProof::Shape);
        }
        let claims = serde_json::from_slice(&bytes(claims)?).map_err(|_| BadProof::Shape)?;
        let signature = Signature::from_slice(&bytes(signature)?).map_err(|_| BadProof::Shape)?;
        Ok(Self { device: header.kid, claims, signed, signature })
    }

    /// Verifies it with the key that the device enrolled with (SPKI PEM).
    pub fn verify(&self, public_pem: &str) -> Result<(), BadProof> {
        let key = VerifyingKey::from_public_key_pem(public_pem).map_err(|_| BadProof::Key)?;
        key.verify(self.signed.as_bytes(), &self.signature).map_err(|_| BadProof::Signature)
    }
}

/// Whether a text is the public key of a device.
pub fn check_public_key(public_pem: &str) -> Result<(), BadProof> {
    VerifyingKey::from_public_key_pem(public_pem).map(|_| ()).map_err(|_| BadProof::Key)
}

/// The claim `bh`.
pub fn body_hash(body: &[u8]) -> String {
    B64.encode(Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(std::sync::atomic::AtomicU8);
    impl Env for Counting {
        fn now_ms(&self) -> i64 {
            0
        }
        fn boot_elapsed_ms(&self) -> i64 {
            0
        }
        fn random_16(&self) -> [u8; 16] {
            [self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1; 16]
        }
    }

    fn claims() -> Claims {
        Claims {
            htm: "POST".to_owned(),
            htu: "https://town/v1/sync".to_owned(),
            iat: 1_800_000_000,
            bh: body_hash(b"body"),
        }
    }

    #[test]
    fn a_proof_verifies_with_its_own_key_only() {
        let env = Counting(0.into());
        let (own, other) = (DeviceKey::generate(&env), DeviceKey::generate(&env));
        let device = DeviceId::from_bytes([5; 16]);
        let text = own.prove(device, &claims()).unwrap();
        let proof = Proof::parse(&text).unwrap();
        assert_eq!((proof.device, &proof.claims), (device, &claims()));
        assert_eq!(proof.verify(&own.public_pem().unwrap()), Ok(()));
        assert_eq!(proof.verify(&other.public_pem().unwrap()), Err(BadProof::Signature));
    }

    #[test]
    fn a_changed_claim_does_not_verify() {
        let key = DeviceKey::generate(&Counting(0.into()));
        let text = key.prove(DeviceId::from_bytes([5; 16]), &claims()).unwrap();
        let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        let later = Claims { iat: 1_900_000_000, ..claims() };
        parts[1] = B64.encode(serde_json::to_vec(&later).unwrap());
        let changed = parts.join(".");
        let proof = Proof::parse(&changed).unwrap();
        assert_eq!(proof.verify(&key.public_pem().unwrap()), Err(BadProof::Signature));
    }

    #[test]
    fn another_algorithm_is_no_proof() {
        let none = B64.encode(
            br#"{"typ":"dpop+jwt","alg":"none","kid":"00000000-0000-0000-0000-000000000000"}"#,
        );
        let body = B64.encode(serde_json::to_vec(&claims()).unwrap());
        assert_eq!(Proof::parse(&format!("{none}.{body}.")).unwrap_err(), BadProof::Shape);
    }

    #[test]
    fn a_key_survives_its_pem() {
        let key = DeviceKey::generate(&Counting(0.into()));
        let again = DeviceKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(again.public_pem().unwrap(), key.public_pem().unwrap());
        assert_eq!(
            check_public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            Err(BadProof::Key)
        );
    }
}
