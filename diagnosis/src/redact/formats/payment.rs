//! Payment and shops.

use crate::redact::format::{Format, is_mixed};

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "stripe key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_org_"],
        r"[sr]k_(?:live|test|org)_[A-Za-z0-9_]{10,}",
        "https://docs.stripe.com/keys",
    ),
    Format::new("webhook secret", &["whsec_"], r"whsec_[A-Za-z0-9+/=]{24,}", "https://docs.stripe.com/webhooks"),
    Format::new(
        "square token",
        &["sq0atp-", "sq0csp-", "sq0idp-"],
        r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}",
        "https://developer.squareup.com/docs/build-basics/access-tokens",
    ),
    Format::new(
        "square token",
        &["eaaal", "eaaae"],
        r"\bEAAA[El][A-Za-z0-9_-]{59}",
        "https://developer.squareup.com/docs/build-basics/access-tokens",
    ),
    Format::new(
        "braintree token",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
        "https://developer.paypal.com/braintree/docs/guides/extend/oauth/access-tokens",
    ),
    Format::new(
        "paypal secret",
        &["paypal"],
        r"(?i-u:paypal)[^\n]{0,60}?\b(?P<s>E[A-Za-z0-9_-]{79})\b",
        "https://developer.paypal.com/api/rest/",
    ),
    Format::new(
        "shopify token",
        &["shpat_", "shpca_", "shppa_", "shpss_", "shpua_"],
        r"shp(?:at|ca|pa|ss|ua)_[A-Fa-f0-9]{32}",
        "https://shopify.dev/docs/apps/build/authentication-authorization",
    ),
    Format::new(
        "razorpay key",
        &["rzp_live_", "rzp_test_"],
        r"rzp_(?:live|test)_[A-Za-z0-9]{14,}",
        "https://razorpay.com/docs/payments/dashboard/account-settings/api-keys/",
    ),
    Format::new(
        "mollie key",
        &["live_", "test_"],
        r"\b(?:live|test)_[A-Za-z0-9]{30}\b",
        "https://docs.mollie.com/reference/authentication",
    )
    .checked(is_mixed),
    Format::new(
        "flutterwave key",
        &["flwseck"],
        r"FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?",
        "https://developer.flutterwave.com/docs/authentication",
    ),
    Format::new(
        "plaid token",
        &["access-sandbox-", "access-production-", "access-development-"],
        r"access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "https://plaid.com/docs/api/",
    ),
    Format::new(
        "paddle key",
        &["pdl_live_", "pdl_sdbx_"],
        r"pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
        "https://developer.paddle.com/api-reference/about/api-keys",
    ),
    Format::new(
        "easypost key",
        &["ezak", "eztk"],
        r"\bEZ[AT]K[A-Za-z0-9]{54}",
        "https://docs.easypost.com/docs/authentication",
    ),
    Format::new(
        "shippo token",
        &["shippo_live_", "shippo_test_"],
        r"shippo_(?:live|test)_[0-9a-f]{40}",
        "https://docs.goshippo.com/docs/guides_general/authentication/",
    ),
    Format::new(
        "mapbox token",
        &["sk.eyj"],
        r"\bsk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}",
        "https://docs.mapbox.com/help/dive-deeper/access-tokens/",
    ),
];
