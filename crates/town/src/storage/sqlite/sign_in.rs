//! Passwords, one-time passwords and tries to sign in as SQL.

use async_trait::async_trait;
use yaoguan_model::AccountId;

use super::super::sign_in::SignIns;
use super::{audit, id16, people, sessions};
use crate::audit::{Act, Attribution, By, Subject};
use crate::error::TownError;
use crate::people::limits::TRIES_FORGOTTEN_S;
use crate::people::sign_in::{Counted, Found, Outcome, Subjects, wait_s};
use crate::people::{PeopleError, totp};
use crate::storage::sql::{Connection, Engine, OptionalExtension, Transaction};

fn count_try(
    tx: &Transaction<'_>,
    login: &str,
    subjects: Subjects,
    now: i64,
) -> Result<Counted, TownError> {
    let sql = "DELETE FROM sign_in_try WHERE last_at < ?1";
    tx.prepare_cached(sql)?.execute([now.saturating_sub(TRIES_FORGOTTEN_S)])?;
    let both = [(subjects.login, false), (subjects.address, true)];
    let mut wait = 0;
    for (subject, _) in both {
        let sql = "SELECT next_at FROM sign_in_try WHERE subject = ?1";
        let next = tx.prepare_cached(sql)?.query_row([subject], |row| row.get::<_, i64>("next_at"));
        wait = wait.max(next.optional()?.unwrap_or(0).saturating_sub(now));
    }
    if wait > 0 {
        return Ok(Counted::Slow(wait));
    }
    for (subject, by_address) in both {
        let sql = "INSERT INTO sign_in_try (subject, wrong, last_at, next_at) VALUES (?1, 1, ?2, ?2) \
             ON CONFLICT (subject) DO UPDATE SET wrong = sign_in_try.wrong + 1, last_at = excluded.last_at \
             RETURNING wrong";
        let wrong: u32 =
            tx.prepare_cached(sql)?.query_row((subject, now), |row| row.get("wrong"))?;
        let sql = "UPDATE sign_in_try SET next_at = ?2 WHERE subject = ?1";
        tx.prepare_cached(sql)?.execute((subject, now + wait_s(wrong, by_address)))?;
    }
    Ok(Counted::Go(found(tx, login)?.map(Box::new)))
}

fn found(tx: &Transaction<'_>, login: &str) -> Result<Option<Found>, TownError> {
    let Some(person) = people::by_login(tx, login)? else { return Ok(None) };
    let sql = "SELECT password, totp_secret, totp_confirmed, totp_step FROM credential \
         WHERE account = ?1";
    let row = tx.prepare_cached(sql)?.query_row([person.account.id.as_bytes()], |row| {
        let secret: Option<Vec<u8>> = row.get("totp_secret")?;
        let (confirmed, step): (bool, i64) = (row.get("totp_confirmed")?, row.get("totp_step")?);
        Ok((row.get("password")?, secret.filter(|_| confirmed).map(|secret| (secret, step))))
    });
    let (password, totp) = row.optional()?.unwrap_or_default();
    Ok(Some(Found { account: person.account, disabled: person.disabled, password, totp }))
}

fn settle_try(
    tx: &Transaction<'_>,
    account: AccountId,
    subjects: Subjects,
    outcome: Outcome,
    now: i64,
) -> Result<bool, TownError> {
    if let Outcome::Right { step: Some(step) } = outcome {
        let sql = "UPDATE credential SET totp_step = ?2 WHERE account = ?1 AND totp_step < ?2";
        if tx.prepare_cached(sql)?.execute((account.as_bytes(), step))? == 0 {
            return Ok(false);
        }
    }
    let back = "UPDATE sign_in_try SET wrong = max(wrong - 1, 0), next_at = ?2 WHERE subject = ?1";
    tx.prepare_cached(back)?.execute((subjects.address, now))?;
    match outcome {
        Outcome::Half => tx.prepare_cached(back)?.execute((subjects.login, now))?,
        Outcome::Right { .. } => {
            let sql = "DELETE FROM sign_in_try WHERE subject = ?1";
            tx.prepare_cached(sql)?.execute([subjects.login])?
        }
    };
    Ok(true)
}

/// The row that an account's credentials stand in.
fn row_of(tx: &Transaction<'_>, account: AccountId) -> Result<(), TownError> {
    people::somebody(tx, account)?;
    let sql = "INSERT OR IGNORE INTO credential (account) VALUES (?1)";
    tx.prepare_cached(sql)?.execute([account.as_bytes()])?;
    Ok(())
}

fn set_password(
    tx: &Transaction<'_>,
    account: AccountId,
    hash: &str,
    done: &Attribution,
) -> Result<(), TownError> {
    row_of(tx, account)?;
    tx.execute(
        "UPDATE credential SET password = ?2, password_at = ?3, reset_hash = NULL, \
         reset_expires_at = NULL WHERE account = ?1",
        (account.as_bytes(), hash, done.at),
    )?;
    sessions::end_all(tx, account)?;
    audit::write(tx, &done.entry(Act::PasswordSet, Subject::Account(account)))?;
    Ok(())
}

fn offer_reset(
    tx: &Transaction<'_>,
    account: AccountId,
    (code_hash, expires_at): ([u8; 32], i64),
    done: &Attribution,
) -> Result<(), TownError> {
    row_of(tx, account)?;
    let sql = "UPDATE credential SET reset_hash = ?2, reset_expires_at = ?3 WHERE account = ?1";
    tx.execute(sql, (account.as_bytes(), code_hash, expires_at))?;
    let entry = done.entry(Act::PasswordReset, Subject::Account(account));
    audit::write(tx, &entry.with("expires_at", expires_at))?;
    Ok(())
}

/// The account that a one-time code is for, while it holds.
fn waiting_reset(
    tx: &Connection,
    login: &str,
    code_hash: &[u8; 32],
    now: i64,
) -> Result<Option<AccountId>, TownError> {
    let sql = "SELECT account.id AS id FROM account JOIN credential ON credential.account = account.id \
         WHERE login = ?1 AND reset_hash = ?2 AND reset_expires_at >= ?3 AND disabled_at IS NULL";
    let mut statement = tx.prepare_cached(sql)?;
    let row = statement.query_row((login, code_hash, now), |row| id16(row, "id")).optional()?;
    Ok(row.map(AccountId::from_bytes))
}

fn enrol_totp(
    tx: &Transaction<'_>,
    account: AccountId,
    secret: &[u8],
    done: &Attribution,
) -> Result<(), TownError> {
    row_of(tx, account)?;
    let sql = "UPDATE credential SET totp_secret = ?2, totp_step = 0 \
         WHERE account = ?1 AND totp_confirmed = 0";
    if tx.execute(sql, (account.as_bytes(), secret))? == 0 {
        return Err(PeopleError::TotpThere.into());
    }
    audit::write(tx, &done.entry(Act::TotpEnrolled, Subject::Account(account)))?;
    Ok(())
}

fn confirm_totp(
    tx: &Transaction<'_>,
    account: AccountId,
    code: &str,
    done: &Attribution,
) -> Result<(), TownError> {
    let sql = "SELECT totp_secret, totp_step FROM credential \
         WHERE account = ?1 AND totp_confirmed = 0 AND totp_secret IS NOT NULL";
    let row = tx.query_row(sql, [account.as_bytes()], |row| {
        Ok((row.get::<_, Vec<u8>>("totp_secret")?, row.get::<_, i64>("totp_step")?))
    });
    let step = row.optional()?.and_then(|(s, last)| totp::step_of(&s, code, done.at, last));
    let step = step.ok_or(PeopleError::TotpWrong)?;
    let sql = "UPDATE credential SET totp_confirmed = 1, totp_step = ?2 WHERE account = ?1";
    tx.execute(sql, (account.as_bytes(), step))?;
    audit::write(tx, &done.entry(Act::TotpConfirmed, Subject::Account(account)))?;
    Ok(())
}

fn disable_totp(
    tx: &Transaction<'_>,
    account: AccountId,
    done: &Attribution,
) -> Result<bool, TownError> {
    let sql = "UPDATE credential SET totp_secret = NULL, totp_confirmed = 0, totp_step = 0 \
         WHERE account = ?1 AND totp_secret IS NOT NULL";
    if tx.execute(sql, [account.as_bytes()])? == 0 {
        return Ok(false);
    }
    audit::write(tx, &done.entry(Act::TotpDisabled, Subject::Account(account)))?;
    Ok(true)
}

#[async_trait]
impl<E: Engine> SignIns for E {
    async fn count_try(
        &self,
        login: String,
        subjects: Subjects,
        now: i64,
    ) -> Result<Counted, TownError> {
        self.write(move |tx| count_try(tx, &login, subjects, now)).await
    }

    async fn settle_try(
        &self,
        account: AccountId,
        subjects: Subjects,
        outcome: Outcome,
        now: i64,
    ) -> Result<bool, TownError> {
        self.write(move |tx| settle_try(tx, account, subjects, outcome, now)).await
    }

    async fn set_password(
        &self,
        account: AccountId,
        hash: String,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| set_password(tx, account, &hash, &done)).await
    }

    async fn renew_password(
        &self,
        account: AccountId,
        old: String,
        new: String,
    ) -> Result<(), TownError> {
        self.write(move |tx| {
            let sql = "UPDATE credential SET password = ?3 WHERE account = ?1 AND password = ?2";
            tx.execute(sql, (account.as_bytes(), &old, &new))?;
            Ok(())
        })
        .await
    }

    async fn offer_reset(
        &self,
        account: AccountId,
        code_hash: [u8; 32],
        expires_at: i64,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| offer_reset(tx, account, (code_hash, expires_at), &done)).await
    }

    async fn reset_waits(
        &self,
        login: String,
        code_hash: [u8; 32],
        now: i64,
    ) -> Result<bool, TownError> {
        self.read(move |c| Ok(waiting_reset(c, &login, &code_hash, now)?.is_some())).await
    }

    async fn use_reset(
        &self,
        login: String,
        code_hash: [u8; 32],
        hash: String,
        now: i64,
    ) -> Result<bool, TownError> {
        self.write(move |tx| {
            let Some(account) = waiting_reset(tx, &login, &code_hash, now)? else {
                return Ok(false);
            };
            let done = Attribution::new(By::Account(account), now);
            set_password(tx, account, &hash, &done)?;
            Ok(true)
        })
        .await
    }

    async fn enrol_totp(
        &self,
        account: AccountId,
        secret: Vec<u8>,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| enrol_totp(tx, account, &secret, &done)).await
    }

    async fn confirm_totp(
        &self,
        account: AccountId,
        code: String,
        done: Attribution,
    ) -> Result<(), TownError> {
        self.write(move |tx| confirm_totp(tx, account, &code, &done)).await
    }

    async fn disable_totp(&self, account: AccountId, done: Attribution) -> Result<bool, TownError> {
        self.write(move |tx| disable_totp(tx, account, &done)).await
    }
}
