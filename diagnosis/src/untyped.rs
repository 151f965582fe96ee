//! Kinds that the linked API version has no stable type for: metadata typed, the rest JSON.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! untyped {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// Its metadata.
            #[serde(default)]
            pub metadata: ObjectMeta,
            /// Its specification as it stands.
            #[serde(default)]
            pub spec: Value,
            /// Its status as it stands.
            #[serde(default)]
            pub status: Value,
        }
    )*};
}

untyped! {
    /// A claim for devices (dynamic resource allocation; stable from Kubernetes 1.34).
    ResourceClaim
    /// A template of device claims.
    ResourceClaimTemplate
}
