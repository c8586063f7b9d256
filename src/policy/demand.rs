//! What code asks of a caller beyond what the route has asked: a handler that knows more than its path tells.

use super::{Denial, Permit, Principal, Reason, ScopeRule};
use crate::token::Scope;
use serde::de::DeserializeOwned;

impl Permit {
    /// Asks for scopes beside those of the route.
    ///
    /// # Errors
    /// A [`Denial`] whose answer tells the caller which scopes are wanted: [`Reason::Scope`], or [`Reason::TokenMissing`]
    /// where the route is public, so that no token was looked at.
    pub fn require_scopes(&self, scopes: &ScopeRule) -> Result<&Principal, Denial> {
        let principal = self.require_principal()?;
        if scopes.met_by(&principal.scopes()) {
            return Ok(principal);
        }
        let wanted: Vec<&str> = scopes.nearest(&principal.scopes()).map(Scope::as_str).collect();
        Err(self.deny(Reason::Scope).wanting(&wanted.join(" ")))
    }

    /// Asks for whatever `met` judges: that the caller owns what it asks for, for example.
    ///
    /// ```no_run
    /// # use tollgate::policy::{Denial, Permit};
    /// fn read(permit: &Permit, owner: &str) -> Result<(), Denial> {
    ///     permit.require(|principal| principal.subject() == Some(owner))?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// A [`Denial`]: [`Reason::Claim`], or [`Reason::TokenMissing`] where the route is public, so that no token was looked at.
    pub fn require(&self, met: impl FnOnce(&Principal) -> bool) -> Result<&Principal, Denial> {
        let principal = self.require_principal()?;
        if met(principal) { Ok(principal) } else { Err(self.deny(Reason::Claim)) }
    }

    /// Asks for claims that fit a type of yours. A token without them is valid, but not for this.
    ///
    /// # Errors
    /// A [`Denial`]: [`Reason::Claim`], or [`Reason::TokenMissing`] where the route is public, so that no token was looked at.
    pub fn require_claims<T: DeserializeOwned>(&self) -> Result<T, Denial> {
        self.require_principal()?.claims().map_err(|_| {
            // Not the error itself: it shows what the claims say.
            tracing::debug!(
                wanted = std::any::type_name::<T>(),
                "the token's claims don't fit the type that is asked for"
            );
            self.deny(Reason::Claim)
        })
    }

    /// Asks for a caller.
    ///
    /// # Errors
    /// A [`Denial`] with [`Reason::TokenMissing`] where the route is public, so that no token was looked at.
    pub fn require_principal(&self) -> Result<&Principal, Denial> {
        self.principal().ok_or_else(|| self.deny(Reason::TokenMissing))
    }

    fn deny(&self, reason: Reason) -> Denial {
        Denial::new(reason, self.policy()).on(self.route_index())
    }
}

#[cfg(test)]
mod tests;
