//! Private keys outside their armour, tokens that are signed, hashes of passwords. Armoured keys are in `blocks`.

use crate::redact::format::{Format, is_any, is_bootstrap, is_jwt, is_user_and_password};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "json web token",
        &["eyj"],
        r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)(?:\.[A-Za-z0-9_-]*){0,3}",
        "https://datatracker.ietf.org/doc/html/rfc7519",
    )
    .checked(is_jwt),
    Format::new(
        "private key",
        &["mii", "mhc", "mig", "mc4", "b3blbnnzac1rzxk"],
        r"\b(?:MII[A-Za-z0-9+/]{3}(?:IBA|B[A-Za-z0-9+/]BgkqhkiG9w0BBQ)|MHcCAQEEI|MIG[A-Za-z0-9+/]AgEA|MC4CAQAwBQYDK2V|b3BlbnNzaC1rZXktdjE)[A-Za-z0-9+/=]{20,}",
        "https://datatracker.ietf.org/doc/html/rfc5958",
    ),
    Format::new(
        "private key",
        &["ls0tls1crudjti"],
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{0,24}(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/=]{8,}",
        "https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/",
    ),
    Format::new(
        "private key",
        &["\"kty"],
        r#""kty\\*"[^\n]*?"(?:d|k|p|q|dp|dq|qi)\\*"\s*:\s*\\*"(?P<s>[A-Za-z0-9_-]{20,})\\*""#,
        "https://datatracker.ietf.org/doc/html/rfc7517",
    ),
    Format::new(
        "private key",
        &["age-secret-key-"],
        r"(?i-u:AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,})",
        "https://age-encryption.org/v1",
    ),
    Format::new(
        "registry credentials",
        &["\"auth", "auth\\\""],
        r#""auth\\*"\s*:\s*\\*"(?P<s>[A-Za-z0-9+/_-]{8,}={0,2})\\*""#,
        "https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
    )
    .checked(is_user_and_password),
    Format::new(
        "registry credentials",
        &["eyjhdxrocyi6"],
        r"eyJhdXRocyI6[A-Za-z0-9+/]{16,}={0,2}",
        "https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets",
    ),
    Format::new(
        "bootstrap token",
        &["token", "bootstrap", "kubeadm"],
        r"(?i-u:tokens?|bootstrap|kubeadm)\b[^\n]{0,40}?[\s\x22'=:](?P<s>[a-z0-9]{6}\.[a-z0-9]{16})\b",
        "https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/",
    )
    .checked(is_bootstrap),
    Format::new(
        "kubeadm certificate key",
        &["certificate-key"],
        r"(?i-u:certificate-key)[ =:]{1,3}(?P<s>[0-9a-f]{64})\b",
        "https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-init/",
    ),
    Format::new("k3s token", &["k10"], r"\bK10[0-9a-f]{40,}::?[^\s\x22',;]+", "https://docs.k3s.io/cli/token"),
    Format::new(
        "rancher token",
        &["token-"],
        r"\btoken-[a-z0-9]{5}:[a-z0-9]{54}\b",
        "https://ranchermanager.docs.rancher.com/reference-guides/user-settings/api-keys",
    ),
    Format::new(
        "swarm token",
        &["swmtkn-"],
        r"SWMTKN-1-[0-9a-z]{40,50}-[0-9a-z]{20,25}",
        "https://docs.docker.com/engine/swarm/join-nodes/",
    ),
    Format::new(
        "password hash",
        &["$2a$", "$2b$", "$2x$", "$2y$"],
        r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}",
        "https://www.usenix.org/legacy/publications/library/proceedings/usenix99/provos.html",
    ),
    Format::new(
        "password hash",
        &["$argon2"],
        r"\$argon2(?:id|i|d)\$(?:v=[0-9]+\$)?[a-z0-9=,]+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+",
        "https://github.com/P-H-C/phc-winner-argon2",
    ),
    Format::new(
        "password hash",
        &["$1$", "$5$", "$6$", "$y$", "$apr1$", "$7$"],
        r"\$(?:apr1|1|5|6|7|y)\$[./=,A-Za-z0-9$]{12,}",
        "https://man7.org/linux/man-pages/man5/crypt.5.html",
    ),
    Format::new(
        "password hash",
        &["{sha}", "{ssha", "{sha256}", "{sha512}", "{pbkdf2", "pbkdf2_sha", "pbkdf2:sha", "scrypt:", "scram-sha-"],
        r"(?:\{S?SHA(?:256|512)?\}|\{PBKDF2[-A-Z0-9]*\}|pbkdf2_sha[0-9]+\$|pbkdf2:sha[0-9]+:|scrypt:[0-9]+:|SCRAM-SHA-(?:1|256|512)\$)[A-Za-z0-9+/=$:.]{20,}",
        "https://www.openldap.org/doc/admin26/security.html",
    ),
    Format::new(
        "one-time password seed",
        &["otpauth://"],
        r"otpauth://[^\s?]*\?[^\s]*?secret=(?P<s>[A-Za-z2-7=]+)",
        "https://github.com/google/google-authenticator/wiki/Key-Uri-Format",
    )
    .checked(is_any),
];
