//! A day at many times its speed: people work when they like, and each phone syncs when the engine says so.

use std::time::Duration;

use anyhow::Result;
use yaoguan_model::Env as _;
use yaoguan_model::env::System;
use yaoguan_sync::{Engine, Next, View};
use yaoguan_testkit::dice::Dice;

use crate::phone::Phone;
use crate::work::{A_DAY, act, dice_of, now_ms};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Plays the day.
pub async fn play(phones: Vec<Phone>, speed: u32, seed: u64) -> Result<Vec<Phone>> {
    let began_ms = now_ms();
    let living = phones.into_iter().map(|phone| {
        let dice = dice_of(seed.wrapping_add(1), phone.number);
        tokio::spawn(live(phone, dice, Sped { began_ms, speed: speed.into() }))
    });
    let living: Vec<_> = living.collect();
    let mut lived = Vec::new();
    for one in living {
        lived.push(one.await??);
    }
    Ok(lived)
}

/// The day's clock.
#[derive(Debug, Clone, Copy)]
struct Sped {
    began_ms: i64,
    speed: i64,
}

impl Sped {
    fn now_ms(self) -> i64 {
        (now_ms() - self.began_ms) * self.speed
    }

    async fn until(self, at_ms: i64) {
        let wait = (at_ms - self.now_ms()).max(0) / self.speed;
        tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or(0) + 1)).await;
    }
}

async fn live(mut phone: Phone, mut dice: Dice, clock: Sped) -> Result<Phone> {
    let mut plans: Vec<i64> =
        (0..A_DAY).map(|_| i64::try_from(dice.below(DAY_MS.unsigned_abs())).unwrap_or(0)).collect();
    plans.sort_unstable_by(|a, b| b.cmp(a));
    let mut engine = Engine::new();
    // Not all at midnight: a phone asks for news since its own last contact.
    clock.until(i64::try_from(dice.below(15 * 60 * 1000)).unwrap_or(0)).await;
    while clock.now_ms() < DAY_MS {
        if plans.last().is_some_and(|at| *at <= clock.now_ms()) {
            plans.pop();
            act(&mut phone, &mut dice);
            engine.wake();
        }
        let view = View { unsent: phone.unsent(), online: true };
        match engine.next(clock.now_ms(), view) {
            Next::Request => {
                let jitter = u32::from_le_bytes(
                    System.random_16().first_chunk().copied().unwrap_or_default(),
                );
                match phone.sync().await {
                    Ok(()) => engine.on_response(clock.now_ms(), false),
                    Err(error) => match error.retry_after_s() {
                        Some(seconds) => engine.on_told_to_wait(clock.now_ms(), seconds, jitter),
                        None => engine.on_failure(clock.now_ms(), jitter),
                    },
                }
            }
            Next::Wait { until_ms } => {
                let next = plans.last().copied().unwrap_or(DAY_MS);
                clock.until(until_ms.min(next).min(DAY_MS)).await;
            }
            Next::Idle => clock.until(plans.last().copied().unwrap_or(DAY_MS)).await,
        }
    }
    // What was still planned when the day ended is done at its end.
    for _ in plans {
        act(&mut phone, &mut dice);
    }
    phone.sync_to_the_end().await?;
    Ok(phone)
}
