//! `POST /v1/files/missing`: which of these files does the town not have for this phone? Asked after the town's line of
//! history was renewed, so that whoever still holds a file sends it again.

use serde::{Deserialize, Serialize};
use yaoguan_model::BlobHash;

/// Files by name, at most [`crate::limits::MAX_FILES_ASKED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingRequest {
    /// SHA-256 of each, 64 hexadecimal digits.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub files: Vec<BlobHash>,
}

/// Those of them that the town has not, or that the asker may not read there; it says no more than reading each would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MissingResponse {
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub missing: Vec<BlobHash>,
}
