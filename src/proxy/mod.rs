//! The door on pingora: a reverse proxy.
