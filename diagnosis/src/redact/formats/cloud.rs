//! Keys of the large clouds.

use crate::redact::format::{Format, has_letter_and_digit, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "aws secret access key",
        &["akia", "asia"],
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}[^A-Za-z0-9/+=]{1,8}(?:[A-Za-z_ ]{3,30}[^A-Za-z0-9/+]{1,6})?(?P<s>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    )
    .checked(is_mixed),
    Format::new(
        "aws access key id",
        &["akia", "asia", "abia", "acca"],
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
    ),
    Format::new(
        "aws session token",
        &["iqojb3jpz2lu", "fwogzxivyxdz", "fqogzxivyxdz"],
        r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9/+=%]{30,}",
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html",
    ),
    Format::new(
        "aws bedrock key",
        &["abskqmvkcm9ja0fqs", "bedrock-api-key-"],
        r"(?:ABSKQmVkcm9ja0FQS[A-Za-z0-9+/=]{20,}|bedrock-api-key-[A-Za-z0-9+/=%]{30,})",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    ),
    Format::new(
        "aws signature",
        &["x-amz-signature", "x-amz-security-token"],
        r"(?i-u:X-Amz-(?:Signature|Security-Token))=(?P<s>[A-Za-z0-9%/+=]{16,})",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
    ),
    Format::new(
        "aws mws token",
        &["amzn.mws."],
        r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f-]{27}",
        "https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns",
    ),
    Format::new(
        "google api key",
        &["aiza"],
        r"AIza[0-9A-Za-z_-]{35}",
        "https://cloud.google.com/docs/authentication/api-keys",
    ),
    Format::new(
        "google oauth client secret",
        &["gocspx-"],
        r"GOCSPX-[A-Za-z0-9_-]{20,}",
        "https://developers.google.com/identity/protocols/oauth2/web-server",
    ),
    Format::new(
        "google access token",
        &["ya29."],
        r"ya29\.[A-Za-z0-9_.-]{20,}",
        "https://cloud.google.com/docs/authentication/token-types",
    ),
    Format::new(
        "google refresh token",
        &["1//0"],
        r"\b1//0[A-Za-z0-9_-]{30,}",
        "https://developers.google.com/identity/protocols/oauth2",
    ),
    Format::new(
        "google authorization code",
        &["4/0a"],
        r"\b4/0A[A-Za-z0-9_-]{30,}",
        "https://developers.google.com/identity/protocols/oauth2/native-app",
    ),
    Format::new(
        "google storage key",
        &["goog1"],
        r"\bGOOG1[A-Z0-9]{15,60}\b",
        "https://cloud.google.com/storage/docs/authentication/hmackeys",
    ),
    Format::new(
        "google signature",
        &["x-goog-signature"],
        r"(?i-u:X-Goog-Signature)=(?P<s>[0-9A-Fa-f]{32,})",
        "https://cloud.google.com/storage/docs/access-control/signed-urls",
    ),
    Format::new(
        "google service account key id",
        &["private_key_id"],
        r#"private_key_id\\*"\s*:\s*\\*"(?P<s>[0-9a-f]{40})"#,
        "https://cloud.google.com/iam/docs/keys-create-delete",
    ),
    Format::new(
        "azure storage key",
        &["accountkey="],
        r"(?i-u:AccountKey)=(?P<s>[A-Za-z0-9+/]{40,}={0,2})",
        "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
    ),
    Format::new(
        "azure shared access key",
        &["sharedaccesskey="],
        r"(?i-u:SharedAccessKey)=(?P<s>[A-Za-z0-9+/]{20,}={0,2})",
        "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas",
    ),
    Format::new(
        "azure shared access signature",
        &["sig="],
        r"[?&;](?i-u:sig)=(?P<s>[A-Za-z0-9%+/]{30,}={0,2})",
        "https://learn.microsoft.com/azure/storage/common/storage-sas-overview",
    ),
    Format::new(
        "azure client secret",
        &["q~"],
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
        "https://learn.microsoft.com/entra/identity-platform/how-to-add-credentials",
    ),
    Format::new(
        "azure devops token",
        &["azdo"],
        r"[A-Za-z0-9]{70,76}AZDO[A-Za-z0-9]{4}",
        "https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate",
    ),
    Format::new(
        "azure key",
        &["+ast", "+asb", "+aeh", "+acr", "+aba", "acdb", "azca", "azse", "azfu", "aiot", "apim", "jqqj99"],
        r"(?:[A-Za-z0-9+/]{32,76}(?:\+ASt|\+ASb|\+AEh|\+ACR|\+ABa|ACDb|AzCa|AzSe|AzFu|AIoT|APIM)[A-Za-z0-9+/]{4,12}={0,2}|[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,30})",
        "https://learn.microsoft.com/purview/sit-defn-azure-storage-account-key",
    )
    .checked(is_mixed),
    Format::new(
        "alibaba access key id",
        &["ltai"],
        r"\bLTAI[A-Za-z0-9]{12,26}\b",
        "https://www.alibabacloud.com/help/en/ram/user-guide/create-an-accesskey-pair",
    )
    .checked(is_mixed),
    Format::new(
        "tencent secret id",
        &["akid"],
        r"\bAKID[A-Za-z0-9]{32}\b",
        "https://www.tencentcloud.com/document/product/598/32675",
    ),
    Format::new(
        "yandex cloud key",
        &["aqvn", "t1."],
        r"\b(?:AQVN[A-Za-z0-9_-]{35,38}|t1\.[A-Za-z0-9_-]{6,}={0,2}\.[A-Za-z0-9_-]{80,}={0,2})",
        "https://yandex.cloud/en/docs/iam/concepts/authorization/api-key",
    ),
    Format::new(
        "scaleway access key",
        &["scw"],
        r"\bSCW[A-Z0-9]{17}\b",
        "https://www.scaleway.com/en/docs/iam/how-to/create-api-keys/",
    )
    .checked(has_letter_and_digit),
];
