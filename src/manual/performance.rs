//! What a request costs, what was tried to make it cost less, and what is known to fall short.
//!
//! Every figure here comes from a program in `benches/`, which its [page](https://docs.rs/crate/tollgate/latest/source/benches/README.md)
//! explains; anyone with Debian and two cores can repeat them:
//!
//! ```console
//! $ deploy/setup benches
//! $ benches/gateway/run
//! ```
//!
//! @@TABLES@@
//!
//! # What is kept of a token
//!
//! Its claims, once and as they came (the JSON object), and the places in it of those that decisions need; who vouches for it, with which key;
//! until when. Not the token, and no part of its signature. A page of 64 MiB (`cache.size`) holds some 80,000 tokens with 400 bytes of claims. Beyond
//! it, what was used least goes first. An entry that has ended is dropped when it is asked for, or pushed out; it never serves again.
//!
//! Beside it, a table of 16,384 fingerprints (1 MiB) spares known tokens their SHA-256: it is found again under a keyed hash of 128 bits, whose key the
//! process has drawn at its start.
//!
//! # Where the time goes
//!
//! A remembered token on its way through the gateway, in user space; the kernel takes as much again. Ours is orange. Point at a box to see its name.
//!
#![doc = include_str!("remembered.svg")]
//!
//! # What was tried
//!
//! | | kept | because |
//! |---|---|---|
//! | the store: `moka`, `quick_cache` | `quick_cache` | an entry takes 120 bytes beside its own instead of 385, and a look-up a third of the instructions. What moka has more, a timer that drops what has ended, nothing depends on: the gate's clock is asked on each read |
//! | a quicker hash in front of SHA-256 | yes | 940 bytes: 485 ns of SHA-256, 140 ns of HighwayHash; a memo of a pure function decides nothing |
//! | checks of a token's alphabet without branches | yes | 17,000 of 24,000 instructions went into looking at a token byte by byte: the compiler takes 16 at a step now |
//! | claims as places in their JSON | yes | half the memory, a dozen allocations less at first sight |
//! | a quick hash for tables of routes and issuers | yes | callers choose what is looked for, never what is in them |
//! | keeping the spelling of header names | no | 14,000 instructions a request: an allocation, a parse and a second map for each field that is set |
//! | one filter for the log | yes | 33,000 instructions a request: with two, one around the other, lines that nobody read were put together |
//! | new tokens in turns | yes | 48 connections with new ES256 tokens would hold up those that are known three times as long |
//! | verifying in a thread of its own | no | turns do the same without a way from thread to thread |
//! | link-time optimisation `fat`, one codegen unit | yes | bare pingora: 22.9 to 20.2 µs |
//! | `mimalloc` | yes | bare pingora: 20.2 to 17.8 µs; without huge pages, which cost 8 MiB at rest |
//! | `panic = "abort"` | no | a panic in one request must not take the others down |
//! | no work stealing | no | no gain with one thread, and a loss with two |
//! | a pool of 128 idle upstream connections | yes | with 16 and 64 callers, connecting doubles the cost of a request |
//! | guided by a profile (PGO) | not tried | Debian's LLVM is older than the compiler's, and its tools can't read the compiler's profiles |
//! | bare pingora's `getpeername` for each request | stays | pingora checks a pooled connection's peer before it is used again, and has no switch for it |
