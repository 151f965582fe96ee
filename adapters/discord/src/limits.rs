//! What Discord accepts, each with the page that says so.
//!
//! Discord counts code points ("length based on the number of codepoints", discord/discord-api-docs#1315), its clients and the
//! libraries around it count UTF-16 code units. [`length`] counts code units: never fewer, so that both are content.

/// The length of words as everybody counts them: in UTF-16 code units, two for a character outside the basic plane.
pub fn length(words: &str) -> usize {
    words.chars().map(char::len_utf16).sum()
}

/// Content of a message. <https://docs.discord.com/developers/resources/message#create-message>
pub const CONTENT: usize = 2_000;
/// Embeds of a message. <https://docs.discord.com/developers/resources/message#create-message>
pub const EMBEDS: usize = 10;
/// All words of all embeds of a message: titles, descriptions, fields, footers, authors.
/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const EMBEDS_TOGETHER: usize = 6_000;
/// An embed's title. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const TITLE: usize = 256;
/// An embed's description. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const DESCRIPTION: usize = 4_096;
/// Fields of an embed. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const FIELDS: usize = 25;
/// The name of a field. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const FIELD_NAME: usize = 256;
/// The value of a field. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const FIELD_VALUE: usize = 1_024;
/// An embed's footer. <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
pub const FOOTER: usize = 2_048;

/// Rows of components below a message. <https://docs.discord.com/developers/components/reference#legacy-message-component-behavior>
pub const ROWS: usize = 5;
/// Buttons in a row. <https://docs.discord.com/developers/components/reference#action-row>
pub const BUTTONS_IN_A_ROW: usize = 5;
/// What stands on a button. <https://docs.discord.com/developers/components/reference#button-button-structure>
pub const BUTTON_LABEL: usize = 80;
/// The address behind a link button. <https://docs.discord.com/developers/components/reference#button-button-structure>
pub const BUTTON_URL: usize = 512;
/// What comes back from a component: at least one character, unique in its message.
/// <https://docs.discord.com/developers/components/reference#anatomy-of-a-component>
pub const CUSTOM_ID: usize = 100;
/// Entries of a menu. <https://docs.discord.com/developers/components/reference#string-select-string-select-structure>
pub const OPTIONS: usize = 25;
/// What a menu says before anything is chosen.
/// <https://docs.discord.com/developers/components/reference#string-select-string-select-structure>
pub const PLACEHOLDER: usize = 150;
/// What a menu's entry says. <https://docs.discord.com/developers/components/reference#string-select-select-option-structure>
pub const OPTION_LABEL: usize = 100;
/// What a menu's entry sends. <https://docs.discord.com/developers/components/reference#string-select-select-option-structure>
pub const OPTION_VALUE: usize = 100;

/// A form's title. <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-modal>
pub const FORM_TITLE: usize = 45;
/// Lines of a form. <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-modal>
pub const FORM_FIELDS: usize = 5;
/// What is asked in a line of a form. <https://docs.discord.com/developers/components/reference#text-input-text-input-structure>
pub const FORM_LABEL: usize = 45;
/// An example of an answer. <https://docs.discord.com/developers/components/reference#text-input-text-input-structure>
pub const FORM_PLACEHOLDER: usize = 100;
/// The longest answer. <https://docs.discord.com/developers/components/reference#text-input-text-input-structure>
pub const FORM_VALUE: usize = 4_000;

/// A thread's name: at least one character. <https://docs.discord.com/developers/resources/channel#start-thread-from-message>
pub const THREAD_NAME: usize = 100;
/// Files of a message. <https://support.discord.com/hc/en-us/articles/25444343291031-File-Attachments-FAQ>
pub const FILES: usize = 10;
/// The size of a file in bytes, in a guild without boosts.
/// <https://docs.discord.com/developers/reference#uploading-files>
pub const FILE_BYTES: usize = 10 * 1024 * 1024;

/// Entries that an autocompleted option offers.
/// <https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object-autocomplete>
pub const CHOICES: usize = 25;
/// The name and the value of such an entry, each.
/// <https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-choice-structure>
pub const CHOICE: usize = 100;
/// The name of a command or of an option, in lower case.
/// <https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming>
pub const COMMAND_NAME: usize = 32;
/// What a command or an option says of itself.
/// <https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-structure>
pub const COMMAND_DESCRIPTION: usize = 100;
/// Options of a command, and subcommands of it.
/// <https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-structure>
pub const COMMAND_OPTIONS: usize = 25;
/// All names, descriptions and values of a command.
/// <https://docs.discord.com/developers/interactions/application-commands#registering-a-command>
pub const COMMAND_TOGETHER: usize = 8_000;

/// How many messages a thread begins with at most; what is left then is a file. Ours: more is read by nobody.
pub const THREAD_SCREENS: usize = 4;
