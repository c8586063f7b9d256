//! Keys, made for this run, and tokens signed with them.
//!
//! | file | what |
//! |---|---|
//! | `jwks.json` | the public keys `rsa` and `ec` as a JWK set; beside it each as `rsa.pem` and `ec.pem` |
//! | `rs256` `es256` | one token |
//! | `rs256.many` `opaque.many` | so many different ones, one a line |
//! | `es256.storm` | many more, to be seen once |
//! | `forged.storm` | tokens with signatures that nobody made |
//! | `opaque` | one token without meaning |
//! | `bad-…` | one token each that nobody may take |

use super::required;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tollgate::policy::Profile;
use tollgate::proof::{Algorithm, KeyType};
use tollgate::testing::{Issuer, SigningKey, TokenBuilder};
use tollgate::time::{Clock, SystemClock, UnixTime};

/// What `peers/*` and `run` expect of a token.
const ISSUER: &str = "https://issuer.example/oauth2/default";
const AUDIENCE: &str = "api://orders";

/// Writes the files.
pub(super) fn write() {
    let dir = required("dir");
    let number = |name| required(name).parse::<usize>().expect("a number");
    let (count, storm) = (number("count"), number("storm"));
    let house = House::new();
    let put = |name: &str, text: String| {
        fs::write(Path::new(&dir).join(name), text).expect("the directory can be written to")
    };

    put("jwks.json", house.jwks());
    put("rsa.pem", pem(&house.rsa.key()));
    put("ec.pem", pem(&house.ec.key()));
    let (rsa, ec) = (|| house.token(&house.rsa), || house.token(&house.ec));
    put("rs256", rsa().sign());
    put("es256", ec().sign());
    put("rs256.many", lines(count, || rsa().sign()));
    put("es256.storm", lines(storm, || ec().sign()));
    let sound = rsa().sign();
    let input = sound.rsplit_once('.').map_or("", |(input, _)| input);
    put("forged.storm", lines(count, || format!("{input}.{}", random(256))));
    put("opaque", random(32));
    put("opaque.many", lines(count, || random(32)));

    put("bad-signature", rsa().tampered().sign());
    put("bad-key", rsa().key(Arc::new(SigningKey::generate(KeyType::Rsa))).sign());
    put("bad-audience", rsa().audience("api://other").sign());
    put("bad-issuer", rsa().claim("iss", "https://evil.example/").sign());
    put("bad-client", rsa().claim("cid", "stranger").sign());
    put("bad-scope", rsa().claim("scp", vec!["profile"]).sign());
    put(
        "bad-time",
        rsa().issued(UnixTime::from_secs(house.now.as_secs() - 7_200), Duration::from_secs(3_600)).sign(),
    );
    put("bad-algorithm", rsa().header("alg", "none").signature(b"").sign());
}

struct House {
    rsa: Issuer,
    ec: Issuer,
    now: UnixTime,
}

impl House {
    fn new() -> Self {
        let issuer = |algorithm: Algorithm, kid: &str| {
            let issuer = Issuer::with_algorithm(ISSUER, algorithm);
            issuer.sign_with(Arc::new(SigningKey::generate(algorithm.key_type())));
            // The published key that it began with: nobody is to trust it.
            issuer.withdraw("k1");
            issuer.describe("k2", |jwk| drop(jwk.insert("kid".into(), kid.into())));
            issuer
        };
        let now = SystemClock::new().now();
        Self { rsa: issuer(Algorithm::RS256, "rsa"), ec: issuer(Algorithm::ES256, "ec"), now }
    }

    /// Both issuers are one.
    fn jwks(&self) -> String {
        let inner = |issuer: &Issuer| {
            let set = issuer.jwks();
            set.trim_start_matches(r#"{"keys":["#).trim_end_matches("]}").to_owned()
        };
        format!(r#"{{"keys":[{},{}]}}"#, inner(&self.rsa), inner(&self.ec))
    }

    /// About 900 bytes if signed with RSA: what custom authorization servers issue. They differ all over: the Lua in wrk hashes
    /// few bytes of a string, and takes minutes for a list of those that are much alike.
    fn token(&self, issuer: &Issuer) -> TokenBuilder {
        let kid = if issuer.algorithm() == Algorithm::RS256 { "rsa" } else { "ec" };
        let token = issuer.token().like(Profile::Okta).header("kid", kid).audience(AUDIENCE);
        token.issued(self.now, Duration::from_secs(86_400)).claim("groups", random(135))
    }
}

/// Lines of text, made by two threads.
fn lines(count: usize, line: impl Fn() -> String + Sync) -> String {
    let part = |count| (0..count).map(|_| line() + "\n").collect::<String>();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| part(count / 2));
        part(count - count / 2) + &other.join().expect("it makes lines")
    })
}

/// So many random bytes in base64url.
fn random(bytes: usize) -> String {
    let mut drawn = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut drawn).expect("the system has randomness");
    base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, drawn)
}

fn pem(key: &SigningKey) -> String {
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.public_der());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in base64.as_bytes().chunks(64) {
        let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
    }
    pem + "-----END PUBLIC KEY-----\n"
}
