//! Messages of real reports.
