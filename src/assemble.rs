//! A plan becomes a live gate.
