//! Forges, build servers, deployment tools.

use crate::redact::format::{Format, has_letter_and_digit, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "github token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"gh[pousr]_[A-Za-z0-9]{20,255}",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github",
    ),
    Format::new(
        "github token",
        &["github_pat_"],
        r"github_pat_[A-Za-z0-9_]{20,}",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/managing-your-personal-access-tokens",
    ),
    Format::new(
        "gitlab token",
        &[
            "glpat-", "glrt-", "glrtr-", "gldt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-",
            "glsoat-", "glffct-", "glwt-",
        ],
        r"gl(?:pat|rtr?|dt|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[A-Za-z0-9_.-]{16,}",
        "https://docs.gitlab.com/security/tokens/",
    ),
    Format::new(
        "gitlab token",
        &["gr1348941"],
        r"GR1348941[A-Za-z0-9_-]{16,}",
        "https://docs.gitlab.com/security/tokens/",
    ),
    Format::new(
        "bitbucket token",
        &["atbb"],
        r"ATBB[A-Za-z0-9]{24,}[A-F0-9]{0,8}",
        "https://support.atlassian.com/bitbucket-cloud/docs/app-passwords/",
    ),
    Format::new(
        "bitbucket token",
        &["bbdc-"],
        r"BBDC-[A-Za-z0-9+/@_-]{40,50}",
        "https://confluence.atlassian.com/bitbucketserver/http-access-tokens-939515499.html",
    ),
    Format::new(
        "atlassian token",
        &["atatt3", "atctt3"],
        r"AT[AC]TT3[A-Za-z0-9_=-]{40,}",
        "https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/",
    ),
    Format::new(
        "sourcegraph token",
        &["sgp_"],
        r"sgp_(?:[0-9a-f]{16}_|local_)?[0-9a-f]{40}",
        "https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token",
    ),
    Format::new(
        "circleci token",
        &["ccipat_", "ccipra_"],
        r"CCIP(?:AT|RA)_[A-Za-z0-9]{20,}_[0-9a-f]{40}",
        "https://circleci.com/docs/managing-api-tokens/",
    ),
    Format::new(
        "buildkite token",
        &["bkua_", "bkct_", "bkaj_", "bkpt_"],
        r"bk(?:ua|ct|aj|pt)_[A-Za-z0-9]{32,}",
        "https://buildkite.com/docs/apis/managing-api-tokens",
    ),
    Format::new(
        "sonar token",
        &["squ_", "sqp_", "sqa_"],
        r"sq[upa]_[0-9a-f]{40}",
        "https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens/",
    ),
    Format::new(
        "harness token",
        &["pat.", "sat."],
        r"\b[ps]at\.[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}",
        "https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys/",
    ),
    Format::new(
        "octopus key",
        &["api-"],
        r"\bAPI-[A-Z0-9]{26,32}\b",
        "https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key",
    )
    .checked(has_letter_and_digit),
    Format::new(
        "launchdarkly key",
        &["sdk-", "api-"],
        r"\b(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "https://launchdarkly.com/docs/home/account/api",
    ),
    Format::new(
        "terraform token",
        &[".atlasv1."],
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{50,}",
        "https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens",
    ),
    Format::new(
        "pulumi token",
        &["pul-"],
        r"pul-[0-9a-f]{40}",
        "https://www.pulumi.com/docs/pulumi-cloud/access-management/access-tokens/",
    ),
    Format::new("infracost key", &["ico-"], r"\bico-[A-Za-z0-9]{32}\b", "https://www.infracost.io/docs/"),
    Format::new(
        "prefect key",
        &["pnu_", "pnb_"],
        r"pn[ub]_[A-Za-z0-9]{36}",
        "https://docs.prefect.io/v3/how-to-guides/cloud/manage-users/api-keys",
    ),
    Format::new(
        "vault token",
        &["hvs.", "hvb.", "hvr."],
        r"hv[sbr]\.[A-Za-z0-9_-]{20,}",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens",
    ),
    Format::new(
        "vault token",
        &[" s.", " b.", "\"s.", "'s.", "=s.", ":s.", "=b."],
        r#"(?:^|[\s"'=:])(?P<s>[sbr]\.[A-Za-z0-9]{24})\b"#,
        "https://developer.hashicorp.com/vault/docs/concepts/tokens",
    )
    .checked(is_mixed),
    Format::new(
        "1password token",
        &["ops_eyj"],
        r"ops_eyJ[A-Za-z0-9+/=_-]{40,}",
        "https://developer.1password.com/docs/service-accounts/",
    ),
    Format::new(
        "1password secret key",
        &["a3-"],
        r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        "https://support.1password.com/secret-key-security/",
    ),
    Format::new(
        "doppler token",
        &["dp.pt.", "dp.ct.", "dp.st.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"dp\.(?:pt|ct|st|sa|scim|audit)\.[A-Za-z0-9_.-]{36,}",
        "https://docs.doppler.com/reference/auth-token-formats",
    ),
    Format::new(
        "infisical token",
        &["st."],
        r"\bst\.[0-9a-f]{24}\.[0-9a-f]{32,}\.[0-9a-f]{32,}",
        "https://infisical.com/docs/documentation/platform/token",
    ),
    Format::new(
        "postman key",
        &["pmak-", "pmat-"],
        r"PMA[KT]-[A-Za-z0-9]{20,}(?:-[0-9a-f]{34})?",
        "https://learning.postman.com/docs/developer/postman-api/authentication/",
    ),
    Format::new(
        "sentry token",
        &["sntrys_"],
        r"sntrys_eyJ[A-Za-z0-9+/=_-]{30,}",
        "https://docs.sentry.io/account/auth-tokens/",
    ),
    Format::new(
        "sentry token",
        &["sntryu_", "sntrya_", "sntryi_"],
        r"sntry[uai]_[0-9a-f]{64}",
        "https://docs.sentry.io/account/auth-tokens/",
    ),
    Format::new(
        "linear key",
        &["lin_api_", "lin_oauth_"],
        r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}",
        "https://linear.app/developers/graphql",
    ),
    Format::new(
        "notion token",
        &["ntn_", "secret_"],
        r"\b(?:ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43})\b",
        "https://developers.notion.com/reference/authentication",
    ),
    Format::new(
        "figma token",
        &["figd_", "figu_", "figo_"],
        r"fig[duo]_[A-Za-z0-9_-]{38,}",
        "https://www.figma.com/developers/api#access-tokens",
    ),
    Format::new(
        "airtable token",
        &["pat"],
        r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b",
        "https://airtable.com/developers/web/guides/personal-access-tokens",
    ),
    Format::new(
        "dropbox token",
        &["sl."],
        r"\bsl\.(?:u\.)?[A-Za-z0-9_-]{100,}",
        "https://developers.dropbox.com/oauth-guide",
    ),
    Format::new(
        "readme key",
        &["rdme_"],
        r"rdme_[a-z0-9]{70}",
        "https://docs.readme.com/main/reference/authentication",
    ),
    Format::new(
        "contentful token",
        &["cfpat-"],
        r"CFPAT-[A-Za-z0-9_-]{40,}",
        "https://www.contentful.com/developers/docs/references/authentication/",
    ),
    Format::new(
        "typeform token",
        &["tfp_"],
        r"tfp_[A-Za-z0-9_.-]{40,}",
        "https://www.typeform.com/developers/get-started/personal-access-token/",
    ),
];
