//! The words of somebody's message: its text, and what its blocks and attachments say.

use serde_json::Value;

use super::markup;

/// How many bytes of a message are read: an alert names its object early.
const MOST: usize = 16_000;
/// How deep blocks are looked into.
const DEEPEST: usize = 12;

/// The words of a message, a line for each part. What a part repeats stands there once.
pub(crate) fn words(message: &Value) -> String {
    let mut words = String::new();
    if let Some(text) = message.get("text").and_then(Value::as_str) {
        add(text, &mut words);
    }
    for part in ["attachments", "blocks"] {
        collect(message.get(part).unwrap_or(&Value::Null), DEEPEST, &mut words);
    }
    words
}

fn collect(value: &Value, depth: usize, words: &mut String) {
    if depth == 0 || words.len() >= MOST {
        return;
    }
    match value {
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, depth - 1, words)),
        Value::Object(fields) => {
            // Where text and other fields stand beside each other, the order is the one in which Slack shows them.
            for key in ["pretext", "author_name", "title", "title_link", "text", "fallback", "alt_text", "url", "value"]
            {
                if let Some(text) = fields.get(key).and_then(Value::as_str) {
                    add(text, words);
                }
            }
            for key in
                ["text", "title", "fields", "elements", "blocks", "rows", "accessory", "message_blocks", "message"]
            {
                if let Some(inner @ (Value::Array(_) | Value::Object(_))) = fields.get(key) {
                    collect(inner, depth - 1, words);
                }
            }
        }
        _ => {}
    }
}

fn add(text: &str, words: &mut String) {
    let room = MOST.saturating_sub(words.len());
    let text: String = markup::plain(text).chars().take(room).collect();
    let text = text.trim();
    if text.is_empty() || words.contains(text) {
        return;
    }
    if !words.is_empty() {
        words.push('\n');
    }
    words.push_str(text);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{MOST, words};

    #[test]
    fn an_alert_is_read_whole() {
        let alert = json!({
            "text": "[FIRING:1] KubePodCrashLooping",
            "attachments": [{
                "fallback": "[FIRING:1] KubePodCrashLooping", "title": "KubePodCrashLooping", "text": "Pod shop/cart-7c9 &lt;app&gt;",
                "fields": [{"title": "namespace", "value": "shop"}],
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "pod <http://x.y|cart-7c9>"}}],
            }],
            "metadata": {"event_type": "alert", "event_payload": {"severity": 3}},
        });
        assert_eq!(words(&alert), "[FIRING:1] KubePodCrashLooping\nPod shop/cart-7c9 <app>\nnamespace\npod cart-7c9");
    }

    #[test]
    fn what_blocks_repeat_of_the_text_stands_once() {
        let message = json!({
            "text": "pod cart fails",
            "blocks": [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                {"type": "text", "text": "pod cart "}, {"type": "text", "text": "fails", "style": {"bold": true}},
            ]}]}],
        });
        assert_eq!(words(&message), "pod cart fails");
    }

    #[test]
    fn a_huge_and_deep_message_is_cut() {
        let mut deep = json!({"text": "bottom"});
        for _ in 0..200 {
            deep = json!({"elements": [deep]});
        }
        let huge = json!({"text": "ä".repeat(100_000), "blocks": [deep]});
        assert!(words(&huge).len() <= 2 * MOST);
        assert!(!words(&json!({"blocks": [huge["blocks"][0]]})).contains("bottom"));
    }
}
