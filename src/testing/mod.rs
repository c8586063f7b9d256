//! An issuer that signs, a clock that is turned by hand, scripted sources: for tests, ours and yours.
//!
//! ```
//! use tollgate::proof::{Algorithm, Candidates, IssuerName, verify};
//! use tollgate::testing::Issuer;
//! use tollgate::token::UnverifiedJws;
//!
//! let issuer = Issuer::new("https://as.example/");
//! let token = issuer.token().audience("https://api.example/").client("shop").scope("orders:read").sign();
//!
//! let (jws, keys) = (UnverifiedJws::parse(&token)?, issuer.key_set());
//! let Candidates::Keys(fitting) = keys.select(Algorithm::RS256, jws.kid()) else { panic!() };
//! let facts = verify(&jws, Algorithm::RS256, &fitting, &IssuerName::new(issuer.name()))?;
//! assert!(facts.claims().scopes().contains("orders:read"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod issuer;
mod key;
#[cfg(feature = "testing")]
mod scripted;
mod token;

pub use clock::ManualClock;
pub use issuer::Issuer;
pub use key::SigningKey;
#[cfg(feature = "testing")]
pub use scripted::{Behaviour, Recorded, Resource, ScriptedIssuer};
pub use token::TokenBuilder;
