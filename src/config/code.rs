//! The kinds of problem that a configuration can have.

/// Declares [`Code`] with each variant's stable name beside its meaning.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What kind of problem a [`Problem`](super::Problem) is. The names are stable: scripts may rely on them.
        ///
        /// ```
        /// assert_eq!(tollgate::config::Code::UnknownKey.as_str(), "unknown_key");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The name as shown in `error[…]` and in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }
        }
    };
}

codes! {
    // The file.
    /// The file, or one that it names, can't be read.
    UnreadableFile = "unreadable_file",
    /// The file is over 1 MiB, or nested too deep.
    TooLarge = "too_large",
    /// The file is empty.
    EmptyFile = "empty_file",
    /// The file isn't YAML.
    Syntax = "syntax",
    /// Anchors, aliases, merge keys, tags, directives, several documents, keys that aren't text: YAML that is refused, because it hides what is meant.
    UnsupportedYaml = "unsupported_yaml",
    /// One key stands twice in one mapping.
    DuplicateKey = "duplicate_key",

    // Variables.
    /// `${…}` is malformed.
    BadVariable = "bad_variable",
    /// The environment lacks a variable that has no default.
    UnsetVariable = "unset_variable",

    // Keys and values.
    /// No such key here.
    UnknownKey = "unknown_key",
    /// A required key is absent.
    MissingKey = "missing_key",
    /// Text where a list is wanted, and the like.
    WrongType = "wrong_type",
    /// A list or mapping without entries.
    Empty = "empty",
    /// Keys that exclude each other.
    ConflictingKeys = "conflicting_keys",
    /// Not one of the values that there are.
    UnknownValue = "unknown_value",
    /// Not a value of its kind: number, duration, size, URL, address, header name, …
    BadValue = "bad_value",
    /// Of the right kind, but too small or too large.
    OutOfRange = "out_of_range",
    /// The same thing twice in a list or table.
    Duplicate = "duplicate",

    // Meaning.
    /// A name that nothing bears.
    UnknownName = "unknown_name",
    /// Several issuers of which each could be meant.
    AmbiguousIssuer = "ambiguous_issuer",
    /// An issuer whose access tokens nobody but itself may judge: Okta's org authorization server.
    OrgIssuer = "org_issuer",
    /// Plain http where a token, a key set or a secret would travel in the clear.
    InsecureUrl = "insecure_url",
    /// Two routes that match the same requests.
    RouteTie = "route_tie",
    /// A route that neither asks for something nor says `public: true`.
    UndecidedRoute = "undecided_route",
    /// A public route that also has requirements.
    PublicRequirement = "public_requirement",
    /// Scopes that imply each other in a circle.
    ImplicationCycle = "implication_cycle",
    /// A route that lacks the prefix which its upstream cuts off: two paths that are judged apart would be one there.
    PrefixMissing = "prefix_missing",
    /// A capture that the route's path doesn't have.
    UnknownCapture = "unknown_capture",

    /// Refused without a reason: a bug in this program.
    Unexplained = "unexplained",

    // Advice.
    /// Defined, but used by nothing.
    Unused = "unused",
    /// One audience for many products.
    BroadAudience = "broad_audience",
    /// A scope that grants everything.
    GenericScope = "generic_scope",
    /// Tokens of every client are accepted.
    AnyClient = "any_client",
    /// A public route that catches all there is.
    PublicCatchAll = "public_catch_all",
    /// A route that takes paths for which another route asks for something else.
    Taken = "taken",
    /// A public route that takes paths for which another route asks for a token.
    TakenByPublic = "taken_by_public",
    /// A public route that passes on whatever a caller puts into `Authorization`.
    UnjudgedCredentials = "unjudged_credentials",
    /// Two routes that only a slash at the end tells apart, and that ask for different things.
    LastSlash = "last_slash",
    /// Two upstreams at one address that rewrite paths in different ways, or one at a listener of the gateway's own.
    SharedAddress = "shared_address",
    /// A secret written into the file itself.
    SecretInFile = "secret_in_file",
    /// Everyone is a trusted proxy.
    TrustsEveryone = "trusts_everyone",
    /// Withdrawn keys stay trusted until a new one is seen.
    NoMaxAge = "no_max_age",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_in_snake_case() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
    }
}
