//! Refused creations: quota, `LimitRange`, Pod Security, webhooks, policies, validation, RBAC.
