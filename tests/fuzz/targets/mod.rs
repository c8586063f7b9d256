//! What must hold of each reader of untrusted bytes, whatever the bytes.
//!
//! Each `check` panics where something does not hold. libFuzzer calls it with inputs of its own (`bin`), and
//! `tests/fuzz_corpus.rs` with those that were kept (`corpus`). The properties are written from the RFCs, without a look at
//! how the gate reads: where the two disagree, one of them is wrong.

pub mod authorization_header;
pub mod claims;
pub mod introspection;
pub mod jwks;
pub mod jws;
pub mod path;
pub mod whole_request;
pub mod yaml;

mod json;

/// The parts of an input that is made of several: a line `---` lies between two.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

const BETWEEN: &[u8] = b"\n---\n";
