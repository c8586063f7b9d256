//! What much of something costs: remembered tokens, in memory and in look-ups by one thread and by two; more tokens than there is
//! room for; routes, at the start.
//!
//!   cargo bench --features testing --bench scale             up to 1,000,000 tokens; takes some minutes and 3 GB
//!   cargo bench --features testing --bench scale -- 1000     so many
//!
//! It prints three tables. Memory is the growth of the process while nothing else grows.

mod house;

use house::{Extent, House, bearer};
use http::HeaderMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tollgate::config::{self, Environment};
use tollgate::policy::{Policy, RouteTable};
use tollgate::proof::Algorithm;

/// The gateway's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Each has a process of its own, so that none finds memory that the one before has left.
    if let Some((what, count)) = arguments.iter().find_map(|argument| argument.split_once('=')) {
        let count = count.parse().unwrap();
        return match what {
            "tokens" => remember(count),
            "overflow" => overflow(count),
            _ => start(count),
        };
    }
    // `cargo bench` adds `--bench`. Whoever runs it otherwise wants to see that it runs.
    let in_earnest = arguments.iter().any(|argument| argument == "--bench");
    let asked: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = match (asked.is_empty(), in_earnest) {
        (false, _) => &asked[..],
        (true, true) => &[1_000, 100_000, 1_000_000],
        (true, false) => &[100],
    };
    println!("| remembered tokens | bytes each | ns a decision, 1 thread | 2 threads |\n|--:|--:|--:|--:|");
    sizes.iter().for_each(|size| again(&format!("tokens={size}")));
    println!(
        "\n| tokens shown to a memory of 64 MiB | remembered | MiB by its own count | MiB resident | µs for the slowest | for the tenth slowest |\n|--:|--:|--:|--:|--:|--:|"
    );
    again(&format!("overflow={}", if in_earnest { 400_000 } else { 400 }));
    println!("\n| routes | ms to read the configuration | bytes each |\n|--:|--:|--:|");
    [10, 1_000, 10_000].iter().for_each(|count| again(&format!("routes={count}")));
}

fn again(argument: &str) {
    let program = std::env::current_exe().unwrap();
    assert!(std::process::Command::new(program).arg(argument).status().unwrap().success());
}

/// Fills a gate, and asks it for tokens at random.
fn remember(size: usize) {
    // The cheapest to sign.
    let house = House::new(Algorithm::EdDSA, Extent { bytes: 16 << 30, ..Extent::default() });
    // What is set up once is no token's.
    (0..100).for_each(|_| assert_eq!(house.decide(&bearer(&house.token().sign())), None));
    // Of very many tokens some are asked for later: all of them would be a gigabyte beside what is measured.
    let sample = size.min(SAMPLE);
    let mut asked: Vec<HeaderMap> = Vec::with_capacity(sample);
    let mut random = Random(1);
    let mut kept = 0;
    let before = resident();
    for number in 0..size {
        let headers = bearer(&house.token().sign());
        assert_eq!(house.decide(&headers), None);
        if number * sample / size == asked.len() {
            kept += headers.values().map(|value| value.len() + KEPT_BESIDE).sum::<usize>();
            asked.push(headers);
        }
    }
    let each = (resident().saturating_sub(before)).saturating_sub(kept) / size;
    for index in (1..asked.len()).rev() {
        asked.swap(index, random.below(index + 1));
    }
    let alone = time(&house, &asked);
    let (one, two) = std::thread::scope(|scope| {
        let (front, back) = asked.split_at(asked.len() / 2);
        let other = scope.spawn(|| time(&house, back));
        (time(&house, front), other.join().unwrap())
    });
    println!("| {size} | {each} | {alone:.0} | {:.0} |", f64::midpoint(one, two));
}

/// Shows a gate more tokens than it has room for, one in ten of them with claims of 8 KiB. The slowest is what a decision at first
/// sight took of the processor's time at most, whatever had to go for it. In a virtual machine the host's own work may be in it: what
/// making room costs again and again is in the tenth slowest as well.
fn overflow(size: usize) {
    let house = House::new(Algorithm::EdDSA, Extent::default());
    let token = |number: usize| match number % 10 {
        0 => house.token().claim("more", "x".repeat(8 * 1024)),
        _ => house.token(),
    };
    (0..100).for_each(|_| assert_eq!(house.decide(&bearer(&house.token().sign())), None));
    let before = resident();
    let mut times = Vec::with_capacity(size / 4);
    for number in 0..size {
        let headers = bearer(&token(number).sign());
        let began = worked();
        assert_eq!(house.decide(&headers), None);
        times.push(worked().saturating_sub(began).as_micros());
        if (number + 1) % (size / 4) == 0 {
            let ((count, bytes), grown) = (house.gate.remembered(), resident().saturating_sub(before));
            let [own, grown] = [bytes as f64, grown as f64].map(|bytes| bytes / f64::from(1 << 20));
            times.sort_unstable_by(|one, other| other.cmp(one));
            println!("| {} | {count} | {own:.1} | {grown:.1} | {} | {} |", number + 1, times[0], times[9]);
            times.clear();
        }
    }
}

/// The processor's time that this thread has had: other programs do not count.
fn worked() -> Duration {
    nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID.now().unwrap().into()
}

/// Nanoseconds for a decision about each of them. A request that is judged has just been read: so each token is read before, and
/// what that takes is not counted.
fn time(house: &House, asked: &[HeaderMap]) -> f64 {
    let each = |what: &dyn Fn(&HeaderMap)| {
        let (mut count, began) = (0_u32, Instant::now());
        while began.elapsed() < Duration::from_secs(2) {
            asked.iter().for_each(what);
            count += asked.len() as u32;
        }
        began.elapsed().as_nanos() as f64 / f64::from(count)
    };
    let both = each(&|headers| {
        read(headers);
        assert_eq!(house.decide(black_box(headers)), None, "it was not remembered");
    });
    both - each(&read)
}

fn read(headers: &HeaderMap) {
    for value in headers.values() {
        black_box(value.as_bytes().iter().fold(0, |all, byte| all ^ byte));
    }
}

/// Reads a configuration of so many routes, as the start does.
fn start(count: usize) {
    let mut text = String::from(
        "issuers:\n  main: {issuer: https://as.example/, audiences: [https://api.example/], clients: [shop]}\nroutes:\n",
    );
    for number in 0..count {
        let _ = writeln!(
            text,
            "  - path: /service-{}/things-{number}/{{id}}\n    scopes: {{GET: [orders:read]}}",
            number % 40
        );
    }
    let before = resident();
    let began = Instant::now();
    let plan = config::parse("bench.yaml", &text, &Environment::empty()).unwrap();
    let took = began.elapsed();
    let policy = plan.policy;
    // What was only needed on the way is given back, or could be used again.
    let each = resident().saturating_sub(before) / count;
    assert_eq!(routes_of(&policy).len(), count);
    println!("| {count} | {:.1} | {each} |", took.as_secs_f64() * 1e3);
}

fn routes_of(policy: &Policy) -> &RouteTable {
    policy.routes()
}

/// Resident bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// So many tokens are kept, to be asked for.
const SAMPLE: usize = 100_000;
/// A map of one field, beside the field.
const KEPT_BESIDE: usize = 260;
