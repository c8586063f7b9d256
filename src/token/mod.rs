//! Words: from header bytes to unverified meaning. Pure, borrowing, and trusting nothing.
//!
//! What comes out of here is *said*, not *true*: [`UnverifiedJws`] and [`Claims`] turn into facts only in
//! [`proof`](crate::proof), and nothing of them is readable by a policy before that.

mod alphabet;
mod claims;
mod confirmation;
mod credential;
mod fingerprint;
mod fingerprints;
mod json;
mod jws;
mod scope;

pub(crate) use alphabet::all;
pub use claims::{Claims, ClaimsError, ClientClaim, KindClaim};
pub use confirmation::Confirmation;
pub(crate) use credential::Presented;
pub use credential::{Credential, CredentialError, MAX_TOKEN_BYTES, Scheme};
pub use fingerprint::Fingerprint;
pub(crate) use fingerprints::Fingerprints;
pub use jws::{JwsError, MAX_KID_BYTES, Shape, UnverifiedJws};
pub use scope::{InvalidScope, Scope, ScopeSet};

pub(crate) use json::{Members, Passed, UniqueMembers};
