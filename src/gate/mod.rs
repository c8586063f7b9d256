//! The hall that every request walks through.
