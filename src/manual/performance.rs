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
//! # What is reached, and what is not
//!
//! The machine was a shared virtual one with two cores of an AMD EPYC, two to three times slower than a quiet one: bare pingora itself took 43 to 70 µs of
//! CPU a request there, and 18 to 22 on others. So read ratios, and trust instructions most: nothing disturbs them.
//!
//! | goal | measured | reached | by |
//! |---|---|---|---|
//! | a remembered token costs at most 5 % more CPU than bare pingora with the same settings | +29 % instructions in user space (100,200 to 77,900; 29 to 36 % from run to run), no system call more (5.1 and 5.2); +23 to +40 % CPU | no. As `deploy/pgo` builds it, it takes as much as bare pingora as cargo builds that (11 % less in one run, 2.5 % more in another; 83,800 instructions to 79,800), and 24 % more than bare pingora by a profile too (65,500) | `gateway/count`, `gateway/run` |
//! | half of Envoy's CPU with its cache on | 95 to 196 µs; by `deploy/pgo` 61 | yes | `gateway/run --envoy` |
//! | half of HAProxy's with `jwt_verify` | 95 to 124 µs; by `deploy/pgo` 61 | by `deploy/pgo`; else 0.8 | `gateway/run` |
//! | a fifth of mod_oauth2's | 95 to 373 µs; by `deploy/pgo` 61 | by `deploy/pgo`; else a quarter | `gateway/run` |
//! | no more than HAProxy with a stick-table by hand | 95 to 42 µs; by `deploy/pgo` 61 | no: bare pingora itself took 70 | `gateway/run` |
//! | a first sight at most 1.1 times the bare check | in instructions: 359,000 with RS256, of which our own reading is about a tenth; in time 1.25 (RS256), 1.2 (ES256) | no: SHA-256 of the token, base64 and JSON are 3 µs beside 19 | `decide`, `instructions` |
//! | a refusal without a token: at most 6 µs | 29.0 µs where a bare 401 took 22.3, and 21.5 after `deploy/pgo`; 45,100 instructions to 37,600, and 38,400 by a profile | no: a bare 401 alone is above it here | `gateway/run`, `gateway/count` |
//! | a refused bad signature: no more than a first sight | 317,000 instructions to 359,000 with RS256 | yes | `instructions` |
//! | a remembered decision in process: at most 0.8 µs, no allocation | 1.03 µs where SHA-256 of the same token took 0.62, and 0.83 in a quicker hour of the same machine, when it had a fifth more instructions; no allocation (a test holds it) | nearly | `decide`, `tests/allocations.rs` |
//! | a storm of new tokens lets p99 of known ones at most double | beside 48 connections: 10.8 ms with known tokens, 9.8 with new ones, 7.0 with forged ones | yes | `gateway/run` |
//! | a remembered token of a million takes at most 400 bytes | 821 | no: all its claims are kept, and they alone have 400 | `scale` |
//! | memory stays at what is configured, whatever comes; making room never takes 1 ms | shown five times what fits into 64 MiB, one token in ten large: 76.1 MiB resident after each 100,000; of 100,000 decisions at first sight the slowest took 0.4 to 4.6 ms, from run to run of the same sequence, and the tenth slowest 0.4 to 0.8: the host's interruptions count as ours | the memory yes; the millisecond in the quietest run | `scale` |
//! | a decision among a million takes at most twice that among a thousand | 4.3 µs to 1.3 | no: 3.2; the caches of the processor, and SHA-256 of those that are not among the last 16,384 | `scale` |
//! | 10,000 routes cost at most 1.2 times what 10 do | 1,159 instructions each | yes | `instructions` |
//! | 1,000 issuers cost at most 1.2 times what one does | a remembered token 1.18 µs to 1.21, a first sight 69 to 58 | yes, the latter just so | `parts` |
//! | to read 10,000 routes takes less than a second | 0.14 s | yes | `scale` |
//! | two cores decide 1.8 times what one does | 1.8 to 2.1 of a million, 1.8 to 2.3 of a thousand | yes | `scale` |
//! | at rest at most 15 MiB | 12.1 MiB; it sleeps until the first request; from then on pingora's timer wakes a thread every 10 ms | yes; the timer is not ours to stop | `gateway/run` |
//! | HTTP/2, TLS | over bare pingora with the same: HTTP/2 +23 % CPU; TLS +11 % instructions (130,800 to 118,100), as many system calls; sessions are resumed (a test holds it) | – | `gateway/run`, `gateway/count` |
//! | the layer adds no box | none but the two places in the request's extensions | yes | `tests/allocations.rs` |
//! | 25 times as fast as other layers in process | what they take themselves, the bare service's time taken off: RS256 1.7 µs to jwt-authorizer's 38.6 and tower-oauth2-resource-server's 36.2; ES256 2.0 to 83 and 81 | with ES256 (41 times); with RS256 23 and 22 times | `layers` |
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
//! What it costs over bare pingora is spread over many small things, of which none is much. Of some 103,000 instructions callgrind has counted
//! 6,300 in the gate (before known tokens were spared their second look), 7,300 for the upstream's head, 2,500 for the answer's fields, and
//! 2,000 for reading heads in one way only (before names and control characters were looked at). The largest single thing is in pingora, and
//! in the bare proxy too: it copies a future of 14 KiB into a box for each request (21,000). To speak HTTP/1 to the upstream ourselves might be
//! quicker still; but then each rule of framing would be ours to get right, which is worth more than microseconds.
//!
//! # What was tried
//!
//! | | kept | because |
//! |---|---|---|
//! | the store: `moka`, `quick_cache` | `quick_cache` | an entry takes 120 bytes beside its own instead of 385, and a look-up a third of the instructions. What moka has more, a timer that drops what has ended, nothing depends on: the gate's clock is asked on each read |
//! | a quicker hash in front of SHA-256 | yes | 940 bytes: 485 ns of SHA-256, 140 ns of HighwayHash; a memo of a pure function decides nothing |
//! | looking at the bytes of a token that is known, or not | not | a token that is found again under the keyed hash was looked at before: 7,500 to 6,200 instructions a decision |
//! | the text of a token that is known | where it is wanted | to make a text of bytes is to look at each: with the path's segments counted from the second, 6,200 to 5,600 instructions a decision |
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
//! | buffers of 2, 4 or 16 KiB for reading and of 1, 4 or 16 for writing; pingora's compression module; no `TCP_NODELAY` | 4 and 4, no module, `TCP_NODELAY` | no difference beyond the noise of that run (10 %) |
//! | `TCP_QUICKACK`, set for each connection or after each read | no | for each connection: no difference. After each read, one more system call: a request that passes costs the same, a refusal 30.8 to 40.0 µs |
//! | a pool of 128 idle upstream connections | yes | with 16 and 64 callers, connecting doubles the cost of a request |
//! | guided by a profile (PGO): [`deploy/pgo`](https://docs.rs/crate/tollgate/latest/source/deploy/pgo) | offered | 95.4 to 61.3 µs, 102,700 to 83,800 instructions; a refusal 29.0 to 21.5 µs. It is a script, not the build, for it takes three builds and a load |
//! | boxing less of pingora's state | not ours | for each request it moves a future of 14 KiB into a box: a seventh of all counted instructions (callgrind counts each byte that is copied), in the bare proxy as well |
//! | bare pingora's `getpeername` for each request | stays | pingora checks a pooled connection's peer before it is used again, and has no switch for it |
