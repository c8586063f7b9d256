//! The door for tower: a layer over any service that takes HTTP requests.
//!
//! The policy is read from the same YAML as the gateway's. Then it is a layer and three lines:
//!
#![cfg_attr(all(feature = "config", feature = "remote"), doc = "```")]
#![cfg_attr(not(all(feature = "config", feature = "remote")), doc = "```ignore")]
//! use axum::{Extension, Router, routing::get};
//! use std::sync::Arc;
//! use tollgate::config::{self, Environment};
//! use tollgate::tower::TollgateLayer;
//! use tollgate::{assemble, gate::Silent, policy::Principal, time::SystemClock};
//!
//! // Most likely a file: `config::load(Path::new("tollgate.yaml"), …)`.
//! const POLICY: &str = "
//! issuers:
//!   main:
//!     issuer: http://localhost:1/          # https in earnest
//!     audiences: [https://api.example.com/orders]
//!     clients: [orders-app]
//! routes:
//!   - path: /health
//!     public: true
//!   - path: /orders/{id}
//!     scopes: {GET: [orders:read], PUT: [orders:write]}
//! ";
//!
//! async fn order(Extension(principal): Extension<Principal>) -> String {
//!     format!("an order of {}", principal.subject().unwrap_or("nobody in particular"))
//! }
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let app = Router::new().route("/health", get(async || "well")).route("/orders/{id}", get(order));
//!
//! let plan = config::parse("tollgate.yaml", POLICY, &Environment::empty())?;
//! let gate = assemble::gate(plan, Arc::new(SystemClock::new()), Arc::new(Silent))?;
//! let app: Router = app.layer(TollgateLayer::new(gate));
//!
//! # use tower::ServiceExt;
//! # let status = async |path: &str| {
//! #     let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
//! #     app.clone().oneshot(request).await.unwrap().status()
//! # };
//! assert_eq!(status("/health").await, 200);
//! assert_eq!(status("/orders/17").await, 401);
//! assert_eq!(status("/elsewhere").await, 404); // what no route names is closed
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What becomes of a request
//!
//! 1. The gate judges its method, path and query, its authority (of the URI, or of the one `Host` field), its header fields, and
//!    the certificate that [`ClientCertificate`] tells of.
//! 2. Refused, it is answered as [`Answer`](crate::policy::Answer) says; the service behind does not see it. The
//!    [`Denial`](crate::policy::Denial) is in the response's extensions, for whoever logs or rewrites responses.
//! 3. Permitted, it loses whatever it says of the caller by itself, and its token; see [`TollgateLayer::strip_authorization`]. The
//!    [`Permit`](crate::policy::Permit) and, unless the route is public, the [`Principal`](crate::policy::Principal) are in the
//!    request's extensions.
//!
//! Of a route's [`Handling`](crate::policy::Handling), only `forward_authorization` means something here; the rest is the gateway's.
//!
//! # Where to put it
//!
//! Around the outermost router, with `layer` rather than `route_layer`: then nothing is reachable that the policy does not
//! name, and the path is judged before a nested router takes its prefix away. [`TollgateLayer::original_uri`] is for where that
//! can't be. In a stack of layers it goes inside of those that must see every request (tracing, CORS), and outside of those that
//! must see none that is refused (rate limits per caller, decompression).
//!
//! # Requirements in code
//!
//! A [`Policy`](crate::policy::Policy) can be made without YAML. A policy of one route that wants no more than a valid token,
//! with the rest said where the handlers are, goes like this:
//!
//! ```
//! use axum::{Router, routing::{get, put}};
//! use std::sync::Arc;
//! use tollgate::gate::{Gate, IssuerSources, StaticKeys};
//! use tollgate::policy::{
//!     IssuerRules, MethodScopes, Policy, Profile, Requirement, Route, RouteTable, Rules, ScopeRule, Template,
//! };
//! use tollgate::tower::{RequireScopes, TollgateLayer};
//!
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let any_token = Requirement::Token(Rules::new(MethodScopes::Every(ScopeRule::none())));
//! let mut routes = RouteTable::builder();
//! routes.add(Route::new(Template::parse("/{*all}")?, any_token))?;
//! let issuer = IssuerRules::new("https://id.example.com/", Profile::Rfc9068, &["https://api.example.com/"]);
//! let policy = Policy::new(routes.build(), [issuer]);
//!
//! let keys = Arc::new(StaticKeys::new(r#"{"keys":[]}"#)); // or `remote::JwksUri`, or a source of your own
//! let gate = Gate::builder(policy).issuer(IssuerSources::new("https://id.example.com/", keys)).build();
//!
//! let app: Router = Router::new()
//!     .route("/orders", get(async || "orders").layer(RequireScopes::all(["orders:read"])?))
//!     .route("/orders/{id}", put(async || "put").layer(RequireScopes::all(["orders:write"])?))
//!     .layer(TollgateLayer::new(gate));
//! # let _ = app;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A handler that knows more than its path tells asks by [`Permit::require`](crate::policy::Permit::require),
//! [`require_scopes`](crate::policy::Permit::require_scopes) or [`require_claims`](crate::policy::Permit::require_claims). With the
//! feature `axum`, `Principal`, `Option<Principal>`, `Permit` and `Claims<T>` are extractors, and a handler may return a
//! [`Denial`](crate::policy::Denial) as its error.
//!
//! # What it costs
//!
//! For a token that is remembered, or can be proven by keys that are in memory, the future is not boxed and the service not cloned.
//! Beyond what the gate takes (nothing, for a remembered token), permit and principal are two allocations in the
//! request's extensions, and two more for the extensions themselves if nobody has put anything there before. Only a request that
//! has to wait for keys or for an issuer's word is boxed.

mod body;
mod door;
mod future;
mod head;
mod layer;
mod missing;
mod require;
mod service;

#[cfg(feature = "axum")]
mod axum;

pub use body::{AnswerBody, FromBytes};
pub use future::{ResponseFuture, Settled};
pub use head::ClientCertificate;
pub use layer::TollgateLayer;
pub use require::{RequireScopes, ScopesRequired};
pub use service::Tollgate;

#[cfg(feature = "axum")]
pub use self::axum::{Claims, Rejection};
