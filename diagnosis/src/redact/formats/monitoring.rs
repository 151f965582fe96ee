//! Monitoring, logging and paging.

use crate::redact::format::Format;

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "grafana token",
        &["glsa_"],
        r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}",
        "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
    ),
    Format::new(
        "grafana cloud token",
        &["glc_"],
        r"\bglc_[A-Za-z0-9+/]{32,}={0,2}",
        "https://grafana.com/docs/grafana-cloud/security-and-account-management/authentication-and-permissions/access-policies/",
    ),
    Format::new(
        "grafana key",
        &["eyjrijoi"],
        r"eyJrIjoi[A-Za-z0-9+/]{40,}={0,2}",
        "https://grafana.com/docs/grafana/latest/developers/http_api/auth/",
    ),
    Format::new(
        "datadog key",
        &["ddapp_"],
        r"ddapp_[A-Za-z0-9]{30,}",
        "https://docs.datadoghq.com/account_management/api-app-keys/",
    ),
    Format::new(
        "new relic key",
        &["nrak-", "nrjs-", "nrii-", "nrra-", "nrbr-"],
        r"\b(?:NRAK-[A-Z0-9]{27}|NRJS-[0-9a-f]{19}|NRII-[A-Za-z0-9_-]{32}|NRRA-[0-9a-f]{42}|NRBR-[0-9a-f]{19})",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
    ),
    Format::new(
        "new relic key",
        &["nral"],
        r"\b(?:eu[0-9]{2}xx)?[0-9a-f]{30,36}NRAL\b",
        "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
    ),
    Format::new(
        "sentry dsn",
        &["sentry", "ingest"],
        r"https?://(?P<s>[0-9a-f]{32}(?::[0-9a-f]{32})?)@[A-Za-z0-9.:-]+/[0-9]+",
        "https://docs.sentry.io/concepts/key-terms/dsn-explainer/",
    ),
    Format::new(
        "pagerduty key",
        &["u+"],
        r"\bu\+[A-Za-z0-9_+-]{18}\b",
        "https://support.pagerduty.com/main/docs/api-access-keys",
    ),
    Format::new(
        "opsgenie key",
        &["geniekey"],
        r"(?i-u:GenieKey)[\s:=]+(?P<s>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
        "https://docs.opsgenie.com/docs/api-key-management",
    ),
    Format::new(
        "honeycomb key",
        &["hcaik_", "hcbik_", "hcxik_", "hcalk_", "hcamk_"],
        r"hc[a-z][il]k_[A-Za-z0-9]{26,}",
        "https://docs.honeycomb.io/configure/environments/manage-api-keys/",
    ),
    Format::new(
        "dynatrace token",
        &["dt0"],
        r"\bdt0[a-z][0-9]{2}\.[A-Z0-9]{24}(?:\.[A-Z0-9]{64})?",
        "https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients/access-tokens",
    ),
    Format::new(
        "splunk token",
        &["splunk "],
        r"\b(?i-u:Splunk) (?P<s>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})",
        "https://docs.splunk.com/Documentation/Splunk/latest/Data/UsetheHTTPEventCollector",
    ),
    Format::new("posthog key", &["phx_", "phs_"], r"\bph[xs]_[A-Za-z0-9]{40,}", "https://posthog.com/docs/api"),
    Format::new(
        "axiom token",
        &["xaat-", "xapt-"],
        r"xa[ap]t-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "https://axiom.co/docs/reference/tokens",
    ),
    Format::new(
        "checkly key",
        &["cu_"],
        r"\bcu_[0-9a-f]{32}\b",
        "https://www.checklyhq.com/docs/accounts-and-users/creating-api-key/",
    ),
];
