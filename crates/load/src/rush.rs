//! The morning rush: all phones were offline for days, and come back within a minute.

use std::time::Duration;

use anyhow::Result;

use crate::phone::Phone;
use crate::work::{A_DAY, act, dice_of};

/// Gives each phone its backlog and plays the rush: `(days, seconds)`.
pub async fn play(
    phones: Vec<Phone>,
    (days, within_s): (u32, u32),
    seed: u64,
) -> Result<Vec<Phone>> {
    let mut coming = Vec::new();
    for mut phone in phones {
        let mut dice = dice_of(seed, phone.number);
        for _ in 0..u64::from(days) * A_DAY {
            act(&mut phone, &mut dice);
        }
        let wait = Duration::from_millis(dice.below(u64::from(within_s) * 1_000));
        coming.push(tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            phone.sync_to_the_end().await?;
            anyhow::Ok(phone)
        }));
    }
    let mut back = Vec::new();
    for one in coming {
        back.push(one.await??);
    }
    Ok(back)
}
