//! YAML, as written and as meant, and every problem with it at once.
