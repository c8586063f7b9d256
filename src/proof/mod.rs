//! From words to facts: keys, signatures and issuers' answers. Pure.
//!
//! [`Verified`] is what this room exists for: a value of it is proof that a configured issuer vouches for the claims in it,
//! by a signature or by an answer. It can be made nowhere else (search for `assertion`).

mod algorithm;
mod freshness;
mod introspected;
mod jwk;
mod roca;
mod self_test;
mod set;
mod verified;
mod verify;

pub use algorithm::{Algorithm, AlgorithmSet, KeyType};
pub use freshness::{Freshness, KeyPolicy, LastFetch, freshness};
pub use introspected::{
    Introspected, IntrospectionError, MAX_ANSWER_AGE, SignedIntrospection, read_introspection,
    read_signed_introspection,
};
pub use jwk::{JwkError, KeyId, VerifyingKey};
pub use self_test::{SelfTestError, self_test};
pub use set::{Candidates, Fitting, KeySet, KeySetError, MAX_CANDIDATES, MAX_KEYS, SkippedKey};
pub use verified::{IssuerName, Provenance, Verified};
pub use verify::{ProofError, verify};
