//! What a plan says of sharing becomes a memory in Redis.

use crate::config::{SecretSource, SharedMode, SharedSettings};
use crate::gate::Observer;
use crate::shared::{RedisMemory, RedisMode, RedisSettings, RedisTls, Secret, Server, SettingsError};
use crate::time::Clock;
use std::sync::Arc;

/// The memory, which is not connected yet.
pub(super) fn memory(
    settings: &SharedSettings,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
) -> Result<Arc<RedisMemory>, SettingsError> {
    RedisMemory::new(translated(settings)?, clock, observer)
}

fn translated(settings: &SharedSettings) -> Result<RedisSettings, SettingsError> {
    let servers = settings.servers.iter().map(|server| Server::parse(&server.to_string()));
    let mode = match &settings.mode {
        SharedMode::Single => RedisMode::Single,
        SharedMode::Cluster => RedisMode::Cluster,
        SharedMode::Sentinel { master, username, password } => RedisMode::Sentinel {
            master: master.clone(),
            username: username.clone(),
            password: password.as_ref().map(secret),
        },
    };
    Ok(RedisSettings {
        servers: servers.collect::<Result<_, _>>()?,
        mode,
        username: settings.username.clone(),
        password: settings.password.as_ref().map(secret),
        tls: RedisTls { ca_file: settings.ca_file.clone(), certificate: settings.certificate.clone() },
        key: secret(&settings.secret_key),
        other_key: settings.other_secret_key.as_ref().map(secret),
        prefix: settings.prefix.clone(),
        timeout: settings.timeout,
        start_wait: settings.start_wait,
        insecure_plaintext: settings.insecure_plaintext,
    })
}

fn secret(source: &SecretSource) -> Secret {
    match source {
        SecretSource::Value(value) => Secret::Value(value.clone()),
        SecretSource::File(path) => Secret::File(path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment};

    #[test]
    fn defaults_and_values_are_the_same_on_both_sides() {
        let text = "
shared:
  servers: [redis://localhost]
  secret_key: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=
routes: [{path: /, public: true}]
";
        let plan = config::parse("gateway.yaml", text, &Environment::empty()).unwrap();
        let settings = translated(&plan.shared.unwrap()).unwrap();
        let server = Server::parse("redis://localhost").unwrap();
        assert_eq!(settings, RedisSettings::new(server, settings.key.clone()));
        assert_eq!(*settings.key.read_key().unwrap(), [7; 32]);

        let reference = include_str!("../../config/reference.yaml");
        let environment = Environment::from_iter([("INTROSPECTION_SECRET", "x")]);
        let plan = config::parse("gateway.yaml", reference, &environment).unwrap();
        let settings = translated(&plan.shared.unwrap()).unwrap();
        assert_eq!(settings.check(), Ok(()));
        assert_eq!(settings.servers.len(), 2);
        assert!(settings.tls.certificate.is_some() && settings.other_key.is_some());
    }
}
