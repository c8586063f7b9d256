//! The manual: pages without code.
//!
//! - [`walk`]: a request's life, from the bytes of its head to the answer.
//! - [`defaults`]: each default, with its unit and its reason.
//! - [`attacks`]: each attack, the room that answers it, and the test that shows it.
//! - [`security`]: who is trusted with what, what is promised, what is not, and how to report a hole.
//! - [`performance`]: what a request costs, what was tried, what falls short.
//! - [`operating`]: what an operator sees, above all when an issuer is in trouble.

pub mod attacks;
pub mod defaults;
pub mod operating;
pub mod performance;
pub mod security;
pub mod walk;
