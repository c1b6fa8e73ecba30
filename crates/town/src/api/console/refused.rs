//! What is refused about accounts, invites, devices and saves kept apart, as answers: a word for each rule, that
//! the page has words for.

use axum::http::HeaderMap;
use yaoguan_wire::ErrorCode;

use super::super::error::ApiError;
use crate::error::TownError;
use crate::people::PeopleError;

/// The answer to an act that was not done.
pub(super) fn refused(headers: &HeaderMap, error: TownError) -> ApiError {
    if let TownError::People(error) = error {
        return match why(&error) {
            Some(why) => ApiError::not_done(headers, why, error.to_string()),
            None => ApiError::new(headers, ErrorCode::NotFound, ""),
        };
    }
    if let TownError::Input(text) = error {
        return ApiError::not_done(headers, "rules", text);
    }
    ApiError::internal(headers, &error)
}

/// The word of a rule; none: what is named is not there.
fn why(error: &PeopleError) -> Option<&'static str> {
    Some(match error {
        PeopleError::NoAccount(_) | PeopleError::NoDevice(_) | PeopleError::NoInvite(_) => {
            return None;
        }
        PeopleError::LastAdmin => "last_admin",
        PeopleError::LoginTaken(_) => "login_taken",
        PeopleError::BadLogin(_) => "bad_login",
        PeopleError::BadName => "bad_name",
        PeopleError::NoGrid(_) => "no_grid",
        PeopleError::Coverage(_) => "coverage",
        PeopleError::NoLogin => "no_login",
        PeopleError::Password(_) => "password",
        PeopleError::ResetGone => "reset_gone",
        PeopleError::TotpThere => "totp_there",
        PeopleError::TotpWrong => "totp_wrong",
        PeopleError::InviteMinutes(_) => "invite_minutes",
        PeopleError::SheetWhom => "sheet_whom",
        PeopleError::SheetNobody => "sheet_nobody",
        PeopleError::SheetMany => "sheet_many",
        PeopleError::SheetUnknown(_) => "sheet_unknown",
        PeopleError::Roster(_) => "table",
    })
}
