//! Providers of models.

use crate::redact::format::Format;

pub(super) const FORMATS: &[Format] = &[
    Format::new(
        "anthropic key",
        &["sk-ant-"],
        r"sk-ant-(?:[a-z]+[0-9]{2}-)?[A-Za-z0-9_-]{20,}",
        "https://docs.claude.com/en/api/overview",
    ),
    Format::new(
        "openai key",
        &["t3blbkfj"],
        r"sk-(?:[A-Za-z]+-)?[A-Za-z0-9_-]{16,}T3BlbkFJ[A-Za-z0-9_-]{16,}",
        "https://platform.openai.com/docs/api-reference/authentication",
    ),
    Format::new(
        "openai key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-none-"],
        r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}",
        "https://platform.openai.com/docs/api-reference/authentication",
    ),
    Format::new(
        "openrouter key",
        &["sk-or-v1-"],
        r"sk-or-v1-[0-9a-f]{64}",
        "https://openrouter.ai/docs/api-reference/authentication",
    ),
    Format::new("deepseek key", &["sk-"], r"\bsk-[0-9a-f]{32}\b", "https://api-docs.deepseek.com/"),
    Format::new(
        "hugging face token",
        &["hf_", "api_org_"],
        r"\b(?:hf|api_org)_[A-Za-z0-9]{34}\b",
        "https://huggingface.co/docs/hub/security-tokens",
    ),
    Format::new(
        "replicate token",
        &["r8_"],
        r"\br8_[A-Za-z0-9]{37}\b",
        "https://replicate.com/docs/topics/security/api-tokens",
    ),
    Format::new("groq key", &["gsk_"], r"\bgsk_[A-Za-z0-9]{48,}", "https://console.groq.com/docs/quickstart"),
    Format::new(
        "perplexity key",
        &["pplx-"],
        r"pplx-[A-Za-z0-9]{40,}",
        "https://docs.perplexity.ai/getting-started/quickstart",
    ),
    Format::new("xai key", &["xai-"], r"\bxai-[A-Za-z0-9]{70,}", "https://docs.x.ai/docs/overview"),
    Format::new(
        "langsmith key",
        &["lsv2_pt_", "lsv2_sk_"],
        r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}",
        "https://docs.langchain.com/langsmith/create-account-api-key",
    ),
    Format::new(
        "elevenlabs key",
        &["sk_"],
        r"\bsk_[0-9a-f]{48}\b",
        "https://elevenlabs.io/docs/api-reference/authentication",
    ),
    Format::new(
        "nvidia key",
        &["nvapi-"],
        r"nvapi-[A-Za-z0-9_-]{60,}",
        "https://docs.api.nvidia.com/nim/reference/llm-apis",
    ),
    Format::new("cerebras key", &["csk-"], r"\bcsk-[a-z0-9]{48}\b", "https://inference-docs.cerebras.ai/quickstart"),
    Format::new(
        "tavily key",
        &["tvly-"],
        r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,}",
        "https://docs.tavily.com/documentation/api-reference/introduction",
    ),
];
