//! A secret of every form, made up here so that no scanner of a forge takes this file for a leak, and its near misses.

/// A secret in the words around it that its form needs.
pub(crate) struct Example {
    /// The kind that the mark names.
    pub(crate) kind: &'static str,
    /// What has to go.
    pub(crate) secret: String,
    /// What it stands in, where it is not told without.
    pub(crate) text: String,
}

const LOWER: &str = "k3v9q1z7m4x8c2b6n5t0w1r9y3p7";
const MIXED: &str = "aB3dE9fG1hJ7kL5mN2pQ8rS4tU6vW0xYz";
const UPPER: &str = "K3V9Q1Z7M4X8C2B6N5T0W1R9Y3P7";
const HEX: &str = "9f3a1c7e5b2d8f604a9c3e1b7d5f2086";
const DIGITS: &str = "104729837465012938475610";

/// The first characters of an endless row over some letters.
fn row(of: &str, length: usize) -> String {
    of.chars().cycle().take(length).collect()
}

pub(crate) fn lower(length: usize) -> String {
    row(LOWER, length)
}

pub(crate) fn mixed(length: usize) -> String {
    row(MIXED, length)
}

pub(crate) fn upper(length: usize) -> String {
    row(UPPER, length)
}

pub(crate) fn hex(length: usize) -> String {
    row(HEX, length)
}

pub(crate) fn digits(length: usize) -> String {
    row(DIGITS, length)
}

pub(crate) fn uuid() -> String {
    [hex(8), hex(4), hex(4), hex(4), hex(12)].join("-")
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let six = (word >> (18 - 6 * index)) & 63;
            out.push(if index <= chunk.len() { char::from(LETTERS[six as usize]) } else { '=' });
        }
    }
    out
}

pub(crate) fn jwt(header: &str) -> String {
    let part = |text: &str| base64(text.as_bytes()).replace('=', "").replace('+', "-").replace('/', "_");
    format!("{}.{}.{}", part(header), part(r#"{"sub":"system:serviceaccount:shop:cart","exp":1763733600}"#), mixed(43))
}

/// A secret that is told by its own form.
fn bare(kind: &'static str, parts: &[&str]) -> Example {
    let secret = parts.concat();
    Example { kind, text: secret.clone(), secret }
}

/// A secret that is told by the words around it.
fn within(kind: &'static str, before: &str, secret: &str, after: &str) -> Example {
    Example { kind, text: [before, secret, after].concat(), secret: secret.to_owned() }
}

/// One secret of every form.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn all() -> Vec<Example> {
    let mut all = vec![
        // Keys.
        bare("json web token", &[&jwt(r#"{"alg":"RS256","kid":"a1"}"#)]),
        bare("json web token", &[&jwt(r#"{"typ":"JWT","alg":"HS256"}"#)]),
        bare("private key", &["MII", "EvQIBADANBgkqhkiG9w0BAQEFAASC", &mixed(24)]),
        bare("private key", &["MHc", "CAQEEI", &mixed(40)]),
        bare("private key", &["b3BlbnNzaC1rZXktdjE", &mixed(45)]),
        bare("private key", &[&base64(b"-----BEGIN RSA PRIVATE KEY-----\nabcdefghijklmnopqrstuvwxyz")]),
        bare("private key", &[&base64(b"-----BEGIN EC PRIVATE KEY-----\nabcdefghijklmnopqrstuvwxyz1")]),
        bare("private key", &[&base64(b"-----BEGIN PRIVATE KEY-----\nabcdefghijklmnopqrstuvwxyz12")]),
        within("private key", r#"{"kty":"RSA","n":"sXch","e":"AQAB","d":""#, &mixed(64), r#""}"#),
        bare("private key", &["AGE-SECRET", "-KEY-1", &upper(58)]),
        within(
            "registry credentials",
            r#"{"auths":{"r.example":{"auth":""#,
            &base64(b"robot:hunter2hunter2"),
            r#""}}}"#,
        ),
        within("registry credentials", r#"{\"auth\": \""#, &base64(b"robot:hunter2hunter3"), r#"\"}"#),
        bare("registry credentials", &["eyJhdXRocyI6", &mixed(40)]),
        within("bootstrap token", "kubeadm join 10.0.0.1:6443 --token ", &[lower(6), lower(16)].join("."), " --v=5"),
        within("kubeadm certificate key", "--certificate-key ", &hex(64), " now"),
        bare("k3s token", &["K10", &hex(64), "::server:", &hex(32)]),
        bare("rancher token", &["token-", "x7f2k:", &lower(54)]),
        bare("swarm token", &["SWMTKN", "-1-", &lower(50), "-", &lower(25)]),
        bare("password hash", &["$2b$", "12$", &mixed(53)]),
        bare("password hash", &["$argon2", "id$v=19$m=65536,t=3,p=4$", &mixed(22), "$", &mixed(43)]),
        bare("password hash", &["$6$", &mixed(8), "$", &mixed(86)]),
        bare("password hash", &["$apr1$", &mixed(8), "$", &mixed(22)]),
        bare("password hash", &["{SSHA}", &mixed(32)]),
        bare("password hash", &["pbkdf2_sha", "256$600000$", &mixed(22), "$", &mixed(43)]),
        bare("password hash", &["SCRAM-SHA", "-256$4096:", &mixed(24), "$", &mixed(44), ":", &mixed(44)]),
        within("one-time password seed", "otpauth://totp/shop:app?secret=", "JBSWY3DPEHPK3PXP", "&issuer=shop"),
        // Clouds.
        bare("aws access key id", &["AKIA", &upper(16)]),
        bare("aws access key id", &["ASIA", &upper(16)]),
        within("aws secret access key", &["AKIA", &upper(16), ":"].concat(), &mixed(40), " ok"),
        bare("aws session token", &["IQoJb3JpZ2lu", &mixed(200)]),
        bare("aws session token", &["FwoGZXIvYXdz", &mixed(200)]),
        bare("aws bedrock key", &["ABSKQmVkcm9ja0FQ", "SUtleS", &mixed(90)]),
        within("aws signature", "https://b.s3.amazonaws.com/o?X-Amz-Expires=60&X-Amz-Signature=", &hex(64), "&x=1"),
        bare("aws mws token", &["amzn.mws.", &uuid()]),
        bare("google api key", &["AIza", &mixed(35)]),
        bare("google oauth client secret", &["GOCSPX-", &mixed(28)]),
        bare("google access token", &["ya29.", "a0", &mixed(120)]),
        bare("google refresh token", &["1//0", &mixed(60)]),
        bare("google authorization code", &["4/0A", &mixed(60)]),
        bare("google storage key", &["GOOG1E", &upper(55)]),
        within("google signature", "https://storage.googleapis.com/b/o?X-Goog-Signature=", &hex(128), "&x=1"),
        within(
            "google service account key id",
            r#"{"type": "service_account", "private_key_id": ""#,
            &hex(40),
            r#""}"#,
        ),
        within("azure storage key", "AccountName=shop;AccountKey=", &[&mixed(86), "=="].concat(), ";EndpointSuffix=x"),
        within(
            "azure shared access key",
            "Endpoint=sb://x/;SharedAccessKeyName=r;SharedAccessKey=",
            &[&mixed(43), "="].concat(),
            ";",
        ),
        within(
            "azure shared access signature",
            "https://a.blob.core.windows.net/c?sv=2024&sig=",
            &[&mixed(43), "%3D"].concat(),
            "&se=1",
        ),
        bare("azure client secret", &["aB3", "8Q~", &mixed(34)]),
        bare("azure devops token", &[&mixed(76), "AZDO", "aB3d"]),
        bare("azure key", &[&mixed(76), "+ASt", "aB3dE9", "=="]),
        bare("azure key", &[&mixed(52), "JQQJ99", &upper(26)]),
        bare("alibaba access key id", &["LTAI", &mixed(20)]),
        bare("tencent secret id", &["AKID", &mixed(32)]),
        bare("yandex cloud key", &["AQVN", &mixed(36)]),
        bare("scaleway access key", &["SCW", &upper(17)]),
        // Delivery.
        bare("github token", &["github", "_pat_", &mixed(22), "_", &mixed(59)]),
        bare("gitlab token", &["GR1348941", &mixed(20)]),
        bare("bitbucket token", &["ATBB", &mixed(32)]),
        bare("bitbucket token", &["BBDC-", &mixed(44)]),
        bare("atlassian token", &["ATATT3", &mixed(180)]),
        bare("sourcegraph token", &["sgp_", &hex(40)]),
        bare("circleci token", &["CCIPAT_", &mixed(22), "_", &hex(40)]),
        bare("buildkite token", &["bkua_", &hex(40)]),
        bare("sonar token", &["squ_", &hex(40)]),
        bare("harness token", &["pat.", &mixed(22), ".", &hex(24), ".", &mixed(20)]),
        bare("octopus key", &["API-", &upper(26)]),
        bare("launchdarkly key", &["sdk-", &uuid()]),
        bare("terraform token", &[&mixed(14), ".atlasv1.", &mixed(67)]),
        bare("pulumi token", &["pul-", &hex(40)]),
        bare("infracost key", &["ico-", &mixed(32)]),
        bare("prefect key", &["pnu_", &mixed(36)]),
        bare("vault token", &["hvs.", &mixed(95)]),
        bare("vault token", &["hvb.", &mixed(138)]),
        within("vault token", "login with ", &["s.", &mixed(24)].concat(), " works"),
        bare("1password token", &["ops_", "eyJ", &mixed(120)]),
        bare("1password secret key", &["A3-", "K3V9Q1-Z7M4X8-C2B6N-5T0W1-R9Y3P-7K3V9"]),
        bare("infisical token", &["st.", &hex(24), ".", &hex(32), ".", &hex(32)]),
        bare("postman key", &["PMAK-", &hex(24), "-", &hex(34)]),
        bare("sentry token", &["sntrys_", "eyJ", &mixed(80)]),
        bare("sentry token", &["sntryu_", &hex(64)]),
        bare("linear key", &["lin_api_", &mixed(40)]),
        bare("notion token", &["ntn_", &mixed(46)]),
        bare("notion token", &["secret_", &mixed(43)]),
        bare("figma token", &["figd_", &mixed(40)]),
        bare("airtable token", &["pat", &mixed(14), ".", &hex(64)]),
        bare("dropbox token", &["sl.", &mixed(130)]),
        bare("readme key", &["rdme_", &lower(70)]),
        bare("contentful token", &["CFPAT-", &mixed(43)]),
        bare("typeform token", &["tfp_", &mixed(44)]),
        // Packages.
        bare("npm token", &["npm_", &mixed(36)]),
        bare("pypi token", &["pypi-", "AgEIcHlwaS5vcmc", &mixed(100)]),
        bare("rubygems key", &["rubygems_", &hex(48)]),
        bare("crates.io token", &["cio", &mixed(32)]),
        bare("nuget key", &["oy2", &lower(43)]),
        bare("docker hub token", &["dckr_pat_", &mixed(27)]),
        bare("docker hub token", &["dckr_oat_", &mixed(32)]),
        bare("jfrog key", &["AKCp", &mixed(69)]),
        bare("jfrog token", &["cmVmdGtu", &mixed(56)]),
        bare("clojars token", &["CLOJARS_", &hex(60)]),
        bare("packagist token", &["packagist_", "out_", &hex(68)]),
        // Hosting.
        bare("digitalocean token", &["dop_v1_", &hex(64)]),
        bare("heroku key", &["HRKU-", "AA", &mixed(58)]),
        bare("cloudflare token", &["cfut_", &mixed(40)]),
        bare("cloudflare origin key", &["v1.0-", &hex(24), "-", &hex(146)]),
        bare("cloudflare tunnel token", &["eyJhIjoi", &mixed(140)]),
        bare("fly.io token", &["fo1_", &mixed(43)]),
        bare("fly.io token", &["fm2_", &mixed(120)]),
        bare("netlify token", &["nfp_", &mixed(36)]),
        bare("vercel token", &["vcp_", &mixed(56)]),
        bare("vercel token", &["vercel_blob_rw_", &mixed(16), "_", &mixed(30)]),
        bare("render key", &["rnd_", &mixed(28)]),
        bare("tailscale key", &["tskey-", "auth-", &mixed(12), "-", &mixed(32)]),
        bare("hashicorp cloud secret", &["hcp.", &mixed(24), ".", &mixed(60)]),
        // Data.
        bare("databricks token", &["dapi", &hex(32)]),
        bare("supabase key", &["sbp_", &hex(40)]),
        bare("supabase key", &["sb_secret_", &mixed(31)]),
        bare("planetscale token", &["pscale_tkn_", &mixed(43)]),
        bare("planetscale token", &["pscale_pw_", &mixed(43)]),
        bare("neon key", &["napi_", &lower(64)]),
        bare("aiven password", &["AVNS_", &mixed(19)]),
        bare("confluent secret", &["cflt", &mixed(60)]),
        bare("mongodb atlas secret", &["mdb_sa_sk_", &mixed(40)]),
        bare("clickhouse cloud secret", &["4b1d", &mixed(38)]),
        bare("cockroach cloud key", &["CCDB1_", &mixed(22), "_", &mixed(40)]),
        bare("elastic cloud key", &["essu_", &mixed(60)]),
        bare("pinecone key", &["pcsk_", &mixed(6), "_", &mixed(63)]),
        within("prisma key", "prisma://accelerate.prisma-data.net/?api_key=", &mixed(40), " ok"),
        // Chat.
        bare("slack token", &["xoxe.", "xoxp-1-", &mixed(146)]),
        bare("slack token", &["xapp-", "1-", &upper(11), "-", &digits(13), "-", &hex(64)]),
        within(
            "slack webhook",
            "https://hooks.slack.com/services/",
            &["T", &upper(10), "/B", &upper(10), "/", &mixed(24)].concat(),
            " gone",
        ),
        within(
            "discord webhook",
            &["https://discord.com/api/webhooks/", &digits(18), "/"].concat(),
            &mixed(68),
            " gone",
        ),
        within(
            "discord token",
            "bot logs in with ",
            &[&base64(digits(18).as_bytes()), ".", "GaB3dE", ".", &mixed(38)].concat(),
            " now",
        ),
        bare("telegram token", &[&digits(10), ":AA", &mixed(33)]),
        within(
            "teams webhook",
            "https://shop.webhook.office.com/webhookb2/",
            &[&uuid(), "@", &uuid(), "/IncomingWebhook/", &hex(32), "/", &uuid()].concat(),
            " gone",
        ),
        bare("twilio key", &["SK", &hex(32)]),
        bare("sendgrid key", &["SG.", &mixed(22), ".", &mixed(43)]),
        bare("mailgun key", &["key-", &hex(32)]),
        bare("mailchimp key", &[&hex(32), "-us21"]),
        bare("mandrill key", &["md-", &mixed(22)]),
        bare("brevo key", &["xkeysib-", &hex(64), "-", &mixed(16)]),
        bare("resend key", &["re_", &mixed(8), "_", &mixed(24)]),
        bare("klaviyo key", &["pk_", &hex(34)]),
        bare("hubspot token", &["pat-na1-", &uuid()]),
        bare("salesforce session", &["00D", &mixed(12), "!", &mixed(96)]),
        bare("facebook token", &["EAA", &mixed(120)]),
        bare("twitter bearer token", &[&"A".repeat(22), &mixed(80)]),
        // Payment.
        bare("stripe key", &["sk_live", "_", &mixed(24)]),
        bare("stripe key", &["rk_test", "_", &mixed(99)]),
        bare("webhook secret", &["whsec_", &mixed(32)]),
        bare("square token", &["sq0atp-", &mixed(22)]),
        bare("square token", &["sq0csp-", &mixed(43)]),
        bare("square token", &["EAAAl", &mixed(59)]),
        bare("braintree token", &["access_token$", "production$", &lower(16), "$", &hex(32)]),
        within("paypal secret", "paypal client ", &["E", &mixed(79)].concat(), " used"),
        bare("shopify token", &["shpat_", &hex(32)]),
        bare("razorpay key", &["rzp_live_", &mixed(14)]),
        bare("mollie key", &["live_", &mixed(30)]),
        bare("flutterwave key", &["FLWSECK", "_TEST-", &hex(32), "-X"]),
        bare("plaid token", &["access-sandbox-", &uuid()]),
        bare("paddle key", &["pdl_live_", "apikey_", &lower(26), "_", &mixed(22), "_aB3"]),
        bare("easypost key", &["EZAK", &mixed(54)]),
        bare("shippo token", &["shippo_live_", &hex(40)]),
        bare("mapbox token", &["sk.", "eyJ", &mixed(60), ".", &mixed(22)]),
        // Models.
        bare("anthropic key", &["sk-ant-", "api03-", &mixed(93), "AA"]),
        bare("openai key", &["sk-", &mixed(20), "T3Blbk", "FJ", &mixed(20)]),
        bare("openai key", &["sk-proj-", &mixed(100)]),
        bare("openrouter key", &["sk-or-v1-", &hex(64)]),
        bare("deepseek key", &["sk-", &hex(32)]),
        bare("hugging face token", &["hf_", &mixed(34)]),
        bare("replicate token", &["r8_", &mixed(37)]),
        bare("groq key", &["gsk_", &mixed(52)]),
        bare("perplexity key", &["pplx-", &mixed(48)]),
        bare("xai key", &["xai-", &mixed(80)]),
        bare("langsmith key", &["lsv2_pt_", &hex(32), "_", &hex(10)]),
        bare("elevenlabs key", &["sk_", &hex(48)]),
        bare("nvidia key", &["nvapi-", &mixed(64)]),
        bare("cerebras key", &["csk-", &lower(48)]),
        bare("tavily key", &["tvly-", "dev-", &mixed(32)]),
        // Monitoring.
        bare("grafana token", &["glsa_", &mixed(32), "_", &hex(8)]),
        bare("grafana cloud token", &["glc_", &mixed(80)]),
        bare("grafana key", &["eyJrIjoi", &mixed(60)]),
        bare("datadog key", &["ddapp_", &mixed(34)]),
        bare("new relic key", &["NRAK-", &upper(27)]),
        bare("new relic key", &[&hex(36), "NRAL"]),
        within("sentry dsn", "https://", &hex(32), "@o1.ingest.sentry.io/42 is not reachable"),
        bare("pagerduty key", &["u+", &mixed(18)]),
        within("opsgenie key", "GenieKey ", &uuid(), " refused"),
        bare("honeycomb key", &["hcaik_", &lower(58)]),
        bare("dynatrace token", &["dt0c01.", &upper(24), ".", &upper(64)]),
        within("splunk token", "sends Splunk ", &uuid(), " to the collector"),
        bare("posthog key", &["phx_", &mixed(43)]),
        bare("axiom token", &["xaat-", &uuid()]),
        bare("checkly key", &["cu_", &hex(32)]),
        // What carries a password.
        within("authorization", "curl: Bearer ", &mixed(24), " was sent"),
        within("authorization", "Proxy: Basic ", &base64(b"app:hunter2hunter2"), " was sent"),
        within("authorization", "Authorization: Token ", &hex(40), " was sent"),
        within("authorization", r#""authorization":["ApiKey "#, &mixed(60), r#""]"#),
        within("cookie", "Set-Cookie: sid=", &mixed(32), "; Path=/; HttpOnly"),
        within("cookie", "Cookie: JSESSIONID=", &upper(32), " sent"),
    ];
    for prefix in ["ghp", "gho", "ghu", "ghs", "ghr"] {
        all.push(bare("github token", &[prefix, "_", &mixed(36)]));
    }
    for prefix in ["pat", "rt", "rtr", "dt", "cbt", "ptt", "ft", "imt", "agent", "oas", "soat", "ffct", "wt"] {
        all.push(bare("gitlab token", &["gl", prefix, "-", &mixed(20)]));
    }
    for prefix in ["pt", "ct", "st.prd", "sa", "scim", "audit"] {
        all.push(bare("doppler token", &["dp.", prefix, ".", &mixed(44)]));
    }
    for letter in ["b", "p", "a", "r", "s", "o"] {
        all.push(bare("slack token", &["xox", letter, "-", &digits(12), "-", &digits(12), "-", &mixed(24)]));
    }
    for scheme in
        ["postgres", "postgresql", "mysql", "mongodb+srv", "redis", "amqp", "https", "ftp", "jdbc:postgresql", "nats"]
    {
        all.push(within("url password", &[scheme, "://app:"].concat(), "hun!ter2$x", "@db.shop.svc:5432/shop"));
    }
    for (before, secret, after) in [
        ("postgres://app:", "p/ss#w?rd", "@db:5432/shop"),
        ("redis://:", "hunter2", "@cache:6379/0"),
        ("dsn root:", "hunter2", "@tcp(db:3306)/shop"),
        ("jdbc:oracle:thin:app/", "hunter2", "@db:1521/shop"),
    ] {
        all.push(within("url password", before, secret, after));
    }
    all.push(within("url token", "https://", &hex(40), "@github.com/shop/cart"));
    for (kind, before, secret, after) in [
        ("password", "docker login -u app -p ", "hunter2", " registry.example"),
        ("password", "echo ", "hunter2", " | docker login --password-stdin"),
        ("password", "openssl enc -aes-256-cbc -k ", "hunter2", " -in a"),
        ("password", "openssl rsa -passin pass:", "hunter2", " -in a"),
        ("password", "failed login with username app and password '", "Tr0ub4dor99", "'"),
        ("password", "the password is ", "Tr0ub4dor99", ""),
        ("password", "use the following password to proceed to installation: ", "1f2e3d4c5b6a79881f2e", ""),
        ("secret", "Unseal Key 1: ", "aB3dE9fG1hJ7kL5mN2pQ8rS4tU6vW0xY", ""),
        ("secret", "the api key = ", "Tr0ub4dorTr0ub4dor", ""),
        ("password", "<password>", "hunter2", "</password>"),
        ("password", "<add key='Db.Password' value='", "hunter2", "' />"),
        ("password", "EnvVar{Name:DB_PASSWORD,Value:", "hunter2", ",ValueFrom:nil,}"),
        ("secret", "{\"x-api-key\":[\"", "Tr0ub4dorTr0ub4dor", "\"]}"),
    ] {
        all.push(within(kind, before, secret, after));
    }
    for (before, secret, after) in [
        ("mysqldump -h db -u root -p", "hunter2", " shop"),
        ("curl -s -u app:", "hunter2", " https://x"),
        ("sshpass -p ", "hunter2", " ssh app@x"),
        ("redis-cli -h c -a ", "hunter2", " ping"),
        ("ALTER USER app IDENTIFIED BY '", "hunter2", "'"),
        ("ALTER ROLE app WITH PASSWORD '", "hunter2", "'"),
        ("requirepass ", "hunter2x9", " set"),
        ("LoginModule required username=\"app\" password=\"", "hunter2", "\";"),
    ] {
        let kind = if before.starts_with("LoginModule") { "sas jaas password" } else { "password" };
        all.push(within(kind, before, secret, after));
    }
    all
}

/// Secrets that are told by the name before them only.
pub(crate) fn named() -> Vec<Example> {
    let mut all = Vec::new();
    for (before, after) in [
        ("password=", " user=app"),
        ("PGPASSWORD=", " psql"),
        ("DB_PASSWORD_PROD=", ""),
        ("spring.datasource.password=", ""),
        ("\"dbPassword\": \"", "\", \"user\": \"app\""),
        ("\\\"password\\\":\\\"", "\\\",\\\"user\\\":\\\"app\\\""),
        ("{'password': '", "', 'user': 'app'}"),
        ("  password: ", ""),
        ("--password=", " --user app"),
        ("--db-password ", " --user app"),
        ("jdbc:postgresql://db/shop?user=app&password=", "&ssl=true"),
        ("host=db user=app password=", " dbname=shop"),
        ("Server=db;User Id=app;Password=", ";Encrypt=true"),
        ("Pwd=", ";Database=shop"),
        (":password=>\"", "\", :host=>\"db\""),
        ("DATABASE_PASSWORD := ", ""),
        ("passphrase: \"", "\""),
        ("config{user=app, password=", ", host=db}"),
        ("\nredis_pass=", " "),
    ] {
        all.push(within("password", before, "hunter2Xy", after));
    }
    for (before, after) in [
        ("client_secret=", "&grant_type=x"),
        ("AWS_SECRET_ACCESS_KEY=", ""),
        ("\"api_key\":\"", "\"}"),
        ("X-Vault-Token: ", ""),
        ("DD_API_KEY=", ""),
        ("//registry.npmjs.org/:_authToken=", ""),
        ("access_token=", "&state=1"),
        ("\"privateKey\" : \"", "\""),
        ("SECRET_KEY_BASE=", ""),
        ("--api-key ", " --x"),
        ("client-key-data: ", ""),
        ("NEW_RELIC_LICENSE_KEY=", ""),
        ("token: ", ""),
        ("secret=", " x=1"),
        ("\"refreshToken\":\"", "\","),
    ] {
        all.push(within("secret", before, "q7Zk29LmXw4Tb81P", after));
    }
    all
}

/// What looks like a secret and is none.
pub(crate) const NEAR_MISSES: &[&str] = &[
    "password authentication failed for user \"app\"",
    "FATAL: password authentication failed for user app",
    "token expired",
    "invalid token: signature mismatch",
    "error: token: unexpected end of input",
    "secret \"cart-db\" not found",
    "secret: cart-db",
    "couldn't find key password in Secret shop/cart-db",
    "Access denied for user 'blog'@'10.244.1.7' (using password: NO)",
    "Access denied for user 'blog'@'10.244.1.7' (using password: YES)",
    "password=",
    "password= user=app",
    "password=\"\" user=app",
    "password=${DB_PASSWORD}",
    "password=$DB_PASSWORD",
    "password=********",
    "password=<redacted>",
    "password: null",
    "token=xxxxxxxxxxxxxxxx",
    "Authorization: Bearer <token>",
    "Authorization: Bearer $TOKEN",
    "Authorization header is missing",
    "Authorization: Basic authentication required",
    "basic authentication is disabled",
    "bearer token is not valid",
    "the bearer authentication scheme",
    "name: DB_PASSWORD",
    "valueFrom: {secretKeyRef: {name: cart-db, key: password}}",
    "imagePullSecrets=[regcred]",
    "secretName=cart-tls",
    "\"secret\"=\"cart-tls\" \"namespace\"=\"shop\"",
    "tokenReview webhook failed",
    "token_type=Bearer expires_in=3600",
    "max_tokens=4096 total_tokens: 512",
    "next_token=3",
    "Unexpected token } in JSON at position 12",
    "password_file=/run/secrets/db-password",
    "tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token",
    "--token-url=https://auth.example/token",
    "token_endpoint: https://auth.example/oauth/token",
    "PWD=/app",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7",
    "image ghcr.io/shop/cart@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "docker-pullable://nginx:1.27@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "commit 9f3a1c7e5b2d8f604a9c3e1b7d5f20869f3a1c7e",
    "pod 3f2a9c1e-7b44-4d0e-9a11-0c5d2e7f8a91 is running",
    "integrity sha512-q1MJmQfx3FZ0N5SAoC8jv1A2mBf8hXn6oQK0ScQb1u0hH4mGx1hQ5b0b5m3p8mW7l9sV2nS3aZ4cX5vB6nM7Lg==",
    "GET http://10.0.0.1:8080/a?email=x@example.com 200",
    "connect to http://db:5432 failed",
    "postgres://app@db:5432/shop",
    "mongodb://db-0:27017,db-1:27017/shop",
    "proxy_pass http://upstream;",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-your-key-here",
    "eyJhbGciOi is how a token begins",
    "eyJub3QiOiJhIGp3dCJ9.eyJhIjoxfQ.abcdefghijkl",
    "-----BEGIN CERTIFICATE-----",
    "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ",
    "tls: failed to find any PEM data in key input: private key does not match public key",
    "cache key: user:42 hit",
    "primary key: id",
    "api-key authentication is enabled",
    "apiVersion: v1",
    "cookie consent banner shown",
    "Cookie: theme=dark",
    "session_id=42",
    "--discovery-token-ca-cert-hash sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "mysql -p shop",
    "mysql: [Warning] Using a password on the command line interface can be insecure.",
    "user=app auth=kerberos",
    "bypass=true compass: ok passes=3",
    "credentials: kubernetes.io/dockerconfigjson",
    "public_key=MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
    "password must be at least 8 characters",
    "Enter password:",
    "password: incorrect, try again",
    "reset your password: visit the settings page",
];
