//! What a gate tells others that it forgets and revokes, and what it makes of what they tell.

use crate::house::{API, Answers, House, Outcome};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::gate::{
    BoxFuture, CLOCK_SKEW, IntrospectionSettings, Notice, NoticeKind, SHARED_FOR, Selector, SharedAnswer,
    SharedMemory, SharedQuestion, What,
};
use tollgate::policy::{IssuerRules, Reason};
use tollgate::testing::ManualClock;

const NOW: tollgate::time::UnixTime = ManualClock::START;

/// Keeps the notices, and knows no answers.
#[derive(Default)]
struct Notices(Mutex<Vec<Notice>>);

impl SharedMemory for Notices {
    fn recall<'a>(&'a self, _: &'a SharedQuestion<'a>) -> BoxFuture<'a, Option<SharedAnswer>> {
        Box::pin(async { None })
    }

    fn tell<'a>(&'a self, _: &'a SharedQuestion<'a>, _: &'a SharedAnswer, _: Duration) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn announce(&self, notice: Notice) {
        self.0.lock().unwrap().push(notice);
    }
}

async fn house() -> (House, Arc<Notices>) {
    let notices = Arc::new(Notices::default());
    let line =
        format!(r#"{{"active":true,"aud":"{API}","client_id":"shop","scope":"orders:read","sub":"alice"}}"#);
    let answers = Answers::new([Ok(line)]);
    let settings = IntrospectionSettings::default();
    (House::sharing(&answers, settings, &ManualClock::new(), notices.clone()).await, notices)
}

fn alice() -> Selector {
    Selector::new(What::Subject("alice".into()))
}

#[tokio::test]
async fn what_is_forgotten_is_kept_in_mind_for_as_long_as_an_old_answer_could_come() {
    let (house, notices) = house().await;
    assert_eq!(house.get("an-opaque-token").await, Outcome::Allowed);
    assert_eq!(house.gate.forget(&alice()), 1);
    let until = NOW + CLOCK_SKEW + SHARED_FOR;
    let told = Notice { kind: NoticeKind::Forgotten, selector: alice(), since: NOW, until };
    assert_eq!(*notices.0.lock().unwrap(), [told]);
}

#[tokio::test]
async fn what_is_revoked_is_told_until_its_end_and_forgotten_too() {
    for expires in [Some(NOW + Duration::from_secs(60)), None] {
        let (house, notices) = house().await;
        house.gate.revoke(&alice(), expires).unwrap();
        let day = NOW + Duration::from_secs(24 * 3_600);
        let until = expires.unwrap_or(day) + IssuerRules::MAX_LEEWAY;
        let notices = notices.0.lock().unwrap();
        let told: Vec<_> = notices.iter().map(|notice| (notice.kind, notice.until)).collect();
        let forgotten = (NoticeKind::Forgotten, NOW + CLOCK_SKEW + SHARED_FOR);
        assert_eq!(told, [(NoticeKind::Revoked, until), forgotten]);
    }
}

#[tokio::test]
async fn a_notice_counts_until_its_end_and_says_how_much_was_dropped() {
    let (house, notices) = house().await;
    let token = house.token();
    for token in [&token, "an-opaque-token"] {
        assert_eq!(house.get(token).await, Outcome::Allowed);
    }
    let notice = |kind, millis| Notice {
        kind,
        selector: alice(),
        since: NOW,
        until: NOW + Duration::from_millis(millis),
    };
    assert_eq!(house.gate.learn(&notice(NoticeKind::Forgotten, 0)), Ok(0), "it has ended");
    assert_eq!(house.gate.learn(&notice(NoticeKind::Forgotten, 1)), Ok(2));
    assert_eq!(house.gate.learn(&notice(NoticeKind::Forgotten, 1)), Ok(0), "again");
    assert_eq!(house.gate.learn(&notice(NoticeKind::Revoked, 0)), Ok(0));
    assert_eq!((house.gate.revoked(), house.get(&token).await), (0, Outcome::Allowed));
    assert_eq!(house.gate.learn(&notice(NoticeKind::Revoked, 1)), Ok(0));
    assert_eq!((house.gate.revoked(), house.get(&token).await), (1, Outcome::Refused(Reason::Revoked)));
    assert!(notices.0.lock().unwrap().is_empty(), "what others tell is not told on");
}
