//! `yaoguan token`: for curl and other tools.

use yaoguan_field::Phone;
use yaoguan_wire::limits::TOKEN_HOLDS_S;

use crate::output::{Failure, Output};

pub(super) async fn make(phone: &Phone, output: &Output<'_>) -> Result<(), Failure> {
    let token = phone.token().await?;
    output.result(&token, || {
        let minutes = (TOKEN_HOLDS_S / 60).to_string();
        let values = [("url", token.url.as_str()), ("minutes", &minutes)];
        vec![token.token.clone(), output.words.say("say", "token", &values)]
    })
}
