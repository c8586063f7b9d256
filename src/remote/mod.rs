//! The seams over HTTPS: key sets, discovery, introspection.
