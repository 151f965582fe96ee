//! Package and image registries.

use crate::redact::format::{Format, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new("npm token", &["npm_"], r"npm_[A-Za-z0-9]{36}", "https://docs.npmjs.com/about-access-tokens"),
    Format::new("pypi token", &["pypi-ag"], r"pypi-Ag[A-Za-z0-9_-]{40,}", "https://pypi.org/help/#apitoken"),
    Format::new(
        "rubygems key",
        &["rubygems_"],
        r"rubygems_[0-9a-f]{48}",
        "https://guides.rubygems.org/api-key-scopes/",
    ),
    Format::new(
        "crates.io token",
        &["cio"],
        r"\bcio[A-Za-z0-9]{32}\b",
        "https://doc.rust-lang.org/cargo/reference/publishing.html",
    )
    .checked(is_mixed),
    Format::new(
        "nuget key",
        &["oy2"],
        r"\boy2[a-z0-9]{43}\b",
        "https://learn.microsoft.com/nuget/nuget-org/publish-a-package",
    ),
    Format::new(
        "docker hub token",
        &["dckr_pat_", "dckr_oat_"],
        r"dckr_[po]at_[A-Za-z0-9_-]{20,}",
        "https://docs.docker.com/security/access-tokens/",
    ),
    Format::new(
        "jfrog key",
        &["akcp"],
        r"\bAKCp[A-Za-z0-9]{60,72}\b",
        "https://jfrog.com/help/r/jfrog-platform-administration-documentation/api-key",
    ),
    Format::new(
        "jfrog token",
        &["cmvmdgtu"],
        r"\bcmVmdGtu[A-Za-z0-9]{50,60}\b",
        "https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens",
    ),
    Format::new(
        "clojars token",
        &["clojars_"],
        r"CLOJARS_[A-Za-z0-9]{60}",
        "https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
    ),
    Format::new(
        "packagist token",
        &["packagist_"],
        r"packagist_[ou][ru][st]_[0-9a-f]{68}",
        "https://packagist.com/docs/composer-authentication",
    ),
];
