//! Hosting, networks and delivery networks.

use crate::redact::format::Format;

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "digitalocean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"do[por]_v1_[0-9a-f]{64}",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/",
    ),
    Format::new(
        "heroku key",
        &["hrku-"],
        r"HRKU-[A-Za-z0-9_-]{36,}",
        "https://devcenter.heroku.com/articles/authentication",
    ),
    Format::new(
        "cloudflare token",
        &["cfut_", "cfat_", "cfk_"],
        r"cf(?:ut|at|k)_[A-Za-z0-9_-]{37,}",
        "https://developers.cloudflare.com/fundamentals/api/get-started/create-token/",
    ),
    Format::new(
        "cloudflare origin key",
        &["v1.0-"],
        r"\bv1\.0-[0-9a-f]{24}-[0-9a-f]{100,}",
        "https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys/",
    ),
    Format::new(
        "cloudflare tunnel token",
        &["eyjhijoi"],
        r"eyJhIjoi[A-Za-z0-9+/_-]{60,}={0,2}",
        "https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/",
    ),
    Format::new(
        "fly.io token",
        &["fm1a_", "fm1r_", "fm2_", "fo1_"],
        r"(?:fm1[ar]|fm2|fo1)_[A-Za-z0-9+/=_-]{36,}",
        "https://fly.io/docs/security/tokens/",
    ),
    Format::new(
        "netlify token",
        &["nfp_", "nfc_", "nfo_", "nfu_", "nfb_"],
        r"\bnf[pcoub]_[A-Za-z0-9]{36,}",
        "https://docs.netlify.com/api/get-started/",
    ),
    Format::new(
        "vercel token",
        &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        r"\bvc[piark]_[A-Za-z0-9]{24,}",
        "https://vercel.com/docs/rest-api",
    ),
    Format::new(
        "vercel token",
        &["vercel_blob_rw_"],
        r"vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30,}",
        "https://vercel.com/docs/vercel-blob",
    ),
    Format::new("render key", &["rnd_"], r"\brnd_[A-Za-z0-9]{28,}", "https://render.com/docs/api"),
    Format::new(
        "tailscale key",
        &["tskey-"],
        r"tskey-(?:[a-z]+-)?[A-Za-z0-9]+-[A-Za-z0-9]{20,}",
        "https://tailscale.com/kb/1277/key-prefixes",
    ),
    Format::new(
        "hashicorp cloud secret",
        &["hcp."],
        r"\bhcp\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_.-]{40,}",
        "https://developer.hashicorp.com/hcp/docs/hcp/iam/service-principal/key",
    ),
];
