//! What several gates know together, through a memory that the test holds in its hands.

use crate::house::{API, Answers, House, Outcome, down, rules};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate::gate::{
    BoxFuture, CLOCK_SKEW, Gate, IntrospectionSettings, Notice, NoticeKind, SHARED_FOR, Selector,
    SharedAnswer, SharedMemory, SharedQuestion, What,
};
use tollgate::policy::{JwtMode, OpaqueRules, Reason};
use tollgate::testing::ManualClock;
use tollgate::time::Clock;

const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn active(more: &str) -> String {
    format!(r#"{{"active":true,"aud":"{API}","client_id":"shop","scope":"orders:read","sub":"alice"{more}}}"#)
}

const INACTIVE: &str = r#"{"active":false}"#;

/// A memory that keeps what it is told, for as long as the test likes.
#[derive(Default)]
struct Board {
    answers: Mutex<HashMap<String, (SharedAnswer, Duration)>>,
    notices: Mutex<Vec<Notice>>,
    hangs: Mutex<bool>,
    recalls: Mutex<usize>,
}

impl Board {
    fn name(question: &SharedQuestion<'_>) -> String {
        format!("{question:?} {:?}", question.token.as_bytes())
    }

    fn told(&self) -> Vec<(SharedAnswer, Duration)> {
        self.answers.lock().unwrap().values().cloned().collect()
    }

    fn recalls(&self) -> usize {
        *self.recalls.lock().unwrap()
    }

    /// Replaces all answers by this one.
    fn forge(&self, answer: &SharedAnswer) {
        self.answers.lock().unwrap().values_mut().for_each(|kept| kept.0 = answer.clone());
    }

    /// Lets a gate follow all that was announced so far.
    fn deliver(&self, gate: &Gate) {
        for notice in &*self.notices.lock().unwrap() {
            gate.learn(notice).unwrap();
        }
    }
}

impl SharedMemory for Board {
    fn recall<'a>(&'a self, question: &'a SharedQuestion<'a>) -> BoxFuture<'a, Option<SharedAnswer>> {
        Box::pin(async {
            *self.recalls.lock().unwrap() += 1;
            if *self.hangs.lock().unwrap() {
                std::future::pending::<()>().await;
            }
            self.answers.lock().unwrap().get(&Self::name(question)).map(|(answer, _)| answer.clone())
        })
    }

    fn tell<'a>(
        &'a self,
        question: &'a SharedQuestion<'a>,
        answer: &'a SharedAnswer,
        keep: Duration,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            self.answers.lock().unwrap().insert(Self::name(question), (answer.clone(), keep));
        })
    }

    fn announce(&self, notice: Notice) {
        self.notices.lock().unwrap().push(notice);
    }
}

/// A gate at the board, on this clock, whose issuer answers so.
struct Member {
    house: House,
    answers: Arc<Answers>,
}

impl Member {
    async fn join(board: &Arc<Board>, clock: &ManualClock, line: &str) -> Self {
        Self::with(board, clock, line, IntrospectionSettings::default()).await
    }

    async fn with(
        board: &Arc<Board>,
        clock: &ManualClock,
        line: &str,
        settings: IntrospectionSettings,
    ) -> Self {
        let answers = Answers::new([Ok(line.to_owned())]);
        let house = House::sharing(&answers, settings, clock, board.clone()).await;
        Self { house, answers }
    }

    /// Asks, and waits until the answer, if there was one, has been told.
    async fn get(&self) -> Outcome {
        let outcome = self.house.get(TOKEN).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        outcome
    }

    fn asked(&self) -> usize {
        self.answers.times()
    }
}

fn table() -> (Arc<Board>, ManualClock) {
    (Arc::default(), ManualClock::new())
}

#[tokio::test]
async fn what_one_gate_was_told_no_other_asks_again() {
    for (line, expected) in
        [(active(""), Outcome::Allowed), (INACTIVE.to_owned(), Outcome::Refused(Reason::Inactive))]
    {
        let (board, clock) = table();
        let first = Member::join(&board, &clock, &line).await;
        let second = Member::join(&board, &clock, &line).await;
        for member in [&first, &second, &second] {
            assert_eq!(member.get().await, expected);
        }
        assert_eq!((first.asked(), second.asked()), (1, 0));
        assert_eq!(board.recalls(), 2, "what is remembered is not recalled");
    }
}

#[tokio::test]
async fn sharing_does_not_lengthen_the_revocation_window() {
    let (board, clock) = table();
    let settings = IntrospectionSettings { max_lifetime: Some(secs(20)), ..Default::default() };
    let first = Member::with(&board, &clock, &active(""), settings.clone()).await;
    let second = Member::with(&board, &clock, INACTIVE, settings).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    clock.advance(secs(15));
    assert_eq!(second.get().await, Outcome::Allowed);
    clock.advance(secs(5));
    assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive), "20 s from when the first one asked");
    assert_eq!(board.told().len(), 1);
}

#[tokio::test]
async fn each_gate_believes_by_its_own_settings() {
    let (board, clock) = table();
    let line = active(&format!(r#","exp":{}"#, ManualClock::START.as_secs() + 9_999));
    let first = Member::join(&board, &clock, &line).await;
    let strict = IntrospectionSettings { max_lifetime: Some(secs(5)), ..Default::default() };
    let second = Member::with(&board, &clock, INACTIVE, strict).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(board.told()[0].1, SHARED_FOR, "for an hour at most, however long the token lives");
    clock.advance(secs(5));
    assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn who_grants_a_grace_asks_the_issuer_first_all_the_same() {
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    let strict = IntrospectionSettings { max_lifetime: Some(secs(5)), grace: secs(60), ..Default::default() };
    let second = Member::with(&board, &clock, INACTIVE, strict).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    clock.advance(secs(5));
    assert_eq!((second.get().await, second.asked()), (Outcome::Refused(Reason::Inactive), 1));
}

#[tokio::test]
async fn an_answer_from_the_future_or_of_long_ago_is_none() {
    let start = ManualClock::START;
    for (asked, taken) in [
        (start, true),
        (start + Duration::from_millis(1), false),
        (start - (SHARED_FOR - Duration::from_millis(1)), true),
        (start - SHARED_FOR, false),
    ] {
        let (board, clock) = table();
        let line = active(&format!(r#","exp":{}"#, start.as_secs() + 9_999));
        let first = Member::join(&board, &clock, &line).await;
        assert_eq!(first.get().await, Outcome::Allowed);
        board.forge(&SharedAnswer { asked, ..board.told()[0].0.clone() });
        let second = Member::join(&board, &clock, INACTIVE).await;
        let expected = if taken { Outcome::Allowed } else { Outcome::Refused(Reason::Inactive) };
        assert_eq!(second.get().await, expected, "{asked:?}");
    }
}

#[tokio::test]
async fn an_answer_is_read_and_judged_as_the_issuer_s_own() {
    let exp = ManualClock::START.as_secs();
    let cases = [
        (Some(active("")), Outcome::Allowed),
        (None, Outcome::Refused(Reason::Inactive)),
        (Some(INACTIVE.to_owned()), Outcome::Refused(Reason::Inactive)),
        (Some(active("").replace(API, "https://other/")), Outcome::Refused(Reason::Audience)),
        (Some(active("").replace("orders:read", "x")), Outcome::Refused(Reason::Scope)),
        // These are none, so the issuer is asked.
        (Some(String::new()), Outcome::Allowed),
        (Some("{}".to_owned()), Outcome::Allowed),
        (Some(active(r#","exp":"1""#)), Outcome::Allowed),
        (Some(active(&format!(r#","exp":{exp}"#))), Outcome::Allowed),
    ];
    for (n, (json, expected)) in cases.into_iter().enumerate() {
        let (board, clock) = table();
        let first = Member::join(&board, &clock, &active("")).await;
        assert_eq!(first.get().await, Outcome::Allowed);
        board.forge(&SharedAnswer { asked: ManualClock::START, active: json.clone().map(Into::into) });
        let second = Member::join(&board, &clock, &active("")).await;
        assert_eq!(second.get().await, expected, "{json:?}");
        assert_eq!(second.asked(), usize::from(n > 4), "{json:?}");
    }
}

#[tokio::test]
async fn grace_counts_from_the_first_question_too() {
    let (board, clock) = table();
    let settings =
        IntrospectionSettings { max_lifetime: Some(secs(20)), grace: secs(60), ..Default::default() };
    let first = Member::with(&board, &clock, &active(""), settings.clone()).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(board.told()[0].1, secs(80));
    clock.advance(secs(79));
    let second = Member::with(&board, &clock, "", settings.clone()).await;
    second.answers.then(Err(down()));
    assert_eq!(second.get().await, Outcome::Degraded);
    clock.advance(secs(1));
    assert_eq!(second.get().await, Outcome::Refused(Reason::IntrospectionUnavailable));
    let third = Member::with(&board, &clock, "", settings).await;
    third.answers.then(Err(down()));
    assert_eq!(third.get().await, Outcome::Refused(Reason::IntrospectionUnavailable));
}

#[tokio::test]
async fn an_issuer_that_is_down_is_bridged_by_what_another_gate_was_told() {
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    let second = Member::join(&board, &clock, "").await;
    second.answers.then(Err(down()));
    for n in 0..5 {
        let outcome = second.house.get(&format!("token-number-{n}")).await;
        assert_eq!(outcome, Outcome::Refused(Reason::IntrospectionUnavailable));
    }
    while second.asked() < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(second.get().await, Outcome::Allowed, "although it is left alone just now");
    assert_eq!(second.asked(), 6);
}

#[tokio::test]
async fn what_an_issuer_tells_one_client_is_not_told_to_another() {
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    assert_eq!(first.get().await, Outcome::Allowed);
    let signed = IntrospectionSettings { signed: true, ..Default::default() };
    let second = Member::with(&board, &clock, &active(""), signed).await;
    assert_eq!(second.get().await, Outcome::Refused(Reason::IntrospectionUnavailable));
    assert_eq!(second.asked(), 1);
}

#[tokio::test]
async fn a_memory_that_hangs_costs_half_of_the_time_at_most() {
    let (board, clock) = table();
    *board.hangs.lock().unwrap() = true;
    let settings = IntrospectionSettings { timeout: secs(1), ..Default::default() };
    let member = Member::with(&board, &clock, &active(""), settings).await;
    let began = std::time::Instant::now();
    assert_eq!(member.house.get(TOKEN).await, Outcome::Allowed);
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_thousand_requests_recall_once() {
    let (board, clock) = table();
    let member = Arc::new(Member::join(&board, &clock, &active("")).await);
    let requests: Vec<_> = (0..1_000)
        .map(|_| {
            let member = member.clone();
            tokio::spawn(async move { member.house.get(TOKEN).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Outcome::Allowed);
    }
    assert_eq!((board.recalls(), member.asked()), (1, 1));
}

#[tokio::test]
async fn what_one_gate_forgets_others_forget_and_do_not_take_over_again() {
    let selectors =
        [Selector::token(TOKEN), Selector::new(What::Subject("alice".into())), Selector::new(What::All)];
    for selector in selectors {
        let (board, clock) = table();
        let first = Member::join(&board, &clock, &active("")).await;
        let second = Member::join(&board, &clock, INACTIVE).await;
        assert_eq!(first.get().await, Outcome::Allowed);
        assert_eq!(second.get().await, Outcome::Allowed);
        assert_eq!(first.house.gate.forget(&selector), 1, "{selector:?}");
        board.deliver(&second.house.gate);
        assert_eq!(second.get().await, Outcome::Refused(Reason::Inactive), "asked anew: {selector:?}");
        let late = Member::join(&board, &clock, INACTIVE).await;
        board.deliver(&late.house.gate);
        assert_eq!(late.get().await, Outcome::Refused(Reason::Inactive), "{selector:?}");
        assert_eq!(board.notices.lock().unwrap().len(), 1, "no echo");
    }
}

#[tokio::test]
async fn after_the_skew_of_clocks_new_answers_are_shared_again() {
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    let second = Member::join(&board, &clock, INACTIVE).await;
    first.house.gate.forget(&Selector::token(TOKEN));
    board.deliver(&second.house.gate);
    clock.advance(CLOCK_SKEW + Duration::from_millis(1));
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(second.get().await, Outcome::Allowed);
    assert_eq!(second.asked(), 0);
}

#[tokio::test]
async fn an_answer_that_is_forgotten_on_its_way_is_neither_remembered_nor_shared() {
    let (board, clock) = table();
    let answers = Answers::slow([Ok(active(""))], Duration::from_millis(100));
    let house =
        Arc::new(House::sharing(&answers, IntrospectionSettings::default(), &clock, board.clone()).await);
    let request = tokio::spawn({
        let house = house.clone();
        async move { house.get(TOKEN).await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    house.gate.forget(&Selector::new(What::Subject("alice".into())));
    assert_eq!(request.await.unwrap(), Outcome::Allowed, "it was asked before");
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(board.told().is_empty());
    answers.then(Ok(INACTIVE));
    assert_eq!(house.get(TOKEN).await, Outcome::Refused(Reason::Inactive));
}

#[tokio::test]
async fn what_one_gate_revokes_others_refuse() {
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    let second = Member::join(&board, &clock, &active("")).await;
    let token = first.house.token();
    // Both houses' issuers sign with the same key, by the same name.
    assert_eq!(second.house.get(&token).await, Outcome::Allowed);
    first.house.gate.revoke(&Selector::new(What::Subject("alice".into())), None).unwrap();
    for _ in 0..2 {
        board.deliver(&second.house.gate);
    }
    assert_eq!(second.house.get(&token).await, Outcome::Refused(Reason::Revoked));
    assert_eq!(second.house.gate.revoked(), 1, "told twice, listed once");
    clock.advance(secs(10));
    let later =
        second.house.issuer.token().audience(API).client("shop").scope("orders:read").subject("alice");
    let later = later.issued(clock.now(), secs(3_600)).sign();
    assert_eq!(second.house.get(&later).await, Outcome::Allowed, "issued since it was revoked there");
}

#[tokio::test]
async fn an_ended_notice_is_not_followed() {
    let (board, clock) = table();
    let member = Member::join(&board, &clock, &active("")).await;
    assert_eq!(member.get().await, Outcome::Allowed);
    for kind in [NoticeKind::Forgotten, NoticeKind::Revoked] {
        let until = ManualClock::START;
        let notice = Notice { kind, selector: Selector::new(What::All), since: until - secs(60), until };
        assert_eq!(member.house.gate.learn(&notice), Ok(0));
    }
    assert_eq!((member.house.gate.revoked(), member.house.gate.remembered().0), (0, 1));
}

#[tokio::test]
async fn of_a_signed_token_only_the_issuer_s_word_is_shared() {
    let always = || tollgate::policy::IssuerRules {
        jwts: JwtMode::SignatureAndIntrospection,
        opaque: Some(OpaqueRules::default()),
        ..rules()
    };
    let (board, clock) = table();
    let first = Member::join(&board, &clock, &active("")).await;
    let second = Member::join(&board, &clock, INACTIVE).await;
    for member in [&first, &second] {
        member.house.reload(crate::house::orders(), always());
    }
    let token = first.house.token();
    assert_eq!(first.house.get(&token).await, Outcome::Allowed);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(second.house.get(&token).await, Outcome::Allowed);
    assert_eq!((first.asked(), second.asked()), (1, 0));
    let forged = first.house.issuer.token().audience(API).tampered().sign();
    assert_eq!(second.house.get(&forged).await, Outcome::Refused(Reason::Signature));
    assert_eq!(board.recalls(), 2, "the signature is checked first");
}
