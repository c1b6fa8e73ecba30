//! A wrong clock works: it costs one request and is told to the person.

use yaoguan_model::{Env as _, Role};
use yaoguan_testkit::town::{GRID, TestTown};

use crate::{assert_sound, report};

#[tokio::test]
async fn a_phone_in_1970_or_2099_syncs_with_one_extra_request() {
    let town = TestTown::start().await.unwrap();
    for wrong in [86_400, 4_090_000_000] {
        let mut phone = town.phone(Role::Chief, &[GRID]).await.unwrap();
        phone.clock.set(wrong);
        report(&mut phone.phone, 1);
        let first = phone.phone.sync(|_| {}).await.unwrap();
        assert_eq!((first.sent, first.requests), (1, 2));
        let off = phone.phone.status().unwrap().clock_off_s;
        assert!((off - (wrong - town.clock.now_s())).abs() < 60, "{off}");
        assert_eq!(first.clock_off_s, off);
        // Once learnt it costs nothing more.
        report(&mut phone.phone, 2);
        assert_eq!(phone.phone.sync(|_| {}).await.unwrap().requests, 1);
        assert_sound(&phone);
    }
}
