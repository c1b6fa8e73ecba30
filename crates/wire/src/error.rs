//! Errors as they travel. A caller branches on the code alone; the message is for people.

use serde::{Deserialize, Serialize};
use yaoguan_model::ReplicaId;

use crate::sync::Verdict;

/// Body of every answer that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: ErrorCode,
    /// What happened and what to do, in the asker's language.
    pub message: String,
    /// The same request may succeed later.
    pub retriable: bool,
    /// With `not_done`: which rule, in a word of the town's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// With `clock_skew`: the town's clock, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_time: Option<i64>,
    /// With `rate_limited` and `busy`: not before so many seconds; the header `Retry-After` says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// With `device_revoked` and `account_disabled`: what became of the records that were sent along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Object>))]
    pub verdicts: Vec<Verdict>,
    /// The table that `verdicts` index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub replicas: Vec<ReplicaId>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// Closed, with a case for what a later protocol may add.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)+
            Unknown(String),
        }
        impl ErrorCode {
            /// Every code that this program knows.
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$variant),+];
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }
        impl From<String> for ErrorCode {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown(word),
                }
            }
        }
    };
}

codes! {
    /// The body is not what the protocol describes.
    BadRequest = "bad_request",
    /// The protocol step is too old or too new.
    UnsupportedProtocol = "unsupported_protocol",
    TooLarge = "too_large",
    /// No proof, or one that does not verify.
    Unauthorised = "unauthorised",
    /// The proof's time is off; sign again with `town_time`.
    ClockSkew = "clock_skew",
    /// This phone was struck off; what it still sends is held for a supervisor.
    DeviceRevoked = "device_revoked",
    /// The person's account was closed; what the phone still sends is held for a supervisor.
    AccountDisabled = "account_disabled",
    /// Another phone writes under this replica id.
    ReplicaForked = "replica_forked",
    InviteUnknown = "invite_unknown",
    /// The invite was used or is too old.
    InviteGone = "invite_gone",
    /// A phone that enrols again was given an invite of another person.
    InviteOther = "invite_other",
    /// The one-time code for a new password is unknown, used or stale.
    ResetGone = "reset_gone",
    /// What was given as a new password is none.
    BadPassword = "bad_password",
    /// Login or password or one-time password are not right: it is not said which.
    SignInWrong = "sign_in_wrong",
    /// The password is right; the account asks for a one-time password too.
    TotpNeeded = "totp_needed",
    /// The console is not for this role.
    NotForRole = "not_for_role",
    /// A dangerous act: the password is asked for again.
    PasswordNeeded = "password_needed",
    /// What may not be recorded of people is not asked of them either; the detail names item, field and word.
    FieldForbidden = "field_forbidden",
    /// A rule of accounts, invites or what is kept apart forbids it; see `why`.
    NotDone = "not_done",
    /// A request of another page, or one without the session's token.
    CrossSite = "cross_site",
    UnknownKind = "unknown_kind",
    /// The town's schema has no such field (yet).
    UnknownField = "unknown_field",
    Invalid = "invalid",
    OutOfScope = "out_of_scope",
    UnknownGrid = "unknown_grid",
    NotAllowed = "not_allowed",
    StepNotAllowed = "step_not_allowed",
    IdentityChanged = "identity_changed",
    /// A dot or context entry that the pusher cannot have.
    ForeignDot = "foreign_dot",
    /// Kept at the town for a supervisor (the reason of a save set apart, never of a request).
    Held = "held",
    /// A supervisor declined a held save; the detail holds the words.
    HoldRefused = "hold_refused",
    /// The record was purged; what was written on it can become a new one.
    Purged = "purged",
    /// The account's role does not make records of this kind.
    KindNotAllowed = "kind_not_allowed",
    NotFound = "not_found",
    /// The route is there, not with this method.
    MethodNotAllowed = "method_not_allowed",
    /// A `Content-Encoding` other than `zstd` and `identity`.
    UnsupportedEncoding = "unsupported_encoding",
    /// Too many requests of one device or from one address; see `retry_after_s`.
    RateLimited = "rate_limited",
    /// The town has more to do than it has room for; see `retry_after_s`.
    Busy = "busy",
    /// Bytes do not begin where the upload ends; the detail says where that is.
    OffsetMismatch = "offset_mismatch",
    /// Bytes are not those of their checksum.
    ChecksumMismatch = "checksum_mismatch",
    /// A file is not what it says to be, or not fit to be kept.
    BlobRefused = "blob_refused",
    /// An upload in another way than tus 1.0.0.
    UnsupportedTus = "unsupported_tus",
    /// A range behind the end of a file.
    RangeNotSatisfiable = "range_not_satisfiable",
    StorageFull = "storage_full",
    Timeout = "timeout",
    Internal = "internal",
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(Self::from)
    }
}
