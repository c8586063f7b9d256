//! The door for tower services.
