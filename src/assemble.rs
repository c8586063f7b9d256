//! A plan becomes a live gate: what the configuration says of issuers is joined with what reaches them.

use crate::config::{
    ClientCredentials, IntrospectionEndpoint as EndpointSettings, IssuerSettings, KeyLocation, Plan,
    SecretSource,
};
use crate::gate::{Gate, Introspect, IntrospectionSettings, IssuerSources, KeySource, Observer};
use crate::remote::{
    AssertionAudience, AssertionKey, CertificateFiles, Client, ClientAuth, ClientSettings, Discovery,
    IntrospectionEndpoint, JwksFile, JwksUri, Location, Secret, SetupError,
};
use crate::time::Clock;
use std::sync::Arc;

/// Makes a gate of a plan. Keys are fetched from now on, in the background: that needs a tokio runtime.
///
/// ```
/// use std::sync::Arc;
/// use tollgate::{assemble, config, gate::Silent, time::SystemClock};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let text = "
/// issuers:
///   main:
///     issuer: http://127.0.0.1:9/
///     audiences: [https://api.example.com/orders]
///     clients: [orders-app]
/// routes:
///   - {path: '/orders/{id}', scopes: {GET: [orders:read]}}
/// ";
/// let plan = config::parse("tollgate.yaml", text, &config::Environment::empty())?;
/// let gate = assemble::gate(&plan, Arc::new(SystemClock::new()), Arc::new(Silent))?;
/// assert_eq!(gate.waiting_for().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// An [`AssembleError`] if a file that the plan names can't be used, or a URL may not be asked.
pub fn gate(plan: &Plan, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Result<Gate, AssembleError> {
    let builder = Gate::builder(plan.policy.clone())
        .cache_bytes(plan.cache.size)
        .max_lifetime(plan.cache.max_lifetime)
        .revocations(plan.cache.max_revocations, plan.cache.keep_revocations)
        .clock(clock.clone())
        .observer(observer);
    let sources = sources(plan, &clock)?;
    Ok(sources.into_iter().fold(builder, |builder, sources| builder.issuer(sources)).build())
}

/// Puts a plan in force at a gate that lives already. What the plan says of memory counts from the next start on.
///
/// # Errors
/// An [`AssembleError`]; then the gate goes on as before.
pub fn reload(gate: &Gate, plan: &Plan, clock: &Arc<dyn Clock>) -> Result<(), AssembleError> {
    gate.replace(plan.policy.clone(), sources(plan, clock)?);
    Ok(())
}

/// Why a plan can't become a gate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("issuers.{issuer}: {reason}")]
pub struct AssembleError {
    /// The issuer's name in the configuration.
    pub issuer: Box<str>,
    /// What is the matter.
    pub reason: SetupError,
}

fn sources(plan: &Plan, clock: &Arc<dyn Clock>) -> Result<Vec<IssuerSources>, AssembleError> {
    let assembled = |issuer: &IssuerSettings| {
        issuer_sources(issuer, clock).map_err(|reason| AssembleError { issuer: issuer.name.clone(), reason })
    };
    plan.issuers.iter().map(assembled).collect()
}

fn issuer_sources(issuer: &IssuerSettings, clock: &Arc<dyn Clock>) -> Result<IssuerSources, SetupError> {
    let client = client(issuer, clock)?;
    let name = issuer.issuer.as_str();
    let discovery = match &issuer.keys.location {
        KeyLocation::Metadata(url) => Some(Arc::new(Discovery::at(client.clone(), name, url)?)),
        KeyLocation::Discover => Some(Arc::new(Discovery::of_issuer(client.clone(), name)?)),
        _ => None,
    };
    let keys: Option<Arc<dyn KeySource>> = match (&issuer.keys.location, &discovery) {
        (KeyLocation::JwksUri(url), _) => Some(Arc::new(JwksUri::new(client.clone(), url)?)),
        (KeyLocation::File(path), _) => Some(Arc::new(JwksFile::new(path))),
        (_, Some(discovery)) => Some(discovery.clone()),
        (_, None) => None,
    };
    let introspection = match &issuer.introspection {
        Some(settings) => Some(introspection(issuer, settings, client, discovery, clock)?),
        None => None,
    };
    Ok(IssuerSources {
        name: issuer.issuer.clone(),
        tag: tag(issuer),
        keys,
        key_policy: issuer.keys.policy,
        wait: issuer.keys.wait,
        introspection,
    })
}

fn client(issuer: &IssuerSettings, clock: &Arc<dyn Clock>) -> Result<Client, SetupError> {
    let certificate = match issuer.introspection.as_ref().map(|settings| &settings.credentials) {
        Some(ClientCredentials::TlsClientAuth { certificate_file, key_file, .. }) => {
            Some(CertificateFiles { certificate_file: certificate_file.clone(), key_file: key_file.clone() })
        }
        _ => None,
    };
    let settings = ClientSettings {
        timeout: issuer.keys.timeout,
        insecure_http: issuer.insecure_http,
        allow_private_addresses: issuer.allow_private_addresses,
        ca_file: issuer.ca_file.clone(),
        certificate,
    };
    Client::new(&settings, clock.clone())
}

fn introspection(
    issuer: &IssuerSettings,
    settings: &EndpointSettings,
    client: Client,
    discovery: Option<Arc<Discovery>>,
    clock: &Arc<dyn Clock>,
) -> Result<(Arc<dyn Introspect>, IntrospectionSettings), SetupError> {
    let name = issuer.issuer.as_str();
    let location = match (&settings.url, discovery) {
        (Some(url), _) => Location::Url(url.clone()),
        (None, Some(discovery)) => Location::Discovered(discovery),
        // The keys are found otherwise, but the metadata may tell the endpoint all the same.
        (None, None) => Location::Discovered(Arc::new(Discovery::of_issuer(client.clone(), name)?)),
    };
    let auth = client_auth(&settings.credentials, clock)?;
    let endpoint = IntrospectionEndpoint::new(client, name, location, auth)?
        .token_type_hint(settings.token_type_hint.as_deref())
        .signed(settings.settings.signed);
    Ok((Arc::new(endpoint), settings.settings.clone()))
}

fn client_auth(credentials: &ClientCredentials, clock: &Arc<dyn Clock>) -> Result<ClientAuth, SetupError> {
    let secret = |source: &SecretSource| match source {
        SecretSource::Value(secret) => Secret::new(secret),
        SecretSource::File(path) => Secret::from_file(path, clock.clone()),
    };
    Ok(match credentials {
        ClientCredentials::Basic { client_id, secret: source } => {
            ClientAuth::Basic { client_id: client_id.clone(), secret: secret(source)? }
        }
        ClientCredentials::Post { client_id, secret: source } => {
            ClientAuth::Post { client_id: client_id.clone(), secret: secret(source)? }
        }
        ClientCredentials::PrivateKeyJwt { client_id, key_file, algorithm, key_id } => {
            ClientAuth::PrivateKeyJwt {
                client_id: client_id.clone(),
                key: AssertionKey::from_file(key_file, *algorithm, key_id.as_deref(), clock.clone())?,
                audience: AssertionAudience::default(),
            }
        }
        ClientCredentials::TlsClientAuth { client_id, .. } => {
            ClientAuth::TlsClientAuth { client_id: client_id.clone() }
        }
        ClientCredentials::Bearer { token } => ClientAuth::Bearer { token: secret(token)? },
    })
}

/// What tells these sources from others of the same issuer. Secrets that stand in the configuration are not shown by it, but a
/// change of one tells the sources apart: it is hashed.
fn tag(issuer: &IssuerSettings) -> Box<str> {
    let secret = match issuer.introspection.as_ref().map(|settings| &settings.credentials) {
        Some(
            ClientCredentials::Basic { secret: SecretSource::Value(secret), .. }
            | ClientCredentials::Post { secret: SecretSource::Value(secret), .. }
            | ClientCredentials::Bearer { token: SecretSource::Value(secret) },
        ) => crate::token::Fingerprint::of(secret).to_string(),
        _ => String::new(),
    };
    format!("{issuer:?} {secret}").into()
}
