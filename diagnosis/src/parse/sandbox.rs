//! Pod sandbox and network plugin errors.
