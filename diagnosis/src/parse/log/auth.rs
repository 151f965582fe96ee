//! Peers that answered and refused the credentials or the right.

use super::rule::{Hit, Rule};
use super::{Failure, System, clean, peer};

pub(super) const RULES: &[Rule] = &[
    // PostgreSQL
    Rule::sure(
        "password authentication failed for user|no pg_hba.conf entry|pg_hba.conf rejects|\
         no password supplied|scram-based authentication|peer authentication failed|\
         ident authentication failed|authentication failed for user|no password was provided",
        concat!(
            r#"(?:password authentication failed for user "(?<user>[^"]+)"|"#,
            r#"(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for host "[^"]+", user "(?<user2>[^"]+)"#,
            r#"".*|(?:Peer|Ident) authentication failed for user "(?<user3>[^"]+)"|"#,
            "fe_sendauth: no password supplied|SCRAM-based authentication, but no password was provided.*|",
            "requested SCRAM-based authentication.*)"
        ),
        |hit| refused(hit, Some(System::PostgreSql)),
    ),
    Rule::sure("\" does not exist", r#"(?<what>role|database|user) "(?<user>[^"]+)" does not exist"#, |hit| {
        let user = if hit.get("what") == Some("database") { None } else { hit.own("user") };
        Some(Failure::AuthFailed {
            peer: peer::find(hit.text),
            user,
            system: Some(System::PostgreSql),
            detail: hit.whole(),
        })
    }),
    Rule::sure(
        "permission denied for ",
        r"permission denied for (?:table|relation|schema|database|sequence|function|view) \S+",
        |hit| refused(hit, Some(System::PostgreSql)),
    ),
    // MySQL
    Rule::sure(
        "access denied for user",
        concat!(
            r"Access denied for user '(?<user>[^']*)'@'?[^' ]*'?(?: \(using password: (?:YES|",
            r"NO)\)| to database '[^']+')?"
        ),
        |hit| refused(hit, Some(System::MySql)),
    ),
    Rule::sure(
        "is not allowed to connect to this m|public key retrieval is not allowed|unknown database '|\
         requires secure transport|caching_sha2_password",
        concat!(
            r"(?:Host '[^']+' is not allowed to connect to this M\w+ server|",
            "Public Key Retrieval is not allowed|Unknown database '[^']+'|",
            "require_secure_transport=ON|[Aa]uthentication plugin 'caching_sha2_password' (?:cannot be ",
            "loaded|reported error).*)"
        ),
        |hit| refused(hit, Some(System::MySql)),
    ),
    // Redis
    Rule::sure(
        "noauth |wrongpass|noperm |running in protected mode|invalid username-password pair|\
         err invalid password|without any password configured|err auth|authenticationerror|\
         invalid password",
        concat!(
            r"(?:\bNOAUTH\b.*|\bWRONGPASS\b.*|\bNOPERM\b.*|(?:DENIED )?Redis is running in protected mode.*|",
            "invalid username-password pair.*|ERR invalid password|",
            "(?:ERR )?(?:AUTH|Client sent AUTH).*(?:without any password configured|",
            r"no password is set).*|redis\.exceptions\.AuthenticationError.*)"
        ),
        |hit| refused(hit, Some(System::Redis)),
    ),
    // MongoDB
    Rule::sure(
        "mongoservererror: authentication failed|mongosecurityexception|auth error:|\
         unable to authenticate using mechanism|authentication failed.,|requires authentication|\
         not authorized on |scram-sha|authenticationfailed|pymongo.errors.operationfailure",
        concat!(
            "(?:MongoServerError: (?:Authentication failed|bad auth).*|",
            r#"MongoSecurityException.*|auth error: .*|unable to authenticate using mechanism "?[^"]*"?.*|"#,
            r"(?:Command \S+ requires|command .* requires) authentication|",
            r"not authorized on (?<db>\S+) to execute command.*|OperationFailure: Authentication failed.*|",
            r"AuthenticationFailed: .*|SCRAM-SHA-\d+ authentication failed.*)"
        ),
        |hit| refused(hit, Some(System::MongoDb)),
    ),
    // Kafka
    Rule::sure(
        "failed authentication due to|saslauthenticationexception|\
         authentication failed: invalid username or password|not authorized to access|\
         topicauthorizationexception|groupauthorizationexception|sasl_authentication_failed|\
         topic_authorization_failed|sasl authentication",
        concat!(
            r"(?:Connection to node -?\d+ \((?<host>[^/)\s]*)/(?<ip>[0-9a-fA-F.:]+):(?<port>\d+)\) failed ",
            "authentication due to: .*|SaslAuthenticationException.*|",
            "Authentication failed: Invalid username or password|Not authorized to access (?:topics|",
            "group): .*|(?:Topic|Group)AuthorizationException.*|SASL_AUTHENTICATION_FAILED.*|",
            "TOPIC_AUTHORIZATION_FAILED.*|SASL authentication (?:error|failed).*)"
        ),
        |hit| refused(hit, Some(System::Kafka)),
    ),
    // RabbitMQ
    Rule::sure(
        "access_refused|login was refused|possibleauthenticationfailure|\
         handshake terminated by server: access-refused|username or password not allowed",
        concat!(
            r"(?:ACCESS_REFUSED.*|Login was refused.*|PossibleAuthenticationFailure\w*.*|",
            "403.*username or password not allowed.*|access to vhost '[^']*' refused for user '(?<user>[^']+)'.*)"
        ),
        |hit| refused(hit, Some(System::RabbitMq)),
    ),
    // Elasticsearch
    Rule::sure(
        "unable to authenticate user|security_exception|missing authentication credentials",
        concat!(
            r"(?:unable to authenticate user \[(?<user>[^\]]+)\].*|",
            "security_exception.*|missing authentication credentials for REST request.*)"
        ),
        |hit| refused(hit, Some(System::Elasticsearch)),
    ),
    Rule::sure("nats: authorization violation|authorization violation", r"(?i-u:authorization violation)", |hit| {
        refused(hit, Some(System::Nats))
    }),
    Rule::sure(
        "etcdserver: authentication failed|etcdserver: permission denied|etcdserver: user name is empty",
        r"etcdserver: (?:authentication failed|permission denied|user name is empty).*",
        |hit| refused(hit, Some(System::Etcd)),
    ),
    Rule::sure("provided username", r"Provided username (?<user>\S+) and/or password are incorrect", |hit| {
        refused(hit, Some(System::Cassandra))
    }),
    Rule::sure(
        "login failed for user|cannot open database \"",
        r#"(?:Login failed for user '(?<user>[^']*)'|Cannot open database "[^"]+" requested by the login).*"#,
        |hit| refused(hit, Some(System::SqlServer)),
    ),
    Rule::sure("ora-01017|ora-28000|ora-01045|ora-28001", r"ORA-(?:01017|28000|01045|28001): .*", |hit| {
        refused(hit, Some(System::Oracle))
    }),
    Rule::sure(
        "ldap: error code 49|ldap result code 49|invalid credentials",
        r"(?:LDAP: error code 49.*|LDAP Result Code 49.*|ldap.*Invalid [Cc]redentials.*)",
        |hit| refused(hit, Some(System::Ldap)),
    ),
    Rule::sure(
        "authentication credentials invalid|username and password not accepted|smtpauthenticationerror|\
         invalid login: 535",
        concat!(
            "(?:535[ -].*|Username and Password not accepted.*|SMTPAuthenticationError.*|",
            "Invalid login: 535.*)"
        ),
        |hit| refused(hit, Some(System::Smtp)),
    ),
    Rule::sure(
        "code: 403. errors:|code: 400. errors:|invalid role or secret id|vault",
        concat!(
            r"(?:Error making API request\..*|Code: 40[03]\. Errors:.*|",
            "[Vv]ault.*(?:permission denied|invalid token|missing client token).*)"
        ),
        |hit| refused(hit, Some(System::Vault)),
    ),
    // Clouds
    Rule::sure(
        "accessdenied|expiredtoken|invalidclienttokenid|signaturedoesnotmatch|invalidaccesskeyid|\
         unrecognizedclientexception|nocredentialproviders|unable to locate credentials|\
         not authorized to perform|get credentials|could not load credentials|credentialsprovidererror|\
         invalididentitytoken|assumerolewithwebidentity|nocredentialserror|unable to load credentials|\
         access key id you provided",
        concat!(
            r"(?:\b(?:AccessDenied(?:Exception)?|ExpiredToken(?:Exception)?|",
            "InvalidClientTokenId|SignatureDoesNotMatch|InvalidAccessKeyId|",
            r"UnrecognizedClientException|InvalidIdentityToken)\b.*|",
            "NoCredentialProviders.*|Unable to locate credentials.*|",
            r"NoCredentialsError.*|is not authorized to perform: \S+.*|",
            "CredentialsProviderError.*|[Cc]ould not load credentials.*|",
            "(?:get|retrieve) credentials:? .*|[Uu]nable to load credentials.*)"
        ),
        |hit| refused(hit, Some(System::Aws)),
    ),
    // SSH, git
    Rule::sure(
        "permission denied (publickey|ssh: unable to authenticate|fatal: authentication failed for|\
         could not read username for",
        concat!(
            r"(?:Permission denied \(publickey[^)]*\)|ssh: unable to authenticate|",
            "Authentication failed for '[^']+'|could not read Username for '[^']+'.*)"
        ),
        |hit| refused(hit, Some(System::Ssh)),
    ),
    // gRPC, HTTP
    Rule::sure(
        "code = unauthenticated|code = permissiondenied|status{code=unauthenticated|unauthenticated:|permission_denied:|statuscode.unauthenticated",
        concat!(
            "(?:code = (?:Unauthenticated|PermissionDenied) desc = .*|",
            r"Status\{code=(?:UNAUTHENTICATED|PERMISSION_DENIED).*|",
            r"\b(?:\d+ )?(?:UNAUTHENTICATED|PERMISSION_DENIED): .*|",
            r"StatusCode\.(?:UNAUTHENTICATED|PERMISSION_DENIED).*)"
        ),
        |hit| refused(hit, Some(System::Grpc)),
    ),
    Rule::likely(
        "401|403",
        concat!(
            r"(?:\b(?:status|status code|statusCode|HTTP|HTTP/1\.1|",
            "response code|Error|StatusCode|code|returned error|unexpected status|",
            "unexpected status code|returned|got|respond(?:ed|s) with|",
            r"answered)(?: was|:| of|=)*\s*\(?40[13]\b.*|\b40[13] (?:Client Error: )?(?:Unauthorized|",
            r"Forbidden|UNAUTHORIZED|FORBIDDEN)\b.*)"
        ),
        |hit| refused(hit, Some(System::Http)),
    ),
    Rule::likely(
        "authentication failed|authentication failure|invalid credentials|login failed|auth failed|\
         bad credentials|unauthorized",
        concat!(
            "(?i-u:authentication fail(?:ed|ure)|invalid credentials|",
            r"login failed|auth failed|bad credentials|\berror\b(?u-i:[^a-z])*unauthorized$|",
            ": unauthorized$)"
        ),
        |hit| refused(hit, None),
    ),
];

fn refused(hit: &Hit<'_>, system: Option<System>) -> Option<Failure> {
    let user = ["user", "user2", "user3"].iter().find_map(|name| hit.own(name));
    let detail = clean::bound(&hit.whole(), 200);
    // These name the client's own address.
    let names_us = (detail.contains("pg_hba.conf") || detail.starts_with("Host '"))
        && !hit.text.contains("connection to server at");
    let peer = if names_us { None } else { hit.peer() };
    if detail.starts_with("AccessDeniedException: /") || hit.text.contains("java.nio.file.") {
        return None;
    }
    Some(Failure::AuthFailed { peer, user, system, detail })
}
