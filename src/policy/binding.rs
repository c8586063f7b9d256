//! Whether a caller shows what its token is bound to: RFC 7800, RFC 9449, RFC 8705.

use super::{Principal, Reason, RequestHead};
use crate::token::{Confirmation, Scheme};

/// Judges the token's binding.
///
/// 1. A token without `cnf` is a plain bearer token, and passes as one.
/// 2. A token bound to a certificate (`x5t#S256`) passes if the connection was authenticated by that very certificate, which
///    only a door that sees it can tell.
/// 3. Every other bound token is refused: shown as a plain bearer token, its binding would mean nothing.
///
/// # Errors
/// [`Reason::Binding`].
pub(crate) fn check(principal: &Principal, scheme: Scheme, head: &RequestHead<'_>) -> Result<(), Reason> {
    match (principal.facts().claims().confirmation(), scheme) {
        (None, Scheme::Bearer) => Ok(()),
        (Some(Confirmation::X5tS256(thumbprint)), Scheme::Bearer)
            if head.client_certificate == Some(*thumbprint) =>
        {
            Ok(())
        }
        _ => Err(Reason::Binding),
    }
}

#[cfg(test)]
mod tests;
