//! The gate: what it remembers, what it judges afresh, how it fetches keys and asks issuers. On a clock that is turned by hand.

mod entry;
mod house;
mod keys;
mod notices;
mod opaque;
mod remembered;
mod shared;
mod signed;
mod turns;
