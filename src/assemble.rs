//! A plan becomes a live gate: what the configuration means, joined with what can fetch and ask.

#[cfg(feature = "redis")]
mod sharing;

use crate::config::{
    ClientCredentials, IntrospectionEndpoint as AskedEndpoint, IssuerSettings, KeyLocation, Plan,
    SecretSource,
};
use crate::gate::{Gate, GateBuilder, Introspect, IntrospectionSettings, IssuerSources, KeySource, Observer};
use crate::policy::{Policy, Profile};
use crate::remote::{
    AssertionAudience, AssertionKey, CertificateFiles, Client, ClientAuth, ClientSettings, Discovery,
    IntrospectionEndpoint, JwksFile, JwksUri, Location, Secret, SetupError,
};
use crate::time::Clock;
use crate::token::Fingerprint;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A gate as the plan means it. Keys are fetched in the background from now on; that needs a tokio runtime.
///
/// ```
/// use std::sync::Arc;
/// use tollgate::config::{self, Environment};
/// use tollgate::gate::Silent;
/// use tollgate::time::SystemClock;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let text = "
/// issuers:
///   main: {issuer: http://localhost:1/, audiences: [https://api.example.com/], clients: any}
/// routes:
///   - {path: /orders, scopes: [orders:read]}
/// ";
/// let plan = config::parse("gateway.yaml", text, &Environment::empty())?;
/// let gate = tollgate::assemble::gate(plan, Arc::new(SystemClock::new()), Arc::new(Silent))?;
/// assert_eq!(gate.waiting_for().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// All that keeps an issuer's sources from being set up; and that the plan shares what it knows with other gateways: then [`start`] is
/// called for.
pub fn gate(plan: Plan, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Result<Gate, AssembleError> {
    match plan.shared {
        Some(_) => {
            Err(AssembleError::shared("a gate that shares what it knows is made by `assemble::start`"))
        }
        None => Ok(builder(plan, clock, observer)?.build()),
    }
}

/// A gate as the plan means it, which shares what it knows with other gateways if the plan says so.
///
/// It returns when what they have revoked has been read, or when `shared.start_wait` is over: then it is read as soon as it can be.
///
/// # Errors
/// All that keeps an issuer's sources, or the shared memory, from being set up. That Redis can't be reached is no error.
pub async fn start(
    plan: Plan,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Arc<Gate>, AssembleError> {
    let shared = plan.shared.clone();
    let builder = builder(plan, clock.clone(), observer.clone())?;
    match shared {
        None => Ok(Arc::new(builder.build())),
        #[cfg(not(feature = "redis"))]
        Some(_) => Err(AssembleError::shared(
            "this build lacks the feature `redis`: remove `shared`, or build with it",
        )),
        #[cfg(feature = "redis")]
        Some(settings) => {
            let memory = sharing::memory(&settings, clock, observer).map_err(AssembleError::shared)?;
            let gate = Arc::new(builder.shared(memory.clone()).build());
            memory.serve(&gate).await;
            Ok(gate)
        }
    }
}

fn builder(
    plan: Plan,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<GateBuilder, AssembleError> {
    let sources = sources(&plan, &clock)?;
    let builder = Gate::builder(plan.policy)
        .cache_bytes(plan.cache.size)
        .verify_in_turns(plan.gateway.threads.unwrap_or_else(threads))
        .max_lifetime(plan.cache.max_lifetime)
        .revocations(plan.cache.max_revocations, plan.cache.keep_revocations)
        .clock(clock)
        .observer(observer);
    Ok(sources.into_iter().fold(builder, GateBuilder::issuer))
}

/// One for each core.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Puts the policy and the issuers of a plan in force, from the next request on. The size and the bounds of what is remembered stay as
/// they were, and so does what is shared. An issuer whose settings are unchanged keeps its keys and its open questions; one whose keys come from the same place
/// keeps its keys.
///
/// # Errors
/// As for [`gate`]. Nothing has changed then.
pub fn reload(gate: &Gate, plan: Plan, clock: &Arc<dyn Clock>) -> Result<(), AssembleError> {
    let sources = sources(&plan, clock)?;
    gate.replace(plan.policy, sources);
    Ok(())
}

/// The sources of the plan's issuers, in the order of the file.
///
/// # Errors
/// All that keeps them from being set up.
pub fn sources(plan: &Plan, clock: &Arc<dyn Clock>) -> Result<Vec<IssuerSources>, AssembleError> {
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for settings in &plan.issuers {
        match Issuer::new(settings, &plan.policy, clock).sources() {
            Ok(ready) => sources.push(ready),
            Err(error) => problems.push((settings.name.clone(), error)),
        }
    }
    if problems.is_empty() { Ok(sources) } else { Err(AssembleError { problems, shared: None }) }
}

/// What keeps issuers, or the memory that gateways share, from being set up: for the operator, before anything is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembleError {
    problems: Vec<(Box<str>, SetupError)>,
    shared: Option<Box<str>>,
}

impl AssembleError {
    fn shared(error: impl fmt::Display) -> Self {
        Self { problems: Vec::new(), shared: Some(error.to_string().into()) }
    }

    /// The issuers' names in the configuration, and what is wrong with each.
    pub fn problems(&self) -> impl Iterator<Item = (&str, &SetupError)> {
        self.problems.iter().map(|(issuer, error)| (&**issuer, error))
    }
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (issuer, error)) in self.problems().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}issuer `{issuer}`: {error}")?;
        }
        self.shared.iter().try_for_each(|error| write!(f, "shared: {error}"))
    }
}

impl std::error::Error for AssembleError {}

/// One issuer, on its way from settings to sources.
struct Issuer<'a> {
    settings: &'a IssuerSettings,
    profile: Profile,
    clock: &'a Arc<dyn Clock>,
}

impl<'a> Issuer<'a> {
    fn new(settings: &'a IssuerSettings, policy: &Policy, clock: &'a Arc<dyn Clock>) -> Self {
        let profile = policy.issuer(settings.issuer.as_str()).map(|rules| rules.profile).unwrap_or_default();
        Self { settings, profile, clock }
    }

    fn sources(&self) -> Result<IssuerSources, SetupError> {
        let settings = self.settings;
        let (keys, discovery) = self.keys()?;
        let introspection = match &settings.introspection {
            Some(asked) => {
                let endpoint: Arc<dyn Introspect> = Arc::new(self.introspection(asked, discovery)?);
                Some((endpoint, asked.settings.clone()))
            }
            None => None,
        };
        let (keys_tag, answers_tag) = (self.keys_tag(), self.answers_tag(introspection.as_ref()));
        Ok(IssuerSources {
            name: settings.issuer.clone(),
            tag: self.tag(&keys_tag).into(),
            keys_tag: keys_tag.into(),
            answers_tag: answers_tag.into(),
            keys,
            key_policy: settings.keys.policy,
            wait: settings.keys.wait,
            introspection,
        })
    }

    fn keys(&self) -> Result<Keys, SetupError> {
        let issuer = self.settings.issuer.as_str();
        let client = || self.client(self.settings.keys.timeout, None);
        let discovery = match &self.settings.keys.location {
            KeyLocation::Discover => Discovery::of_issuer(client()?, issuer)?,
            KeyLocation::Metadata(url) => Discovery::at(client()?, issuer, url)?,
            KeyLocation::JwksUri(url) => return Ok((Some(Arc::new(JwksUri::new(client()?, url)?)), None)),
            KeyLocation::File(path) => return Ok((Some(Arc::new(JwksFile::open(path)?)), None)),
            KeyLocation::None => return Ok((None, None)),
        };
        let discovery = Arc::new(discovery);
        Ok((Some(discovery.clone()), Some(discovery)))
    }

    fn introspection(
        &self,
        asked: &AskedEndpoint,
        discovery: Option<Arc<Discovery>>,
    ) -> Result<IntrospectionEndpoint, SetupError> {
        let location = match (&asked.url, discovery) {
            (Some(url), _) => Location::Url(url.clone()),
            (None, Some(discovery)) => Location::Discovered(discovery),
            (None, None) => {
                return Err(SetupError::Value(
                    "`introspection` has no `endpoint`, and there is no discovery",
                ));
            }
        };
        let certificate = match &asked.credentials {
            ClientCredentials::TlsClientAuth { certificate_file, key_file, .. } => Some(CertificateFiles {
                certificate_file: certificate_file.clone(),
                key_file: key_file.clone(),
            }),
            _ => None,
        };
        let auth = self.auth(&asked.credentials)?;
        if asked.settings.signed && auth.client_id().is_empty() {
            return Err(SetupError::Value(
                "signed answers are meant for a client id, and `auth: bearer` has none; authenticate in another way",
            ));
        }
        let client = self.client(asked.settings.timeout, certificate)?;
        let endpoint = IntrospectionEndpoint::new(client, self.settings.issuer.as_str(), location, auth)?;
        Ok(endpoint.token_type_hint(asked.token_type_hint.as_deref()).signed(asked.settings.signed))
    }

    fn auth(&self, credentials: &ClientCredentials) -> Result<ClientAuth, SetupError> {
        Ok(match credentials.clone() {
            ClientCredentials::Basic { client_id, secret } => {
                ClientAuth::Basic { client_id, secret: self.secret(&secret)? }
            }
            ClientCredentials::Post { client_id, secret } => {
                ClientAuth::Post { client_id, secret: self.secret(&secret)? }
            }
            ClientCredentials::PrivateKeyJwt { client_id, key_file, algorithm, key_id } => {
                let key =
                    AssertionKey::from_file(&key_file, algorithm, key_id.as_deref(), self.clock.clone())?;
                // Okta takes assertions for the very endpoint alone; all others that we know take those for the issuer.
                let audience = match self.profile {
                    Profile::Okta => AssertionAudience::Endpoint,
                    _ => AssertionAudience::Issuer,
                };
                ClientAuth::PrivateKeyJwt { client_id, key, audience }
            }
            ClientCredentials::TlsClientAuth { client_id, .. } => ClientAuth::TlsClientAuth { client_id },
            ClientCredentials::Bearer { token } => ClientAuth::Bearer { token: self.secret(&token)? },
        })
    }

    fn secret(&self, source: &SecretSource) -> Result<Secret, SetupError> {
        match source {
            SecretSource::Value(secret) => Secret::new(secret),
            SecretSource::File(path) => Secret::from_file(path, self.clock.clone()),
        }
    }

    fn client(&self, timeout: Duration, certificate: Option<CertificateFiles>) -> Result<Client, SetupError> {
        let settings = ClientSettings {
            timeout,
            insecure_http: self.settings.insecure_http,
            allow_private_addresses: self.settings.allow_private_addresses,
            ca_file: self.settings.ca_file.clone(),
            certificate,
        };
        Client::new(&settings, self.clock.clone())
    }

    /// What tells the place of the keys: all that decides from whom they are taken. The contents of a file are a place of their own,
    /// so that a key that is gone from it is gone after a reload.
    fn keys_tag(&self) -> String {
        let settings = self.settings;
        let file = match &settings.keys.location {
            KeyLocation::File(path) => contents(path),
            _ => String::new(),
        };
        let roots = settings.ca_file.as_deref().map(contents);
        let reach = (settings.insecure_http, settings.allow_private_addresses);
        digest(&format!("{:?}", (&settings.keys.location, file, &settings.ca_file, roots, reach)))
    }

    /// What tells whose answers are believed: without a URL of its own, the endpoint is found where the keys are.
    fn answers_tag(&self, asked: Option<&(Arc<dyn Introspect>, IntrospectionSettings)>) -> String {
        let settings = self.settings;
        let url = settings.introspection.as_ref().map(|asked| &asked.url);
        let asked = asked.map(|(endpoint, settings)| (endpoint.client_id(), settings.signed));
        digest(&format!("{:?}", (url, asked, &settings.keys.location)))
    }

    /// What tells the whole of the settings. `Debug` covers them all, but for secrets, which it keeps to itself.
    fn tag(&self, keys_tag: &str) -> String {
        let secret = self.settings.introspection.as_ref().and_then(|asked| match &asked.credentials {
            ClientCredentials::Basic { secret: SecretSource::Value(secret), .. }
            | ClientCredentials::Post { secret: SecretSource::Value(secret), .. }
            | ClientCredentials::Bearer { token: SecretSource::Value(secret) } => Some(digest(secret)),
            _ => None,
        });
        digest(&format!("{:?}", (keys_tag, self.settings, self.profile, secret)))
    }
}

/// What tells one version of a file from another. One that can't be read is told where it is used.
fn contents(path: &Path) -> String {
    std::fs::read(path).map(|bytes| digest(&String::from_utf8_lossy(&bytes))).unwrap_or_default()
}

fn digest(text: &str) -> String {
    Fingerprint::of(text).as_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Where the keys come from, if there are any; and, if that is so, the metadata that names it.
type Keys = (Option<Arc<dyn KeySource>>, Option<Arc<Discovery>>);

#[cfg(test)]
mod tests;
