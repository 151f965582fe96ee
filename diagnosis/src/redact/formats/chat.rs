//! Chats, mail and telephony.

use crate::redact::format::{Format, is_discord, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "slack token",
        &["xoxe.", "xoxe-"],
        r"xoxe(?:\.xox[bp])?-[0-9]-[A-Za-z0-9]{20,}",
        "https://docs.slack.dev/authentication/using-token-rotation",
    ),
    Format::new(
        "slack token",
        &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxo-", "xoxd-", "xoxc-"],
        r"xox[abposrdc]-[0-9A-Za-z%-]{10,}",
        "https://docs.slack.dev/authentication/tokens",
    ),
    Format::new(
        "slack token",
        &["xapp-"],
        r"xapp-[0-9]-[A-Z0-9]+-[0-9]+-[A-Za-z0-9]{20,}",
        "https://docs.slack.dev/authentication/tokens",
    ),
    Format::new(
        "slack webhook",
        &["hooks.slack"],
        r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/(?P<s>[A-Za-z0-9/_+-]{20,})",
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
    ),
    Format::new(
        "discord webhook",
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]{15,}/(?P<s>[A-Za-z0-9_-]{30,})",
        "https://discord.com/developers/docs/resources/webhook",
    ),
    Format::new(
        "discord token",
        &["discord", "bot", "token"],
        r"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        "https://discord.com/developers/docs/reference#authentication",
    )
    .checked(is_discord),
    Format::new(
        "telegram token",
        &[":aa"],
        r"\b(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}",
        "https://core.telegram.org/bots/api#authorizing-your-bot",
    ),
    Format::new(
        "teams webhook",
        &["webhook.office.com"],
        r"webhook\.office\.com/webhookb2/(?P<s>[A-Za-z0-9@-]+/IncomingWebhook/[A-Za-z0-9/_-]+)",
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
    ),
    Format::new(
        "twilio key",
        &[
            "sk0", "sk1", "sk2", "sk3", "sk4", "sk5", "sk6", "sk7", "sk8", "sk9", "ska", "skb", "skc", "skd", "ske",
            "skf",
        ],
        r"\bSK[0-9a-f]{32}\b",
        "https://www.twilio.com/docs/iam/api-keys",
    ),
    Format::new(
        "sendgrid key",
        &["sg."],
        r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys",
    ),
    Format::new(
        "mailgun key",
        &["key-"],
        r"\b(?:pub)?key-[0-9a-f]{32}\b",
        "https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth",
    ),
    Format::new(
        "mailchimp key",
        &["-us"],
        r"\b[0-9a-f]{32}-us[0-9]{1,2}\b",
        "https://mailchimp.com/developer/marketing/docs/fundamentals/",
    ),
    Format::new(
        "mandrill key",
        &["md-"],
        r"\bmd-[A-Za-z0-9_-]{22}\b",
        "https://mailchimp.com/developer/transactional/guides/quick-start/",
    )
    .checked(is_mixed),
    Format::new(
        "brevo key",
        &["xkeysib-", "xsmtpsib-"],
        r"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}",
        "https://developers.brevo.com/docs/getting-started",
    ),
    Format::new(
        "resend key",
        &["re_"],
        r"\bre_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}\b",
        "https://resend.com/docs/dashboard/api-keys/introduction",
    )
    .checked(is_mixed),
    Format::new(
        "klaviyo key",
        &["pk_"],
        r"\bpk_[0-9a-f]{34}\b",
        "https://developers.klaviyo.com/en/docs/authenticate_",
    ),
    Format::new(
        "hubspot token",
        &["pat-na", "pat-eu"],
        r"pat-(?:na|eu)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "https://developers.hubspot.com/docs/guides/apps/private-apps/overview",
    ),
    Format::new(
        "salesforce session",
        &["00d"],
        r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,}",
        "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/quickstart_oauth.htm",
    ),
    Format::new(
        "facebook token",
        &["eaa"],
        r"\bEAA[A-Za-z0-9]{80,}",
        "https://developers.facebook.com/docs/facebook-login/guides/access-tokens",
    ),
    Format::new(
        "twitter bearer token",
        &["aaaaaaaaaaaaaaaaaaa"],
        r"A{19,22}[A-Za-z0-9%]{40,}",
        "https://developer.x.com/en/docs/authentication/oauth-2-0/bearer-tokens",
    ),
];
