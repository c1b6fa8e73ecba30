//! Commands of the people on the phone: who is there, PINs, locking. The PIN is no part of any answer, log
//! or error.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;
use tokio::runtime::Handle;
use yaoguan_field::seal::Pin;
use yaoguan_field::{EnrolOptions, FieldError, Lock, PeopleShown, Phone};

use crate::commands::{Failure, give, read};
use crate::host::{Host, locked};

#[derive(Deserialize)]
struct Unlock {
    person: String,
    pin: String,
}
#[derive(Deserialize)]
struct NewPin {
    pin: String,
}
#[derive(Deserialize)]
struct ChangedPin {
    old: String,
    new: String,
}
#[derive(Deserialize)]
struct Forgotten {
    person: String,
    invite: String,
    device_name: String,
    pin: String,
}
#[derive(Deserialize)]
struct Background {
    hidden: bool,
}
#[derive(Deserialize)]
struct Enrolment {
    invite: String,
    device_name: String,
    /// Somebody else than who is in.
    #[serde(default)]
    newcomer: bool,
}

/// None for a command that is not of people.
pub(crate) fn run(
    host: &Arc<Host>,
    command: &str,
    body: &[u8],
    runtime: &Handle,
) -> Option<Result<Json, Failure>> {
    Some(match command {
        "people" => shown(host).map_err(Failure::from).and_then(give),
        "unlock" => read(body).and_then(|asked| unlock(host, asked)),
        "lock" => {
            lock_when_idle(host).and_then(|()| shown(host)).map_err(Failure::from).and_then(give)
        }
        "set_pin" => read(body).and_then(|asked| set_pin(host, asked)),
        "change_pin" => read(body).and_then(|asked| change_pin(host, asked)),
        "forgotten" => read(body).and_then(|asked| runtime.block_on(forgotten(host, asked))),
        "enrol" => read(body).and_then(|asked| runtime.block_on(enrol(host, asked))),
        "background" => read(body).and_then(|asked| background(host, &asked, runtime)),
        _ => return None,
    })
}

fn shown(host: &Host) -> Result<PeopleShown, FieldError> {
    // Who has no PIN is let in now, so that the list says who that is.
    let entered = host.phone(|_| Ok(()));
    let open = host.who();
    let (people, last) =
        host.people(|people| Ok((people.shown()?, people.last().map(str::to_owned))))?;
    let lock = match (&open, entered) {
        (Some(id), _)
            if host.platform.keys.need_pin()
                && !host.people(|people| Ok(people.has_pin(id)))? =>
        {
            Lock::PinMissing
        }
        (Some(_), _) => Lock::Open,
        (None, Err(FieldError::NotEnrolled)) => Lock::Nobody,
        (None, Err(FieldError::Locked)) => Lock::Locked,
        (None, Err(broken)) => return Err(broken),
        (None, Ok(())) => Lock::Locked,
    };
    Ok(PeopleShown { lock, people, open, last })
}

fn unlock(host: &Host, asked: Unlock) -> Result<Json, Failure> {
    let has_pin = host.people(|people| Ok(people.has_pin(&asked.person)))?;
    let home = if has_pin {
        let pin = Pin::new(asked.pin).map_err(weak_is_wrong)?;
        host.people(|people| people.unlock(&asked.person, &pin))?
    } else {
        host.people(|people| people.known(&asked.person))?
    };
    host.enter(asked.person, home)?;
    give(shown(host)?)
}

/// A PIN that nobody can have set is a wrong one.
fn weak_is_wrong(error: FieldError) -> FieldError {
    if matches!(error, FieldError::WeakPin) { FieldError::WrongPin } else { error }
}

fn set_pin(host: &Host, asked: NewPin) -> Result<Json, Failure> {
    let pin = Pin::new(asked.pin)?;
    host.phone(|_| Ok(()))?;
    let id = host.who().ok_or(FieldError::Locked)?;
    if host.people(|people| Ok(people.has_pin(&id)))? {
        // A second PIN without the first: only `change_pin` may.
        return Err(FieldError::WrongPin.into());
    }
    let home = host.people(|people| people.set_pin(&id, &pin))?;
    host.enter(id, home)?;
    give(shown(host)?)
}

fn change_pin(host: &Host, asked: ChangedPin) -> Result<Json, Failure> {
    let new = Pin::new(asked.new)?;
    let old = Pin::new(asked.old).map_err(weak_is_wrong)?;
    let id = host.who().ok_or(FieldError::Locked)?;
    host.people(|people| people.change_pin(&id, &old, &new))?;
    give(shown(host)?)
}

/// The town says whether the invite is for the person of this store; then there is a new PIN.
async fn forgotten(host: &Host, asked: Forgotten) -> Result<Json, Failure> {
    let pin = Pin::new(asked.pin)?;
    let home = host.people(|people| people.home_of_forgotten(&asked.person))?;
    let mut phone = Phone::open(home, Arc::clone(&host.env), "zh")?;
    let options = options(host, asked.device_name)?;
    phone.enrol_again(asked.invite.trim(), &options).await?;
    drop(phone);
    let home = host.people(|people| people.set_pin(&asked.person, &pin))?;
    host.enter(asked.person, home)?;
    give(shown(host)?)
}

fn options(host: &Host, device_name: String) -> Result<EnrolOptions, FieldError> {
    let lang = if host.settings()?.lang == "en" { "en" } else { "zh" };
    Ok(EnrolOptions { device_name, lang })
}

async fn enrol(host: &Host, asked: Enrolment) -> Result<Json, Failure> {
    let (settings, options) = (host.settings()?, options(host, asked.device_name)?);
    let invite = asked.invite.trim();
    let open = if asked.newcomer { None } else { host.open_phone().ok() };
    // Revoked, or its key was lost: the same person on the same store.
    if let Some(mut phone) = open {
        phone.enrol_again(invite, &options).await?;
        host.reopen()?;
    } else {
        let (id, home) = host.people(yaoguan_field::People::newcomer)?;
        let mut phone = Phone::enrol(home.clone(), invite, &options, Arc::clone(&host.env)).await?;
        phone.set_settings(&settings)?;
        drop(phone);
        host.enter(id, home)?;
    }
    host.wake();
    give(true)
}

/// The app went into the background, or came back. After the time that the person set, their store is
/// locked.
fn background(host: &Arc<Host>, asked: &Background, runtime: &Handle) -> Result<Json, Failure> {
    let after_ms = i64::from(host.settings()?.lock_after_min) * 60_000;
    let now_ms = host.env.boot_elapsed_ms();
    let before =
        std::mem::replace(&mut *locked(&host.hidden_since_ms), asked.hidden.then_some(now_ms));
    if asked.hidden {
        let host = Arc::clone(host);
        runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms.unsigned_abs())).await;
            if *locked(&host.hidden_since_ms) == Some(now_ms) {
                let lock = move || lock_when_idle(&host);
                // A lock that fails is tried again when the app comes back.
                _ = tokio::task::spawn_blocking(lock).await;
            }
        });
    } else if before.is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= after_ms) {
        lock_when_idle(host)?;
    }
    give(shown(host)?)
}

/// Not while a patrol runs, whose way would have a gap.
fn lock_when_idle(host: &Host) -> Result<(), FieldError> {
    let patrol = host.phone(|phone| phone.patrol_now()).ok().flatten();
    if patrol.is_some_and(|patrol| patrol.ended_at_ms.is_none()) { Ok(()) } else { host.lock() }
}

#[cfg(test)]
mod tests;
