use super::*;
use crate::gate::{BoxFuture, SourceErrorKind};
use crate::proof::Algorithm;
use crate::testing::{Issuer, ManualClock};
use bytes::Bytes;
use std::sync::atomic::{AtomicUsize, Ordering};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Publishes an issuer's keys, fails, or panics; and counts.
struct Source {
    issuer: Issuer,
    fetches: AtomicUsize,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy)]
enum Mood {
    Sound,
    Down,
    Panics,
}

impl KeySource for Source {
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Sound => Ok(self.issuer.jwks().into()),
                Mood::Down => Err(SourceError::new(SourceErrorKind::Connect, "nobody listens")),
                Mood::Panics => panic!("as the test wants it"),
            }
        })
    }
}

/// Keeps what it hears, as text.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

impl Observer for Ear {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

struct House {
    ring: Arc<KeyRing>,
    source: Arc<Source>,
    clock: ManualClock,
    ear: Arc<Ear>,
}

impl House {
    fn new(max_age: Option<Duration>) -> Self {
        let issuer = Issuer::with_algorithm("https://as.example/", Algorithm::EdDSA);
        let source = Arc::new(Source { issuer, fetches: AtomicUsize::new(0), mood: Mutex::new(Mood::Sound) });
        let (clock, ear) = (ManualClock::new(), Arc::new(Ear::default()));
        let policy = KeyPolicy { cool_down: secs(30), max_age };
        let name = IssuerName::new("https://as.example/");
        let ring = KeyRing::new(name, source.clone(), policy, Arc::new(clock.clone()), ear.clone());
        Self { ring, source, clock, ear }
    }

    fn turn(&self, mood: Mood) {
        *self.source.mood.lock().unwrap() = mood;
    }

    /// Fetches, if it may, and waits for the end. Returns whether it might.
    async fn fetch(&self) -> bool {
        match self.ring.refresh() {
            Refresh::UnderWay(mut ended) => {
                ended.changed().await.unwrap();
                true
            }
            Refresh::CoolingDown => false,
        }
    }

    fn fetches(&self) -> usize {
        self.source.fetches.load(Ordering::SeqCst)
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.ear.0.lock().unwrap())
    }
}

#[tokio::test]
async fn one_fetch_at_a_time_and_one_a_cool_down() {
    let house = House::new(None);
    assert!(!house.ring.is_ready() && house.ring.keys().is_none());
    assert_eq!(house.ring.until_next_attempt(), Duration::ZERO);
    let (first, second) = (house.ring.refresh(), house.ring.refresh());
    let (Refresh::UnderWay(mut first), Refresh::UnderWay(mut second)) = (first, second) else { panic!() };
    first.changed().await.unwrap();
    second.changed().await.unwrap();
    assert_eq!((house.fetches(), house.ring.is_ready()), (1, true));
    assert!(house.ring.with_keys(|keys| keys.is_some_and(|keys| keys.keys().len() == 1)));
    for (waited, left, may) in [(0, 30, false), (29, 1, false), (1, 0, true), (45, 0, true)] {
        house.clock.advance(secs(waited));
        assert_eq!(house.ring.until_next_attempt(), secs(left));
        assert_eq!(house.fetch().await, may, "{waited} s later");
    }
    assert_eq!(house.fetches(), 3);
}

#[tokio::test]
async fn a_fetch_that_fails_is_counted_and_changes_nothing() {
    let house = House::new(None);
    house.turn(Mood::Down);
    // Backoff, as long as there are no keys.
    for (failures, pause) in [(1, 250), (2, 500), (3, 1_000)] {
        assert!(house.fetch().await && !house.fetch().await);
        assert_eq!(house.ring.last_fetch().failures, failures);
        assert_eq!(house.ring.until_next_attempt(), Duration::from_millis(pause));
        assert_eq!(house.ring.until_due(), Duration::from_millis(pause));
        house.clock.advance(Duration::from_millis(pause));
    }
    assert_eq!(house.ring.last_error().map(|error| error.kind()), Some(SourceErrorKind::Connect));
    house.turn(Mood::Sound);
    assert!(house.fetch().await);
    let now = house.clock.elapsed();
    assert_eq!(house.ring.last_fetch(), LastFetch { success: Some(now), attempt: Some(now), failures: 0 });
    assert_eq!(house.ring.last_error(), None);
    house.turn(Mood::Down);
    house.clock.advance(secs(30));
    assert!(house.fetch().await && house.ring.is_ready());
    let last = LastFetch { success: Some(now), attempt: Some(now + secs(30)), failures: 1 };
    assert_eq!((house.ring.last_fetch(), house.ring.until_next_attempt()), (last, secs(30)));
}

#[tokio::test]
async fn a_source_that_panics_gives_the_slot_back() {
    let house = House::new(None);
    house.turn(Mood::Panics);
    assert!(house.fetch().await);
    let error = house.ring.last_error().unwrap();
    assert_eq!((error.kind(), house.ring.last_fetch().failures), (SourceErrorKind::Local, 1));
    house.turn(Mood::Sound);
    house.clock.advance(secs(1));
    assert!(house.fetch().await && house.ring.is_ready());
}

#[tokio::test]
async fn what_happens_is_told() {
    let house = House::new(None);
    assert!(house.fetch().await);
    let fetched = "KeysFetched { issuer: \"https://as.example/\", outcome";
    assert_eq!(house.heard(), [format!("{fetched}: Ok(1), took: 0ns }}")]);
    house.source.issuer.rotate();
    house.clock.advance(secs(30));
    assert!(house.fetch().await);
    assert_eq!(house.heard(), [format!("{fetched}: Ok(2), took: 0ns }}")], "nothing is gone");
    house.source.issuer.withdraw("k1");
    house.clock.advance(secs(30));
    assert!(house.fetch().await);
    let withdrawn = "KeyWithdrawn { issuer: \"https://as.example/\", kid: Some(\"k1\") }";
    assert_eq!(house.heard(), [format!("{fetched}: Ok(1), took: 0ns }}"), withdrawn.to_owned()]);
    house.turn(Mood::Down);
    house.clock.advance(secs(30));
    assert!(house.fetch().await);
    assert_eq!(house.heard(), [format!("{fetched}: Err(\"connect: nobody listens\"), took: 0ns }}")]);
    assert_eq!(format!("{:?}", house.ring), r#"KeyRing { issuer: "https://as.example/", ready: true, .. }"#);
}

#[tokio::test]
async fn an_aged_set_is_due_at_its_age_or_after_the_cool_down_if_that_is_later() {
    let house = House::new(Some(secs(600)));
    assert_eq!(house.ring.until_due(), Duration::from_millis(5), "at once, but not without a breath");
    assert!(house.fetch().await);
    assert_eq!(house.ring.until_due(), secs(600));
    house.clock.advance(secs(599));
    assert_eq!(house.ring.until_due(), secs(1));
    house.turn(Mood::Down);
    house.clock.advance(secs(1));
    assert_eq!(house.ring.until_due(), Duration::from_millis(5));
    assert!(house.fetch().await);
    assert_eq!(house.ring.until_due(), secs(30), "a failure cools down too");
}

#[tokio::test]
async fn it_is_filled_in_the_background_and_kept_young() {
    let house = House::new(Some(secs(600)));
    house.ring.start();
    let filled = async {
        while !house.ring.is_ready() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(secs(10), filled).await.unwrap();
    assert_eq!(house.fetches(), 1);
    let weak = Arc::downgrade(&house.ring);
    drop(house);
    let gone = async {
        while weak.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(secs(10), gone).await.expect("the task holds no ring that nobody else holds");
}

#[tokio::test]
async fn a_set_that_does_not_age_is_left_alone_once_it_is_there() {
    let house = House::new(None);
    house.ring.start();
    let left_alone = async {
        while !house.ring.is_ready() || Arc::weak_count(&house.ring) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(secs(10), left_alone).await.expect("the task has nothing more to do");
    assert_eq!(house.fetches(), 1);
}

#[tokio::test]
async fn a_ring_that_adopts_another_s_keys_adopts_its_cool_down() {
    let (old, new) = (House::new(None), House::new(None));
    assert!(old.fetch().await);
    new.ring.adopt(&old.ring);
    assert!(new.ring.is_ready() && !new.fetch().await);
    assert_eq!(new.ring.last_fetch(), old.ring.last_fetch());
    new.clock.advance(secs(30));
    assert!(new.fetch().await);
}
