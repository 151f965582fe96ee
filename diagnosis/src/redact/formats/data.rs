//! Databases and data platforms.

use crate::redact::format::{Format, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "databricks token",
        &["dapi"],
        r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b",
        "https://docs.databricks.com/dev-tools/auth/pat.html",
    ),
    Format::new(
        "supabase key",
        &["sbp_", "sb_secret_"],
        r"(?:sbp_(?:oauth_|v0_)?[0-9a-f]{40}|sb_secret_[A-Za-z0-9_-]{20,})",
        "https://supabase.com/docs/guides/api/api-keys",
    ),
    Format::new(
        "planetscale token",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        r"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,}",
        "https://planetscale.com/docs/concepts/planetscale-api-oauth-applications",
    ),
    Format::new("neon key", &["napi_"], r"napi_[A-Za-z0-9]{40,}", "https://neon.com/docs/manage/api-keys"),
    Format::new(
        "aiven password",
        &["avns_"],
        r"AVNS_[A-Za-z0-9_-]{16,}",
        "https://aiven.io/docs/platform/howto/manage-service-user",
    ),
    Format::new(
        "confluent secret",
        &["cflt"],
        r"\bcflt[A-Za-z0-9+/]{58,62}",
        "https://docs.confluent.io/cloud/current/security/authenticate/workload-identities/service-accounts/api-keys/overview.html",
    ),
    Format::new(
        "mongodb atlas secret",
        &["mdb_sa_sk_"],
        r"mdb_sa_sk_[A-Za-z0-9_-]{30,}",
        "https://www.mongodb.com/docs/atlas/api/service-accounts/generate-oauth2-token/",
    ),
    Format::new(
        "clickhouse cloud secret",
        &["4b1d"],
        r"\b4b1d[A-Za-z0-9]{38}\b",
        "https://clickhouse.com/docs/cloud/manage/openapi",
    )
    .checked(is_mixed),
    Format::new(
        "cockroach cloud key",
        &["ccdb1_"],
        r"CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}",
        "https://www.cockroachlabs.com/docs/cockroachcloud/managing-access",
    ),
    Format::new(
        "elastic cloud key",
        &["essu_"],
        r"essu_[A-Za-z0-9+/]{50,}={0,2}",
        "https://www.elastic.co/docs/deploy-manage/api-keys/elastic-cloud-api-keys",
    ),
    Format::new(
        "pinecone key",
        &["pcsk_"],
        r"pcsk_[A-Za-z0-9]{5,7}_[A-Za-z0-9]{50,}",
        "https://docs.pinecone.io/guides/projects/manage-api-keys",
    ),
    Format::new(
        "prisma key",
        &["prisma://"],
        r"prisma://[^\s]*?api_key=(?P<s>[^\s&\x22']+)",
        "https://www.prisma.io/docs/accelerate",
    ),
];
