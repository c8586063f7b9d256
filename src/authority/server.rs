//! One authorization server at work: it issues tokens, knows which of them are good, and publishes its keys.

use super::error::OAuthError;
use super::keys::{KeyChain, NamedKey, random_name};
use super::ledger::{Entry, Ledger};
use super::settings::TokenForm;
use super::{AuthorizationServer, Client};
use crate::time::UnixTime;
use crate::token::Scope;
use serde_json::{Map, Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A server at work.
pub(super) struct Server {
    issuer: String,
    settings: AuthorizationServer,
    keys: Mutex<KeyChain>,
    ledger: Mutex<Ledger>,
}

impl Server {
    /// Makes its first key, which takes some tenths of a second for RSA.
    pub(super) fn new(issuer: String, settings: AuthorizationServer) -> Self {
        let keys = Mutex::new(KeyChain::new(settings.algorithm));
        Self { issuer, settings, keys, ledger: Mutex::default() }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn rotate(&self) -> String {
        // The key is made before the lock is taken, so that others can sign meanwhile.
        let key = NamedKey::generate(self.settings.algorithm);
        lock(&self.keys).rotate(key)
    }

    pub(super) fn withdraw_old_keys(&self) {
        lock(&self.keys).withdraw_old();
    }

    pub(super) fn key_set(&self) -> Value {
        lock(&self.keys).set()
    }

    /// A token for a client itself (RFC 6749 section 4.4): the answer of the token endpoint.
    ///
    /// # Errors
    /// 1. `unauthorized_client` if the client is granted nothing here.
    /// 2. `invalid_scope` if no scope is asked for: there are no default scopes (section 3.3).
    /// 3. `invalid_scope` if one is unknown here, or not granted to the client.
    pub(super) fn issue(
        &self,
        client: &Client,
        scope: Option<&str>,
        now: UnixTime,
    ) -> Result<Value, OAuthError> {
        let granted = client.scopes_at(&self.settings.id).ok_or(OAuthError::UnauthorizedClient)?;
        let asked = scope.ok_or(OAuthError::InvalidScope("there are no default scopes: ask for some"))?;
        let mut scopes: Vec<&str> = Vec::new();
        for scope in asked.split(' ') {
            if Scope::new(scope).is_err() {
                return Err(OAuthError::InvalidScope("scopes are separated by one space"));
            }
            if !self.settings.scopes.iter().any(|known| **known == *scope) {
                return Err(OAuthError::InvalidScope("a scope is unknown to this authorization server"));
            }
            if !granted(scope) {
                return Err(OAuthError::InvalidScope("a scope is not granted to this client"));
            }
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        let lifetime = self.settings.lifetime.as_secs();
        let claims = self.claims(&client.id, &scopes, now);
        let token = match client.tokens {
            TokenForm::Jwt => lock(&self.keys).sign(&claims),
            TokenForm::Opaque => random_name(),
        };
        let expires = UnixTime::from_secs(now.as_secs().saturating_add(lifetime));
        let entry = Entry { client: client.id.clone(), expires, claims };
        lock(&self.ledger).insert(&token, entry, now);
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "access_token": token,
            "scope": scopes.join(" "),
        }))
    }

    /// Okta's claims. There is no `uid`: no user stands behind a client's own token, and `sub` is the client.
    fn claims(&self, client: &str, scopes: &[&str], now: UnixTime) -> Map<String, Value> {
        let issued = now.as_secs();
        let claims: [(&str, Value); 9] = [
            ("ver", 1.into()),
            ("jti", format!("AT.{}", random_name()).into()),
            ("iss", self.issuer.as_str().into()),
            ("aud", (&*self.settings.audience).into()),
            ("iat", issued.into()),
            ("exp", issued.saturating_add(self.settings.lifetime.as_secs()).into()),
            ("cid", client.into()),
            ("scp", scopes.into()),
            ("sub", client.into()),
        ];
        claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What is known of a token: the answer of the introspection endpoint (RFC 7662 section 2.2).
    pub(super) fn introspect(&self, token: &str, now: UnixTime) -> Value {
        let ledger = lock(&self.ledger);
        let Some(entry) = ledger.find(token, now) else { return json!({"active": false}) };
        let mut answer = Map::new();
        answer.insert("active".into(), true.into());
        answer.insert("token_type".into(), "Bearer".into());
        answer.insert("client_id".into(), (&*entry.client).into());
        for (name, value) in &entry.claims {
            match (name.as_str(), value) {
                ("scp", Value::Array(scopes)) => {
                    let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
                    answer.insert("scope".into(), scopes.join(" ").into());
                }
                ("iss" | "sub" | "aud" | "iat" | "exp" | "jti", value) => {
                    answer.insert(name.clone(), value.clone());
                }
                // RFC 7662 tells the client as `client_id`, and knows no version.
                _ => {}
            }
        }
        answer.into()
    }

    /// Ends a token (RFC 7009 section 2.1). One that is not known, or has ended, is no error (section 2.2).
    ///
    /// # Errors
    /// `invalid_grant` for the token of another client.
    pub(super) fn revoke(&self, token: &str, client: &Client, now: UnixTime) -> Result<(), OAuthError> {
        let mut ledger = lock(&self.ledger);
        if ledger.find(token, now).is_some_and(|entry| entry.client != client.id) {
            return Err(OAuthError::InvalidGrant("this token was issued to another client"));
        }
        ledger.strike_out(token);
        Ok(())
    }
}

/// Nothing is left half-done under these locks, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
