//! An observer that speaks Prometheus.
